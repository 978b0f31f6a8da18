// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static struct wtrack_range some_ranges[] = { { 0x8000, 4 }, { 0x9000, 1 } };

const struct rec_meta some_meta = {
	.program = "test 1.0",
	.kernel = "6.12",
	.host = "box",
	.vm_name = "a \"name\"\n\x1b[31m\xc3\xa4\xff",
	.vm_pid = 4711,
	.mono_ns = 1000000000,
	.real_ns = UINT64_C(1790000000000000000),
	.budget = 100,
	.period_ms = 50,
	.ranges = some_ranges,
	.nr_ranges = 2,
};

static void make_write(struct event *event, unsigned int n)
{
	unsigned int i;

	event->len = 1 + n % 24;
	event->total = event->len + n % 3;
	event->more = n % 2;
	event->rip = UINT64_C(0xffffffff81000000) + n;
	event->has_rip = n % 7;
	event->vcpu = (int)(n % 5) - 1;
	for (i = 0; i < event->len; i++)
		event->data[i] = (unsigned char)(rand_r(&n));
}

struct event some_event(unsigned int n)
{
	static const int types[] = {
		EVENT_WRITE, EVENT_WRITE, EVENT_GUARD, EVENT_WRITE,
		EVENT_RESYNC, EVENT_REGION_REMOVED, EVENT_REGION_RETURNED,
		EVENT_IDLE, EVENT_WRITE,
	};
	struct event event = {
		.type = types[n % (sizeof(types) / sizeof(types[0]))],
		.seq = n + 1,
		.time_ns = 1000000000 + n * 1000,
		.gpa = 0x8000000 + n % 16384,
		.code = n % 5,
		.cause = n % 11,
		.page = n % 3 == 0,
		.vcpu = -1,
	};

	if (event.type == EVENT_WRITE) {
		make_write(&event, n);
	} else if (event.type != EVENT_GUARD) {
		event.nr_pages = UINT64_MAX - n;
		if (event.type == EVENT_RESYNC)
			event.until_ns = event.time_ns + n;
		else
			event.nr_tracked = n;
	}
	return event;
}

void assert_same_event(const struct event *a, const struct event *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->time_ns, b->time_ns);
	assert_int_equal(a->until_ns, b->until_ns);
	assert_int_equal(a->gpa, b->gpa);
	assert_int_equal(a->nr_pages, b->nr_pages);
	assert_int_equal(a->nr_tracked, b->nr_tracked);
	assert_int_equal(a->rip, b->rip);
	assert_int_equal(a->vcpu, b->vcpu);
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->len, b->len);
	assert_int_equal(a->code, b->code);
	assert_int_equal(a->cause, b->cause);
	assert_int_equal(a->has_rip, b->has_rip);
	assert_int_equal(a->more, b->more);
	assert_int_equal(a->page, b->page);
	assert_memory_equal(a->data, b->data, a->len);
}

int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

int make_file(unsigned int nr_events, unsigned int per_block)
{
	struct rec_writer *writer;
	struct event event;
	unsigned int n;
	int fd = file_of("", 0);

	assert_int_equal(rec_writer_new(fd, &some_meta, &writer), 0);
	for (n = 0; n < nr_events; n++) {
		event = some_event(n);
		assert_int_equal(rec_writer_add(writer, &event), 0);
		if (n % per_block == per_block - 1)
			assert_int_equal(rec_writer_flush(writer), 0);
	}
	assert_int_equal(rec_writer_flush(writer), 0);
	assert_int_equal(rec_writer_get_bytes(writer),
			 lseek(fd, 0, SEEK_CUR));
	rec_writer_free(writer);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

unsigned char *file_bytes(int fd, size_t *ret_size)
{
	unsigned char *bytes;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*ret_size = (size_t)st.st_size;
	bytes = malloc(*ret_size + 1);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *ret_size, 0), *ret_size);
	return bytes;
}

size_t find_block(const unsigned char *bytes, size_t size, unsigned int number)
{
	struct rec_header header;
	size_t at;

	assert_int_equal(rec_get_header(bytes, &header), 0);
	for (at = REC_HEADER_SIZE + header.meta_size; at < size;) {
		struct rec_block block;

		assert_true(rec_get_block(bytes + at, header.mark, &block));
		if (block.number == number)
			return at;
		at += REC_BLOCK_HEADER_SIZE + block.packed_size;
	}
	assert_int_equal(at, size);
	return at;
}

struct rec_reader *read_all(int fd, unsigned int *ret_events)
{
	struct rec_reader *reader;
	struct event event, want;

	assert_int_equal(rec_reader_new(fd, &reader), 0);
	*ret_events = 0;
	while (rec_reader_next(reader, &event) == 1) {
		want = some_event((unsigned int)event.seq - 1);
		assert_same_event(&event, &want);
		++*ret_events;
	}
	return reader;
}
