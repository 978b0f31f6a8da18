// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers and events of recordings, to bytes and back. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "event.h"
#include "rec_format.h"

enum { FLAG_RIP = 1, FLAG_MORE = 2, FLAG_PAGE = 4 };

static void put16(unsigned char *to, uint16_t value)
{
	value = htole16(value);
	memcpy(to, &value, sizeof(value));
}

static void put32(unsigned char *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static void put64(unsigned char *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static uint16_t get16(const unsigned char *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return le16toh(value);
}

static uint32_t get32(const unsigned char *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const unsigned char *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

/* A fuzzer does not find checksums; it is built to do without. */
bool rec_crc_is(uint32_t crc, const void *data, size_t size)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)crc, (void)data, (void)size;
	return true;
#else
	return crc == crc32c(0, data, size);
#endif
}

void rec_put_header(unsigned char *to, const struct rec_header *header)
{
	memset(to, 0, REC_HEADER_SIZE);
	memcpy(to, REC_MAGIC, REC_MAGIC_SIZE);
	put32(to + 8, REC_BYTE_ORDER);
	put16(to + 12, header->major);
	put16(to + 14, header->minor);
	put64(to + 16, header->mark);
	put32(to + 24, header->meta_size);
	put32(to + 28, header->meta_crc);
	put32(to + 36, crc32c(0, to, 36));
}

int rec_get_header(const unsigned char *from, struct rec_header *ret)
{
	if (memcmp(from, REC_MAGIC, REC_MAGIC_SIZE) ||
	    !rec_crc_is(get32(from + 36), from, 36))
		return -EBADMSG;
	if (get32(from + 8) != REC_BYTE_ORDER || get16(from + 12) != REC_MAJOR)
		return -EPROTONOSUPPORT;
	*ret = (struct rec_header) {
		.major = get16(from + 12),
		.minor = get16(from + 14),
		.mark = get64(from + 16),
		.meta_size = get32(from + 24),
		.meta_crc = get32(from + 28),
	};
	return ret->meta_size <= REC_META_MAX ? 0 : -EBADMSG;
}

void rec_put_block(unsigned char *to, uint64_t mark,
		   const struct rec_block *block)
{
	memset(to, 0, REC_BLOCK_HEADER_SIZE);
	put64(to, mark);
	put64(to + 8, block->number);
	put32(to + 16, block->nr_events);
	put32(to + 20, block->raw_size);
	put32(to + 24, block->packed_size);
	put32(to + 28, block->packed_crc);
	put32(to + 36, crc32c(0, to, 36));
}

bool rec_get_block(const unsigned char *from, uint64_t mark,
		   struct rec_block *ret)
{
	if (get64(from) != mark || !rec_crc_is(get32(from + 36), from, 36))
		return false;
	*ret = (struct rec_block) {
		.number = get64(from + 8),
		.nr_events = get32(from + 16),
		.raw_size = get32(from + 20),
		.packed_size = get32(from + 24),
		.packed_crc = get32(from + 28),
	};
	return ret->raw_size <= REC_BLOCK_RAW_MAX &&
	       ret->packed_size <= REC_BLOCK_PACKED_MAX;
}

size_t rec_put_event(unsigned char *to, const struct event *event)
{
	size_t size = REC_EVENT_SIZE + event->len;

	put16(to, (uint16_t)size);
	to[2] = (unsigned char)event->type;
	to[3] = (event->has_rip ? FLAG_RIP : 0) |
		(event->more ? FLAG_MORE : 0) | (event->page ? FLAG_PAGE : 0);
	put32(to + 4, (uint32_t)event->vcpu);
	put64(to + 8, event->seq);
	put64(to + 16, event->time_ns);
	put64(to + 24, event->gpa);
	if (event->type == EVENT_WRITE || event->type == EVENT_GUARD) {
		put64(to + 32, event->rip);
		put32(to + 40, event->total);
		put32(to + 44, event->len);
	} else {
		put64(to + 32, event->nr_pages);
		put64(to + 40, event->type == EVENT_RESYNC ? event->until_ns :
							     event->nr_tracked);
	}
	put32(to + 48, event->code);
	put32(to + 52, event->cause);
	memcpy(to + REC_EVENT_SIZE, event->data, event->len);
	return size;
}

/* A later minor version may have more data than can be kept, or fields behind. */
static bool get_write(const unsigned char *from, size_t size, struct event *ret)
{
	uint32_t len = get32(from + 44);

	ret->rip = get64(from + 32);
	ret->total = get32(from + 40);
	if (len > size - REC_EVENT_SIZE)
		return false;
	ret->len = len < EVENT_DATA_MAX ? len : EVENT_DATA_MAX;
	memcpy(ret->data, from + REC_EVENT_SIZE, ret->len);
	return true;
}

size_t rec_get_event(const unsigned char *from, size_t size, struct event *ret)
{
	int32_t vcpu;

	if (size < REC_EVENT_SIZE || get16(from) < REC_EVENT_SIZE ||
	    get16(from) > REC_EVENT_MAX || get16(from) > size)
		return 0;
	vcpu = (int32_t)get32(from + 4);
	*ret = (struct event) {
		.type = from[2],
		.has_rip = from[3] & FLAG_RIP,
		.more = from[3] & FLAG_MORE,
		.page = from[3] & FLAG_PAGE,
		.vcpu = vcpu < 0 ? -1 : vcpu,
		.seq = get64(from + 8),
		.time_ns = get64(from + 16),
		.gpa = get64(from + 24),
		.code = get32(from + 48),
		.cause = get32(from + 52),
	};
	if (ret->type == EVENT_WRITE || ret->type == EVENT_GUARD)
		return get_write(from, get16(from), ret) ? get16(from) : 0;
	ret->nr_pages = get64(from + 32);
	if (ret->type == EVENT_RESYNC)
		ret->until_ns = get64(from + 40);
	else
		ret->nr_tracked = get64(from + 40);
	return get16(from);
}
