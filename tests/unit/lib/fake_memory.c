// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory, and the ioctls that show it. It is read and written by words
 * without a lock, as vCPUs do.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

#define PAGE_BYTES	4096
#define PAGE_WORDS	(PAGE_BYTES / sizeof(uint64_t))

static uint64_t memory[FAKE_PAGES][PAGE_WORDS];
/* By the machine before as well. */
static bool written[FAKE_PAGES];

void fake_memory_init(void)
{
	uint64_t gfn;

	for (gfn = 0; gfn < FAKE_PAGES; gfn++) {
		if (written[gfn])
			memset(memory[gfn], 0, PAGE_BYTES);
		written[gfn] = false;
	}
}

static uint64_t *word_at(uint64_t gpa)
{
	return &memory[gpa / PAGE_BYTES][gpa % PAGE_BYTES / sizeof(uint64_t)];
}

static void store_byte(uint64_t gpa, unsigned char value)
{
	unsigned char *byte = (unsigned char *)word_at(gpa) + gpa % 8;

	__atomic_store_n(&written[gpa / PAGE_BYTES], true, __ATOMIC_RELAXED);
	__atomic_store_n(byte, value, __ATOMIC_RELAXED);
}

static void store_word(uint64_t gpa, uint64_t value)
{
	__atomic_store_n(&written[gpa / PAGE_BYTES], true, __ATOMIC_RELAXED);
	__atomic_store_n(word_at(gpa), value, __ATOMIC_RELAXED);
}

uint64_t fake_page_read(uint64_t gfn)
{
	return __atomic_load_n(&memory[gfn][0], __ATOMIC_RELAXED);
}

void fake_page_write(uint64_t gfn, uint64_t value)
{
	store_word(gfn * PAGE_BYTES, value);
}

void fake_memory_read(uint64_t gpa, void *data, size_t len)
{
	unsigned char *to = data;
	uint64_t word;
	size_t part;

	for (; len; gpa += part, to += part, len -= part) {
		word = __atomic_load_n(word_at(gpa), __ATOMIC_RELAXED);
		part = sizeof(word) - gpa % 8;
		if (part > len)
			part = len;
		memcpy(to, (unsigned char *)&word + gpa % 8, part);
	}
}

/* Whole words in one piece, as a vCPU stores them. */
void fake_memory_write(uint64_t gpa, const void *data, size_t len)
{
	const unsigned char *from = data;
	uint64_t word;

	while (len) {
		if (gpa % sizeof(word) || len < sizeof(word)) {
			store_byte(gpa++, *from++);
			len--;
			continue;
		}
		memcpy(&word, from, sizeof(word));
		store_word(gpa, word);
		gpa += sizeof(word);
		from += sizeof(word);
		len -= sizeof(word);
	}
}

static int page_error(uint64_t gfn, bool nofault)
{
	if (gfn >= FAKE_PAGES || fake.absent[gfn])
		return ENOENT;
	if (fake.region_flags[gfn] & KVM_WTRACK_REGION_F_PRIVATE)
		return EOPNOTSUPP;
	/* It stands for a page that is not in memory. */
	if (fake.unreadable[gfn] == EAGAIN && !nofault)
		return 0;
	return fake.unreadable[gfn];
}

/* Up to the end of a page, of the call, or to where a signal comes. */
static uint64_t next_part(const struct kvm_wtrack_read *read, uint64_t max)
{
	uint64_t left = PAGE_BYTES - (read->gpa + read->out_done) % PAGE_BYTES;

	if (left > max - read->out_done)
		left = max - read->out_done;
	if (left > fake.bytes_to_signal - read->out_done)
		left = fake.bytes_to_signal - read->out_done;
	return left;
}

long fake_read(struct kvm_wtrack_read *read)
{
	bool nofault = read->flags & KVM_WTRACK_READ_F_NOFAULT;
	unsigned char *to = (void *)(uintptr_t)read->buffer;
	uint64_t max = fake.info.out_max_read_bytes, part, gpa;

	assert_int_equal(read->out_done | read->out_seq | read->out_generation |
			 read->out_error | read->__reserved0, 0);
	if (fake.status.out_state & KVM_WTRACK_STATE_VM_GONE)
		return -ESRCH;
	if (!read->len || read->gpa >> 52 || read->len > (1ULL << 52) - read->gpa)
		return -EINVAL;
	if (max > read->len)
		max = read->len;
	read->out_seq = fake.records ? fake_head() : 0;
	read->out_generation = fake.generation;
	while (read->out_done < max && !read->out_error) {
		gpa = read->gpa + read->out_done;
		part = next_part(read, max);
		if (!part)
			return -EINTR;
		read->out_error = (uint32_t)page_error(gpa / PAGE_BYTES, nofault);
		if (read->out_error)
			break;
		fake_memory_read(gpa, to + read->out_done, part);
		read->out_done += part;
	}
	return 0;
}

/* The first page from gfn on that has a region, or the end. */
static uint64_t next_region(uint64_t gfn)
{
	while (gfn < FAKE_PAGES && fake.absent[gfn])
		gfn++;
	return gfn;
}

long fake_regions(struct kvm_wtrack_regions *regions)
{
	struct kvm_wtrack_region *region =
		(void *)(uintptr_t)regions->regions;
	uint64_t gfn = next_region(regions->gfn);

	if (fake.status.out_state & KVM_WTRACK_STATE_VM_GONE)
		return -ESRCH;
	if (!regions->nr_regions)
		return -EINVAL;
	regions->out_nr_regions = 0;
	regions->out_generation = fake.generation;
	while (gfn < FAKE_PAGES && regions->out_nr_regions < regions->nr_regions) {
		*region = (struct kvm_wtrack_region) {
			.gfn = gfn,
			.flags = fake.region_flags[gfn],
		};
		while (gfn < FAKE_PAGES && !fake.absent[gfn] &&
		       fake.region_flags[gfn] == region->flags)
			gfn++;
		region->nr_pages = gfn - region->gfn;
		region++;
		regions->out_nr_regions++;
		if (regions->out_nr_regions < regions->nr_regions)
			gfn = next_region(gfn);
	}
	regions->out_next_gfn = gfn < FAKE_PAGES ? gfn : ~0ULL;
	return 0;
}
