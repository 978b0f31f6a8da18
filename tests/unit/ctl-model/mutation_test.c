// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recordings with wrong bytes anywhere, checksums made right again or not: the
 * reader ends, says how much it could not read, and hands out nothing but
 * events. The same mutations in each run; sanitizers see the rest.
 */
#include <stdlib.h>
#include <unistd.h>

#include "crc32c.h"
#include "test.h"

#define ROUNDS	4000

static unsigned int seed = 1;

static size_t below(size_t limit)
{
	return limit ? (size_t)rand_r(&seed) % limit : 0;
}

static void mutate(unsigned char *bytes, size_t *size)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	size_t at = below(*size), nr = 1 + below(8);

	switch (below(5)) {
	case 0:
		bytes[at] ^= (unsigned char)(1 << below(8));
		break;
	case 1:
		bytes[at] = values[below(sizeof(values))];
		break;
	case 2:
		while (nr-- && at < *size)
			bytes[at++] = (unsigned char)below(256);
		break;
	case 3:
		*size -= below(*size / 4);
		break;
	default:
		if (at + nr < *size)
			memmove(bytes + at, bytes + at + nr, *size - at - nr);
		break;
	}
}

static void fix_crc(unsigned char *crc_at, const void *data, size_t size)
{
	uint32_t crc = crc32c(0, data, size);

	memcpy(crc_at, &crc, sizeof(crc));
}

/* Makes the checksums right of what still looks like a recording. */
static void fix(unsigned char *bytes, size_t size)
{
	struct rec_header header;
	struct rec_block block;
	size_t at;

	if (size < REC_HEADER_SIZE)
		return;
	fix_crc(bytes + 36, bytes, 36);
	if (rec_get_header(bytes, &header) ||
	    header.meta_size > size - REC_HEADER_SIZE)
		return;
	fix_crc(bytes + 28, bytes + REC_HEADER_SIZE, header.meta_size);
	fix_crc(bytes + 36, bytes, 36);
	at = REC_HEADER_SIZE + header.meta_size;
	while (size - at >= REC_BLOCK_HEADER_SIZE) {
		fix_crc(bytes + at + 36, bytes + at, 36);
		if (!rec_get_block(bytes + at, header.mark, &block) ||
		    block.packed_size > size - at - REC_BLOCK_HEADER_SIZE)
			return;
		fix_crc(bytes + at + 28, bytes + at + REC_BLOCK_HEADER_SIZE,
			block.packed_size);
		fix_crc(bytes + at + 36, bytes + at, 36);
		at += REC_BLOCK_HEADER_SIZE + block.packed_size;
	}
}

/* Returns how many events were handed out. */
static unsigned int survive(const unsigned char *bytes, size_t size)
{
	struct rec_reader *reader;
	struct event event;
	unsigned int nr = 0;
	int fd = file_of(bytes, size), r;

	r = rec_reader_new(fd, &reader);
	if (r < 0) {
		assert_true(r == -EBADMSG || r == -EPROTONOSUPPORT);
		close(fd);
		return 0;
	}
	while ((r = rec_reader_next(reader, &event)) == 1) {
		assert_true(event.len <= EVENT_DATA_MAX);
		assert_true(event.vcpu >= -1);
		nr++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(rec_reader_get_bytes(reader), size);
	assert_true(rec_reader_get_damage(reader)->bytes <= size);
	rec_reader_free(reader);
	close(fd);
	return nr;
}

static void run_rounds(bool fixed)
{
	unsigned char *bytes, *copy;
	unsigned int i, nr, whole = 0, part = 0;
	size_t size, left;
	int fd = make_file(60, 20);

	bytes = file_bytes(fd, &size);
	close(fd);
	copy = malloc(size);
	for (i = 0; i < ROUNDS; i++) {
		memcpy(copy, bytes, size);
		left = size;
		for (nr = 1 + (unsigned int)below(4); nr--;)
			mutate(copy, &left);
		if (fixed)
			fix(copy, left);
		nr = survive(copy, left);
		whole += nr == 60;
		part += nr && nr < 60;
	}
	/* The mutations reach behind the header, and most do damage. */
	assert_true(part > ROUNDS / 20);
	assert_true(whole < ROUNDS * 3 / 4);
	free(copy);
	free(bytes);
}

static void wrong_bytes_are_survived(void **state)
{
	(void)state;
	run_rounds(false);
}

static void wrong_bytes_with_right_checksums_are_survived(void **state)
{
	(void)state;
	run_rounds(true);
}

static void noise_is_survived(void **state)
{
	unsigned char bytes[4096];
	unsigned int i;
	size_t at, size;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		size = below(sizeof(bytes));
		for (at = 0; at < size; at++)
			bytes[at] = (unsigned char)below(256);
		if (size >= REC_MAGIC_SIZE && i % 2)
			memcpy(bytes, REC_MAGIC, REC_MAGIC_SIZE);
		assert_int_equal(survive(bytes, size), 0);
	}
}

/* The events in a block, whose checksum is right, are garbage. */
static void garbage_in_events_is_survived(void **state)
{
	unsigned char bytes[600];
	unsigned int i, nr = 0;
	struct event event;
	size_t at, size;

	(void)state;
	for (i = 0; i < ROUNDS * 5; i++) {
		for (at = 0; at < sizeof(bytes); at++)
			bytes[at] = (unsigned char)below(256);
		bytes[1] = (unsigned char)below(3);
		bytes[2] = (unsigned char)below(20);
		bytes[45] = bytes[46] = bytes[47] = 0;
		size = rec_get_event(bytes, below(sizeof(bytes)), &event);
		nr += size > 0;
		assert_true(!size || (size >= REC_EVENT_SIZE &&
				      event.len <= EVENT_DATA_MAX));
	}
	assert_true(nr > ROUNDS / 10);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(wrong_bytes_are_survived),
		CASE(wrong_bytes_with_right_checksums_are_survived),
		CASE(noise_is_survived),
		CASE(garbage_in_events_is_survived),
	};

	return RUN(cases);
}
