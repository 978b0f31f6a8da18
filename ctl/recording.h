/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings: files of events in blocks, of which each can be read without the
 * others. docs/RECORDING.md describes the format.
 */
#ifndef CTL_RECORDING_H
#define CTL_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

struct event;
struct rec_reader;
struct rec_writer;

/**
 * struct rec_meta - what a recording says of itself
 * @program: what wrote it: name and version
 * @kernel, @host: of the machine
 * @vm_name: or ""
 * @vm_pid: of the VMM
 * @mono_ns, @real_ns: CLOCK_MONOTONIC and CLOCK_REALTIME of the start
 * @budget, @period_ms: of the session, 0 without
 * @ranges, @nr_ranges: what was asked for, ascending and apart from each other
 */
struct rec_meta {
	char *program;
	char *kernel;
	char *host;
	char *vm_name;
	int64_t vm_pid;
	uint64_t mono_ns;
	uint64_t real_ns;
	uint32_t budget;
	uint32_t period_ms;
	struct wtrack_range *ranges;
	size_t nr_ranges;
};

/* A malloc'd JSON text, or NULL without memory. */
char *rec_meta_to_json(const struct rec_meta *meta);
/* 0, -EBADMSG or -ENOMEM; then @ret holds nothing. */
int rec_meta_from_json(const char *json, size_t size, struct rec_meta *ret);
void rec_meta_done(struct rec_meta *meta);

/* @fd stays the caller's. Writes the header. */
int rec_writer_new(int fd, const struct rec_meta *meta,
		   struct rec_writer **ret);
/* After an error the file ends with its last whole block: only free it then. */
int rec_writer_add(struct rec_writer *writer, const struct event *event);
int rec_writer_flush(struct rec_writer *writer);
/* Of the file so far. */
uint64_t rec_writer_get_bytes(const struct rec_writer *writer);
void rec_writer_free(struct rec_writer *writer);

/**
 * struct rec_damage - what could not be read
 * @bytes: of the file, skipped
 * @blocks: that are missing, by their numbers
 * @events: that the readable blocks should have had as well
 */
struct rec_damage {
	uint64_t bytes;
	uint64_t blocks;
	uint64_t events;
};

/*
 * @fd stays the caller's. 0, -ENOMEM, an error of read(2), or
 *	-EBADMSG		not a recording, or damaged at its beginning
 *	-EPROTONOSUPPORT	a version that is not known here
 */
int rec_reader_new(int fd, struct rec_reader **ret);
/* 1 and an event, 0 at the end, or an error of read(2). */
int rec_reader_next(struct rec_reader *reader, struct event *ret);
const struct rec_meta *rec_reader_get_meta(const struct rec_reader *reader);
const struct rec_damage *rec_reader_get_damage(const struct rec_reader *reader);
uint64_t rec_reader_get_bytes(const struct rec_reader *reader);
uint64_t rec_reader_get_blocks(const struct rec_reader *reader);
void rec_reader_free(struct rec_reader *reader);

#endif
