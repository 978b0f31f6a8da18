/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stream of events amounts to. Takes memory for so many pages only. */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tally.h"
#include "timeline.h"

struct event;
struct rec_damage;
struct rec_meta;

#define REPORT_PAGES	(1U << 20)
#define REPORT_RIPS	(1U << 16)
#define REPORT_VCPUS	4096
#define REPORT_GAPS	1000
/* A file may claim any number of pages, and each takes its time. */
#define REPORT_RESYNC_PAGES	(1U << 25)

#define GAP_UNLISTED	UINT32_MAX

/**
 * struct gap - when what was not seen
 * @type: EVENT_GUARD, EVENT_RESYNC or EVENT_REGION_REMOVED
 * @gfn, @nr_pages: where
 * @start_ns: since when
 * @end_ns: until when; as @start_ns for what is over at once
 * @open: it did not end
 * @code, @cause: as in the event
 */
struct gap {
	int type;
	uint64_t gfn;
	uint64_t nr_pages;
	uint64_t start_ns;
	uint64_t end_ns;
	bool open;
	uint32_t code;
	uint32_t cause;
};

enum { LEN_1, LEN_2, LEN_4, LEN_8, LEN_16, LEN_OTHER, NR_LENS };
extern const char *const report_len_names[NR_LENS];

/**
 * struct report - the sums
 * @start_ns: when the stream began, by its header
 * @end_ns: the time of the last event
 * @events: of all types
 * @writes, @bytes: write events, and their data
 * @lens: stores by their lengths, each once
 * @guard: by action, 0 for those not known here
 * @overflows: of the ring
 * @regions_removed, @regions_returned: memory taken from the guest
 * @missing: events that have a number, but are not in the stream
 * @last_seq: the number of the last event
 * @resync_seq: the number of the last overflow
 * @resync_pages: further pages whose time in overflows is counted
 * @vm_gone: the VM ended
 * @ended: the stream says so, and why in @end_code
 * @pages, @rips, @vcpus: writes of each
 * @timeline: writes over time
 * @gaps, @nr_gaps: the first ones; @nr_all_gaps: of how many
 */
struct report {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t events;
	uint64_t writes;
	uint64_t bytes;
	uint64_t lens[NR_LENS];
	uint64_t guard[5];
	uint64_t overflows;
	uint64_t regions_removed;
	uint64_t regions_returned;
	uint64_t missing;
	uint64_t last_seq;
	uint64_t resync_seq;
	uint64_t resync_pages;
	bool vm_gone;
	bool ended;
	uint32_t end_code;
	struct tally pages;
	struct tally rips;
	struct tally vcpus;
	struct timeline timeline;
	struct gap *gaps;
	size_t nr_gaps;
	uint64_t nr_all_gaps;
};

void report_init(struct report *report, uint64_t start_ns);
void report_add(struct report *report, const struct event *event);
/* No more events: what is still unseen is so up to the end. */
void report_finish(struct report *report);
void report_done(struct report *report);

/* Did writes go by that are not in the stream? */
bool report_has_losses(const struct report *report);
uint64_t report_pages_written(const struct report *report);

/* The report as text, and as the members of a document. */
struct ctl;
struct json_object;
void report_print(const struct ctl *ctl, const struct report *report,
		  const struct rec_meta *meta, const struct rec_damage *damage,
		  size_t top);
void report_print_gaps(const struct ctl *ctl, const struct report *report);
void report_to_json(struct json_object *obj, const struct report *report,
		    const struct rec_meta *meta,
		    const struct rec_damage *damage, size_t top);

#endif
