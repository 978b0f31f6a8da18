/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings as they lie in the file: docs/RECORDING.md describes them. */
#ifndef CTL_REC_FORMAT_H
#define CTL_REC_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;

#define REC_MAGIC		"\x89WTREC\r\n"
#define REC_MAGIC_SIZE		8
#define REC_BYTE_ORDER		UINT32_C(0x04030201)
#define REC_MAJOR		1
#define REC_MINOR		1
#define REC_HEADER_SIZE		40
#define REC_META_MAX		(1U << 20)

#define REC_BLOCK_HEADER_SIZE	40
#define REC_BLOCK_RAW_MAX	(256U << 10)
/* More than zstd makes of data that it cannot compress. */
#define REC_BLOCK_PACKED_MAX	(REC_BLOCK_RAW_MAX + (4U << 10))

#define REC_EVENT_SIZE		56
#define REC_EVENT_MAX		4096

/**
 * struct rec_header - the beginning of a file
 * @major: of the format: others than REC_MAJOR cannot be read
 * @minor: of the format: higher ones have more to skip
 * @mark: begins each block of the file; random, so that no guest can write
 *	data that looks like a block
 * @meta_size: bytes of JSON behind the header
 * @meta_crc: of these
 */
struct rec_header {
	uint16_t major;
	uint16_t minor;
	uint64_t mark;
	uint32_t meta_size;
	uint32_t meta_crc;
};

/**
 * struct rec_block - the header of a block
 * @number: of the block in the file, from 0
 * @nr_events: events in it
 * @raw_size: bytes of these
 * @packed_size: bytes of the zstd frame behind the header
 * @packed_crc: of these
 */
struct rec_block {
	uint64_t number;
	uint32_t nr_events;
	uint32_t raw_size;
	uint32_t packed_size;
	uint32_t packed_crc;
};

/* Is it the checksum of these bytes? */
bool rec_crc_is(uint32_t crc, const void *data, size_t size);

void rec_put_header(unsigned char *to, const struct rec_header *header);
/* 0, -EBADMSG for what is no recording, -EPROTONOSUPPORT for what is newer. */
int rec_get_header(const unsigned char *from, struct rec_header *ret);

void rec_put_block(unsigned char *to, uint64_t mark,
		   const struct rec_block *block);
/* False when no block of the file with this mark begins here. */
bool rec_get_block(const unsigned char *from, uint64_t mark,
		   struct rec_block *ret);

/* Returns how many bytes it became, at most REC_EVENT_MAX. */
size_t rec_put_event(unsigned char *to, const struct event *event);
/* Returns how many bytes it was, 0 when what lies there is no event. */
size_t rec_get_event(const unsigned char *from, size_t size,
		     struct event *ret);

#endif
