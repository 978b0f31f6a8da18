// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing recordings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <zstd.h>

#include "crc32c.h"
#include "event.h"
#include "output.h"
#include "rec_format.h"
#include "recording.h"

/* Keeps up with any guest on one processor. */
#define LEVEL	3

struct rec_writer {
	int fd;
	ZSTD_CCtx *zstd;
	uint64_t mark;
	uint64_t number;		/* of the block that is being filled */
	uint64_t bytes;
	uint32_t nr_events;
	uint32_t raw_size;
	unsigned char raw[REC_BLOCK_RAW_MAX];
	/* Header and contents, to be written in one piece. */
	unsigned char packed[REC_BLOCK_HEADER_SIZE + REC_BLOCK_PACKED_MAX];
};

static int write_all(struct rec_writer *writer, const void *data, size_t size)
{
	int r = output_write(writer->fd, data, size);

	if (!r && !output_was_cut())
		writer->bytes += size;
	return r;
}

static int write_header(struct rec_writer *writer, const struct rec_meta *meta)
{
	struct rec_header header = { REC_MAJOR, REC_MINOR, writer->mark, 0, 0 };
	unsigned char bytes[REC_HEADER_SIZE];
	char *json = rec_meta_to_json(meta);
	int r;

	if (!json)
		return -ENOMEM;
	header.meta_size = (uint32_t)strlen(json);
	header.meta_crc = crc32c(0, json, header.meta_size);
	rec_put_header(bytes, &header);
	r = header.meta_size <= REC_META_MAX ? 0 : -E2BIG;
	if (!r)
		r = write_all(writer, bytes, sizeof(bytes));
	if (!r)
		r = write_all(writer, json, header.meta_size);
	free(json);
	return r;
}

int rec_writer_new(int fd, const struct rec_meta *meta,
		   struct rec_writer **ret)
{
	struct rec_writer *writer = malloc(sizeof(*writer));
	int r = 0;

	if (!writer)
		return -ENOMEM;
	memset(writer, 0, offsetof(struct rec_writer, raw));
	writer->fd = fd;
	writer->zstd = ZSTD_createCCtx();
	if (!writer->zstd)
		r = -ENOMEM;
	else if (getrandom(&writer->mark, sizeof(writer->mark), 0) < 0)
		r = -errno;
	else
		r = write_header(writer, meta);
	if (r < 0)
		rec_writer_free(writer);
	else
		*ret = writer;
	return r;
}

int rec_writer_flush(struct rec_writer *writer)
{
	unsigned char *data = writer->packed + REC_BLOCK_HEADER_SIZE;
	struct rec_block block = {
		.number = writer->number,
		.nr_events = writer->nr_events,
		.raw_size = writer->raw_size,
	};
	size_t size;

	if (!writer->nr_events)
		return 0;
	size = ZSTD_compressCCtx(writer->zstd, data, REC_BLOCK_PACKED_MAX,
				 writer->raw, writer->raw_size, LEVEL);
	if (ZSTD_isError(size))
		return -ENOMEM;
	block.packed_size = (uint32_t)size;
	block.packed_crc = crc32c(0, data, size);
	rec_put_block(writer->packed, writer->mark, &block);
	writer->number++;
	writer->nr_events = 0;
	writer->raw_size = 0;
	return write_all(writer, writer->packed, REC_BLOCK_HEADER_SIZE + size);
}

int rec_writer_add(struct rec_writer *writer, const struct event *event)
{
	int r = 0;

	if (writer->raw_size + REC_EVENT_MAX > sizeof(writer->raw))
		r = rec_writer_flush(writer);
	if (r < 0)
		return r;
	writer->raw_size += rec_put_event(writer->raw + writer->raw_size, event);
	writer->nr_events++;
	return 0;
}

uint64_t rec_writer_get_bytes(const struct rec_writer *writer)
{
	return writer->bytes;
}

void rec_writer_free(struct rec_writer *writer)
{
	if (!writer)
		return;
	ZSTD_freeCCtx(writer->zstd);
	free(writer);
}
