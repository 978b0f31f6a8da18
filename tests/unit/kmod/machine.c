// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/rcupdate.h>

#include "machine.h"

#define PART		(MACHINE_BYTES / MACHINE_VCPUS)
#define MOST_RANGES	4

void machine_init(struct machine *m, u32 nr_pages, u32 records, bool coalesce)
{
	u32 i;

	shim_require(nr_pages <= MACHINE_PAGES);
	memset(m, 0, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	shim_require(!kwt_space_init(&m->space));
	session_init(&m->session, &m->space, records, coalesce);
	m->nr_pages = nr_pages;
	m->room = 1;
	for (i = 0; i < nr_pages; i++) {
		/* Neighbours, and some that are not. */
		m->gfns[i] = 100 + i % 3 * KWT_CHUNK_PAGES + i / 3 + i / 6;
		session_add_all(&m->session, m->gfns[i], 1);
	}
}

void machine_exit(struct machine *m)
{
	session_exit(&m->session);
	rcu_barrier();
	shim_require(m->space.bytes == test_bytes());
	kwt_space_exit(&m->space);
	pthread_mutex_destroy(&m->lock);
}

void machine_store(struct machine *m, u32 vcpu, u32 page, u32 offset,
		   const u8 *data, u32 len)
{
	u8 *to = &m->memory[page][offset];
	u32 i;

	for (i = 0; i < len; i++)
		__atomic_store_n(&to[i], data[i], __ATOMIC_RELAXED);
	hook(&m->space, (m->gfns[page] << KWT_PAGE_SHIFT) + offset, data, len,
	     vcpu);
}

void machine_vcpu(void *machine, u32 me)
{
	struct machine *m = machine;
	struct test_random *r = &m->random[me];
	u8 data[PART];
	u32 n, i, len;

	for (n = 0; n < m->stores; n++) {
		len = 1 + test_below(r, m->longest);
		for (i = 0; i < len; i++)
			data[i] = test_next(r);
		machine_store(m, me, test_below(r, m->nr_pages),
			      me * PART + test_below(r, 64), data, len);
	}
}

static u32 page_of(struct machine *m, u64 gfn)
{
	u32 i;

	for (i = 0; i < m->nr_pages; i++)
		if (m->gfns[i] == gfn)
			return i;
	shim_broken("gfn 0x%llx is not tracked", gfn);
}

static void read_page(struct machine *m, u32 page)
{
	u32 i;

	for (i = 0; i < MACHINE_BYTES; i++)
		m->copy[page][i] = __atomic_load_n(&m->memory[page][i],
						   __ATOMIC_RELAXED);
}

static void read_range(struct machine *m,
		       const struct kvm_wtrack_resync_range *range)
{
	u64 i;

	shim_require(range->what != KVM_WTRACK_RESYNC_REMOVED);
	shim_require(range->nr_pages && !range->__reserved);
	for (i = 0; i < range->nr_pages; i++)
		read_page(m, page_of(m, range->gfn + i));
	m->ranges++;
}

/*
 * As the ioctl does it: from the first span to the last, and the lock is free
 * in between. False when nothing is left, or when another RESYNC record is on
 * its way.
 */
static bool fetch(struct machine *m)
{
	struct kvm_wtrack_resync_range ranges[MOST_RANGES];
	struct kwt_ring *ring = &m->session.ring;
	struct kwt_set *set = &m->session.set;
	struct kwt_span *span;
	u32 used = 0, i;
	u64 index = 0;
	bool open;

	pthread_mutex_lock(&m->lock);
	open = kwt_ring_reopen(ring);
	while (open && used < m->room && (span = kwt_span_first(set, index))) {
		index = span->chunk->index + 1;
		used = kwt_resync_fetch(set, span, ranges, used, m->room);
		pthread_mutex_unlock(&m->lock);
		pthread_mutex_lock(&m->lock);
		open = !kwt_ring_closed(ring);
	}
	pthread_mutex_unlock(&m->lock);
	for (i = 0; i < used; i++)
		read_range(m, &ranges[i]);
	return used == m->room;
}

/* The RESYNC record was released, and nothing is behind it. */
static void resync(struct machine *m)
{
	u32 i;

	shim_require(kwt_ring_head(&m->session.ring) == m->pos);
	shim_require(kwt_ring_closed(&m->session.ring));
	m->resync_records++;
	/* What is not fetched before the ring is closed again is not known. */
	for (i = 0; i < m->nr_pages; i++)
		m->page[i] = MACHINE_UNKNOWN;
	while (fetch(m))
		;
}

static void apply_guard(struct machine *m, u32 page, u32 action)
{
	enum machine_page was = m->page[page];

	m->guard_records++;
	switch (action) {
	case KVM_WTRACK_GUARD_DISARMED:
		shim_require(was != MACHINE_DISARMED);
		m->page[page] = MACHINE_DISARMED;
		break;
	case KVM_WTRACK_GUARD_REARMED:
		shim_require(was != MACHINE_ARMED);
		m->page[page] = MACHINE_ARMED;
		break;
	default:
		shim_require(action == KVM_WTRACK_GUARD_CHANGED);
		shim_require(was != MACHINE_DISARMED);
	}
}

static void apply(struct machine *m, const struct kvm_wtrack_record *record)
{
	u32 page = page_of(m, record->gpa >> KWT_PAGE_SHIFT);

	if (record->type == KVM_WTRACK_RECORD_GUARD) {
		apply_guard(m, page, record->guard.action);
		return;
	}
	shim_require(record->type == KVM_WTRACK_RECORD_WRITE);
	shim_require(m->page[page] != MACHINE_DISARMED);
	if (!(record->flags & KVM_WTRACK_RECORD_F_MORE))
		m->write_records++;
	if (!(record->flags & KVM_WTRACK_RECORD_F_PAGE))
		memcpy(&m->copy[page][record->gpa % KWT_PAGE_SIZE],
		       record->data, record->len);
}

u32 machine_read(struct machine *m, u32 nr)
{
	const struct kvm_wtrack_record *record;
	bool again[MACHINE_PAGES] = { false };
	bool closed = false;
	u32 n, i;

	for (n = 0; n < nr && !closed; n++, m->pos++) {
		record = session_record(&m->session, m->pos);
		if (!record)
			break;
		closed = record->type == KVM_WTRACK_RECORD_RESYNC;
		if (closed)
			continue;
		apply(m, record);
		if (record->flags & KVM_WTRACK_RECORD_F_PAGE)
			again[page_of(m, record->gpa >> KWT_PAGE_SHIFT)] = true;
	}
	session_release(&m->session, m->pos);
	for (i = 0; i < m->nr_pages; i++)
		if (again[i])
			read_page(m, i);
	if (closed)
		resync(m);
	return n;
}

void machine_check(struct machine *m)
{
	struct kwt_ring *ring = &m->session.ring;
	u32 i;

	shim_require(kwt_ring_head(ring) == m->pos && !kwt_ring_closed(ring));
	for (i = 0; i < m->nr_pages; i++) {
		shim_require(kwt_set_state(&m->session.set, m->gfns[i]) ==
			     KVM_WTRACK_GFN_TRACKED);
		if (memcmp(m->copy[i], m->memory[i], MACHINE_BYTES))
			shim_broken("the copy of page %u is not true", i);
	}
	shim_require((u64)atomic64_read(&ring->overflows) == m->resync_records);
}
