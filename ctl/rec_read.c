// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading recordings, whatever is in them: it takes the memory of one block,
 * skips what is damaged, and goes on at the next block.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "event.h"
#include "rec_format.h"
#include "recording.h"

#define BUFFER_SIZE	(REC_BLOCK_HEADER_SIZE + REC_BLOCK_PACKED_MAX)

struct rec_reader {
	int fd;
	ZSTD_DCtx *zstd;
	uint64_t mark;
	struct rec_meta meta;
	struct rec_damage damage;
	uint64_t bytes;			/* of the file, taken in */
	uint64_t blocks;		/* that were read */
	uint64_t number;		/* that the next block has */
	uint32_t nr_events;		/* of the block, not handed out */
	uint32_t raw_at, raw_size;
	size_t at, end;			/* what is in the buffer */
	unsigned char raw[REC_BLOCK_RAW_MAX];
	unsigned char buffer[BUFFER_SIZE];
};

/* Has @size bytes be in the buffer. Returns 1, 0 when there are fewer. */
static int need(struct rec_reader *reader, size_t size)
{
	ssize_t n;

	if (reader->at + size > sizeof(reader->buffer)) {
		memmove(reader->buffer, reader->buffer + reader->at,
			reader->end - reader->at);
		reader->end -= reader->at;
		reader->at = 0;
	}
	while (reader->end - reader->at < size) {
		n = read(reader->fd, reader->buffer + reader->end,
			 sizeof(reader->buffer) - reader->end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		reader->end += (size_t)n;
		reader->bytes += (size_t)n;
	}
	return 1;
}

static int read_meta(struct rec_reader *reader, uint32_t size, uint32_t crc)
{
	char *json = malloc(size + 1);
	size_t done = 0, part;
	int r = 1;

	if (!json)
		return -ENOMEM;
	while (done < size && r > 0) {
		part = size - done < 4096 ? size - done : 4096;
		r = need(reader, part);
		if (r <= 0)
			break;
		memcpy(json + done, reader->buffer + reader->at, part);
		reader->at += part;
		done += part;
	}
	json[done] = '\0';
	if (r > 0 && rec_crc_is(crc, json, size))
		r = rec_meta_from_json(json, size, &reader->meta);
	else if (r >= 0)
		r = -EBADMSG;
	free(json);
	return r;
}

static int read_header(struct rec_reader *reader)
{
	struct rec_header header;
	int r;

	r = need(reader, REC_HEADER_SIZE);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	r = rec_get_header(reader->buffer, &header);
	if (r < 0)
		return r;
	reader->at += REC_HEADER_SIZE;
	reader->mark = header.mark;
	return read_meta(reader, header.meta_size, header.meta_crc);
}

int rec_reader_new(int fd, struct rec_reader **ret)
{
	struct rec_reader *reader = malloc(sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	memset(reader, 0, offsetof(struct rec_reader, raw));
	reader->fd = fd;
	reader->zstd = ZSTD_createDCtx();
	r = reader->zstd ? read_header(reader) : -ENOMEM;
	if (r < 0)
		rec_reader_free(reader);
	else
		*ret = reader;
	return r;
}

static void skip(struct rec_reader *reader, size_t size)
{
	reader->at += size;
	reader->damage.bytes += size;
}

/*
 * Moves to the next header of a block. What is left at the end of the file is
 * too short for one.
 */
static int find_block(struct rec_reader *reader, struct rec_block *ret)
{
	int r;

	while ((r = need(reader, REC_BLOCK_HEADER_SIZE)) > 0) {
		if (rec_get_block(reader->buffer + reader->at, reader->mark,
				  ret))
			return 1;
		skip(reader, 1);
	}
	if (!r)
		skip(reader, reader->end - reader->at);
	return r;
}

/* The contents of the block, which are in the buffer. */
static bool unpack(struct rec_reader *reader, const struct rec_block *block)
{
	const unsigned char *data = reader->buffer + reader->at +
				    REC_BLOCK_HEADER_SIZE;
	size_t size;

	if (!rec_crc_is(block->packed_crc, data, block->packed_size))
		return false;
	size = ZSTD_decompressDCtx(reader->zstd, reader->raw, block->raw_size,
				   data, block->packed_size);
	if (ZSTD_isError(size) || size != block->raw_size)
		return false;
	reader->raw_at = 0;
	reader->raw_size = block->raw_size;
	reader->nr_events = block->nr_events;
	return true;
}

/* A number that is lower than expected was never written by wtrackctl. */
static void take_block(struct rec_reader *reader, const struct rec_block *block)
{
	if (block->number > reader->number)
		reader->damage.blocks += block->number - reader->number;
	reader->number = block->number + 1;
	reader->blocks++;
	reader->at += REC_BLOCK_HEADER_SIZE + block->packed_size;
}

static int next_block(struct rec_reader *reader)
{
	struct rec_block block;
	int r;

	while ((r = find_block(reader, &block)) > 0) {
		r = need(reader, REC_BLOCK_HEADER_SIZE + block.packed_size);
		if (r < 0)
			return r;
		if (!r) {
			skip(reader, reader->end - reader->at);
			return 0;
		}
		if (unpack(reader, &block)) {
			take_block(reader, &block);
			return 1;
		}
		/* Its header is right: so is the length. */
		skip(reader, REC_BLOCK_HEADER_SIZE + block.packed_size);
	}
	return r;
}

int rec_reader_next(struct rec_reader *reader, struct event *ret)
{
	size_t size;
	int r;

	for (;;) {
		if (reader->nr_events) {
			size = rec_get_event(reader->raw + reader->raw_at,
					     reader->raw_size - reader->raw_at,
					     ret);
			reader->raw_at += (uint32_t)size;
			if (size) {
				reader->nr_events--;
				return 1;
			}
			reader->damage.events += reader->nr_events;
			reader->nr_events = 0;
		}
		r = next_block(reader);
		if (r <= 0)
			return r;
	}
}

const struct rec_meta *rec_reader_get_meta(const struct rec_reader *reader)
{
	return &reader->meta;
}

const struct rec_damage *rec_reader_get_damage(const struct rec_reader *reader)
{
	return &reader->damage;
}

uint64_t rec_reader_get_bytes(const struct rec_reader *reader)
{
	return reader->bytes;
}

uint64_t rec_reader_get_blocks(const struct rec_reader *reader)
{
	return reader->blocks;
}

void rec_reader_free(struct rec_reader *reader)
{
	if (!reader)
		return;
	rec_meta_done(&reader->meta);
	ZSTD_freeDCtx(reader->zstd);
	free(reader);
}
