// SPDX-License-Identifier: GPL-2.0-or-later
/* Recordings come back as they were written, or as much of them as is left. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crc32c.h"
#include "test.h"

static void checksum_is_the_standard_one(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void events_of_all_types_come_back(void **state)
{
	struct rec_reader *reader;
	unsigned int nr;
	int fd = make_file(20000, 1000000);

	(void)state;
	reader = read_all(fd, &nr);
	assert_int_equal(nr, 20000);
	assert_int_equal(rec_reader_get_damage(reader)->bytes, 0);
	assert_int_equal(rec_reader_get_damage(reader)->blocks, 0);
	assert_int_equal(rec_reader_get_damage(reader)->events, 0);
	/* More than one block, although none was asked for. */
	assert_true(rec_reader_get_blocks(reader) > 1);
	assert_int_equal(rec_reader_get_bytes(reader), lseek(fd, 0, SEEK_END));
	rec_reader_free(reader);
	close(fd);
}

static void meta_comes_back(void **state)
{
	const struct rec_meta *meta;
	struct rec_reader *reader;
	unsigned int nr;
	int fd = make_file(0, 1);

	(void)state;
	reader = read_all(fd, &nr);
	meta = rec_reader_get_meta(reader);
	assert_int_equal(nr, 0);
	assert_string_equal(meta->program, some_meta.program);
	assert_string_equal(meta->kernel, some_meta.kernel);
	assert_string_equal(meta->host, some_meta.host);
	assert_string_equal(meta->vm_name, some_meta.vm_name);
	assert_int_equal(meta->vm_pid, 4711);
	assert_int_equal(meta->mono_ns, some_meta.mono_ns);
	assert_int_equal(meta->real_ns, some_meta.real_ns);
	assert_int_equal(meta->budget, 100);
	assert_int_equal(meta->period_ms, 50);
	assert_int_equal(meta->nr_ranges, 2);
	assert_memory_equal(meta->ranges, some_meta.ranges,
			    2 * sizeof(meta->ranges[0]));
	rec_reader_free(reader);
	close(fd);
}

/* All whole blocks of a file that was cut off anywhere can be read. */
static void a_cut_off_file_is_read_up_to_its_last_block(void **state)
{
	size_t size, start, second, cut;
	struct rec_reader *reader;
	unsigned char *bytes;
	unsigned int nr;
	int fd = make_file(20, 10);

	(void)state;
	bytes = file_bytes(fd, &size);
	close(fd);
	start = find_block(bytes, size, 0);
	second = find_block(bytes, size, 1);
	for (cut = start; cut <= size; cut++) {
		fd = file_of(bytes, cut);
		reader = read_all(fd, &nr);
		assert_int_equal(nr, cut == size ? 20 : cut >= second ? 10 : 0);
		assert_int_equal(rec_reader_get_damage(reader)->bytes,
				 cut == size ? 0 : cut >= second ?
				 cut - second : cut - start);
		rec_reader_free(reader);
		close(fd);
	}
	for (cut = 0; cut < start; cut++) {
		fd = file_of(bytes, cut);
		assert_int_equal(rec_reader_new(fd, &reader), -EBADMSG);
		close(fd);
	}
	free(bytes);
}

/* Whichever byte of the second of three blocks is wrong. */
static void one_damaged_block_costs_itself_alone(void **state)
{
	size_t size, begin, end, at;
	struct rec_reader *reader;
	unsigned char *bytes;
	unsigned int nr;
	int fd = make_file(30, 10);

	(void)state;
	bytes = file_bytes(fd, &size);
	close(fd);
	begin = find_block(bytes, size, 1);
	end = find_block(bytes, size, 2);
	for (at = begin; at < end; at++) {
		bytes[at] ^= 0x10;
		fd = file_of(bytes, size);
		reader = read_all(fd, &nr);
		assert_int_equal(nr, 20);
		assert_int_equal(rec_reader_get_damage(reader)->blocks, 1);
		assert_int_equal(rec_reader_get_damage(reader)->bytes,
				 end - begin);
		rec_reader_free(reader);
		close(fd);
		bytes[at] ^= 0x10;
	}
	free(bytes);
}

/* Stored data that looks like a block of another file is no block here. */
static void blocks_of_another_file_are_not_taken(void **state)
{
	unsigned char *one, *other, *both;
	size_t size, other_size, at;
	struct rec_reader *reader;
	unsigned int nr;
	int fd = make_file(5, 10);

	(void)state;
	one = file_bytes(fd, &size);
	close(fd);
	fd = make_file(30, 10);
	other = file_bytes(fd, &other_size);
	close(fd);
	at = find_block(other, other_size, 1);
	both = malloc(size + other_size - at);
	memcpy(both, one, size);
	memcpy(both + size, other + at, other_size - at);
	fd = file_of(both, size + other_size - at);
	reader = read_all(fd, &nr);
	assert_int_equal(nr, 5);
	assert_int_equal(rec_reader_get_damage(reader)->bytes, other_size - at);
	rec_reader_free(reader);
	close(fd);
	free(one);
	free(other);
	free(both);
}

static void refuse(const unsigned char *bytes, size_t size, int err)
{
	struct rec_reader *reader = NULL;
	int fd = file_of(bytes, size);

	assert_int_equal(rec_reader_new(fd, &reader), err);
	assert_null(reader);
	close(fd);
}

static void what_is_no_recording_is_refused(void **state)
{
	unsigned char *bytes;
	size_t size;
	int fd = make_file(1, 1);

	(void)state;
	bytes = file_bytes(fd, &size);
	close(fd);
	refuse(bytes, 0, -EBADMSG);
	refuse((const unsigned char *)"#!/bin/sh\n", 10, -EBADMSG);
	bytes[REC_HEADER_SIZE + 3] ^= 1;	/* the JSON */
	refuse(bytes, size, -EBADMSG);
	bytes[REC_HEADER_SIZE + 3] ^= 1;
	bytes[20] ^= 1;				/* the mark */
	refuse(bytes, size, -EBADMSG);
	free(bytes);
}

/* Gives the header its checksum back. */
static void fix_header(unsigned char *bytes)
{
	uint32_t crc = crc32c(0, bytes, 36);

	memcpy(bytes + 36, &crc, sizeof(crc));
}

static void newer_versions_are_told_from_garbage(void **state)
{
	unsigned char *bytes;
	size_t size;
	int fd = make_file(1, 1);

	(void)state;
	bytes = file_bytes(fd, &size);
	close(fd);
	bytes[12] = 2;
	fix_header(bytes);
	refuse(bytes, size, -EPROTONOSUPPORT);
	bytes[12] = 1;
	bytes[14] = 1;
	fix_header(bytes);
	fd = file_of(bytes, size);
	rec_reader_free(read_all(fd, &(unsigned int) { 0 }));
	close(fd);
	bytes[8] = 4;				/* big endian */
	bytes[9] = 3;
	bytes[10] = 2;
	bytes[11] = 1;
	fix_header(bytes);
	refuse(bytes, size, -EPROTONOSUPPORT);
	free(bytes);
}

/* Of a later minor version: longer, and with more data than is kept. */
static void longer_events_are_read(void **state)
{
	unsigned char bytes[REC_EVENT_SIZE + 200] = { 0 };
	struct event event = some_event(0), back;

	(void)state;
	event.len = EVENT_DATA_MAX;
	memset(event.data, 7, sizeof(event.data));
	rec_put_event(bytes, &event);
	bytes[0] = REC_EVENT_SIZE + 200 - 256;
	bytes[1] = 1;
	bytes[44] = 100;
	assert_int_equal(rec_get_event(bytes, sizeof(bytes), &back),
			 sizeof(bytes));
	assert_int_equal(back.len, EVENT_DATA_MAX);
	assert_int_equal(rec_get_event(bytes, sizeof(bytes) - 1, &back), 0);
	bytes[44] = 201;
	assert_int_equal(rec_get_event(bytes, sizeof(bytes), &back), 0);
	bytes[0] = REC_EVENT_SIZE - 1;
	bytes[1] = 0;
	assert_int_equal(rec_get_event(bytes, sizeof(bytes), &back), 0);
}

/* The file system has no more room. */
static void a_failed_write_is_reported(void **state)
{
	struct rlimit old, limit;
	struct rec_writer *writer;
	struct event event = some_event(0);
	int fd = file_of("", 0), r = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(rec_writer_new(fd, &some_meta, &writer), 0);
	limit = (struct rlimit) { rec_writer_get_bytes(writer) + 50,
				  old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(rec_writer_add(writer, &event), 0);
	r = rec_writer_flush(writer);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	rec_writer_free(writer);
	close(fd);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(rec_writer_new(fd, &some_meta, &writer), -ENOSPC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(checksum_is_the_standard_one),
		CASE(events_of_all_types_come_back),
		CASE(meta_comes_back),
		CASE(a_cut_off_file_is_read_up_to_its_last_block),
		CASE(one_damaged_block_costs_itself_alone),
		CASE(blocks_of_another_file_are_not_taken),
		CASE(what_is_no_recording_is_refused),
		CASE(newer_versions_are_told_from_garbage),
		CASE(longer_events_are_read),
		CASE(a_failed_write_is_reported),
	};

	return RUN(cases);
}
