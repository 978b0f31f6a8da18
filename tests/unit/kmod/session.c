// SPDX-License-Identifier: GPL-2.0-or-later
/* A session and its ring, without files and mappings. */
#include <stdlib.h>

#include <linux/kvm_host.h>
#include <linux/string.h>

#include "fake.h"
#include "match.h"
#include "session.h"
#include "shim.h"

#define CACHE_LINE	64

void session_init(struct session *session, struct kwt_space *space,
		  u32 records, bool coalesce)
{
	struct kwt_ring *ring = &session->ring;
	size_t bytes = records * sizeof(*ring->records);

	memset(session, 0, sizeof(*session));
	ring->records = aligned_alloc(CACHE_LINE, bytes);
	shim_require(ring->records);
	memset(ring->records, 0, bytes);
	ring->consumer = &session->consumer;
	ring->mask = records - 1;
	ring->room = records - KWT_RING_SPARE;
	ring->coalesce = coalesce;
	kwt_sync_init(ring);
	session->set.space = space;
	session->set.ring = ring;
	ring->set = &session->set;
	session->set.max_pages = U64_MAX;
	session->set.max_users = UINT16_MAX;
}

void session_exit(struct session *session)
{
	fake_work(session->set.space);
	while (kwt_set_clear_first(&session->set, true))
		;
	shim_require(!session->set.pages && !session->set.bytes);
	/* A hook that runs may still have the ring. */
	rcu_barrier();
	free(session->ring.records);
}

int session_add(struct session *session, u64 gfn)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;
	int r;

	fake_work(set->space);
	span = kwt_span_get(set, kwt_chunk_index(gfn));
	if (!span)
		return -ENOMEM;
	r = kwt_set_add(set, span, gfn);
	kwt_span_put(set, span);
	return r;
}

int session_remove(struct session *session, u64 gfn)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;
	int r;

	fake_work(set->space);
	span = kwt_span_find(set, kwt_chunk_index(gfn));
	if (!span)
		return -ENOENT;
	r = kwt_set_remove(set, span, gfn);
	kwt_span_put(set, span);
	return r;
}

void session_add_all(struct session *session, u64 gfn, u64 nr_pages)
{
	for (; nr_pages; nr_pages--, gfn++)
		shim_require(session_add(session, gfn) == 1);
}

void session_region_went(struct session *session, u64 gfn)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span = kwt_span_find(set, kwt_chunk_index(gfn));

	shim_require(span);
	kwt_set_drop(set, span, kwt_chunk_bit(gfn), true);
	kwt_resync_mark(span, kwt_chunk_bit(gfn), 0);
	kwt_span_put(set, span);
}

void session_release(struct session *session, u64 pos)
{
	(void)__atomic_exchange_n(&session->consumer.pos, pos, __ATOMIC_SEQ_CST);
}

void session_reopen(struct session *session)
{
	session_release(session, kwt_ring_head(&session->ring));
	shim_require(kwt_ring_reopen(&session->ring));
}

u32 session_fetch(struct session *session,
		  struct kvm_wtrack_resync_range *ranges, u32 room)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;
	u32 used = 0, before;
	u64 index = 0;

	session_reopen(session);
	while (used < room && (span = kwt_span_first(set, index))) {
		index = span->chunk->index + 1;
		before = used;
		used = kwt_resync_fetch(set, span, ranges, used, room);
		shim_require(used >= before && used <= room);
	}
	return used;
}

const struct kvm_wtrack_record *session_record(const struct session *session,
					       u64 pos)
{
	const struct kwt_ring *ring = &session->ring;
	const struct kvm_wtrack_record *record =
		&ring->records[pos & ring->mask];

	return smp_load_acquire(&record->seq) == pos + 1 ? record : NULL;
}

/* The pointer's dependency is more than ThreadSanitizer can see. */
static struct kwt_chunk *first_slot(const struct kwt_table *table, u64 index)
{
#ifdef __SANITIZE_THREAD__
	return rcu_dereference_sched(table->slot[kwt_table_hash(table, index)]);
#else
	return kwt_table_first(table, index);
#endif
}

/* What handle_write() in source.c does before it calls others. */
static void on_write(struct kwt_space *space, u64 gpa, const u8 *data, u32 len)
{
	u64 gfn = gpa >> KWT_PAGE_SHIFT;
	u64 index = kwt_chunk_index(gfn), bit = kwt_chunk_bit(gfn);
	struct kwt_table *table;
	struct kwt_chunk *chunk;

	preempt_disable();
	table = rcu_dereference_sched(space->table);
	chunk = first_slot(table, index);
	if (chunk && chunk->index != index)
		kwt_match_probe_preempt_enable(gpa, data, len, space);
	else if (chunk && READ_ONCE(chunk->users[bit]))
		kwt_match_preempt_enable(gpa, data, len, chunk, space);
	else
		preempt_enable();
}

void hook_alone(struct kwt_space *space, u64 gpa, const void *data, u32 len)
{
	on_write(space, gpa, data, len);
	shim_require(!rcu_read_lock_sched_held());
}

/* Of the last fault of this thread's vCPU. */
__thread u64 hook_arming_nr = U64_MAX;

/* The guard's probe was here before. */
void hook(struct kwt_space *space, u64 gpa, const void *data, u32 len,
	  int vcpu_id)
{
	struct kvm_vcpu vcpu = {
		.vcpu_id = vcpu_id,
		.mutex.owner.counter = (long)current | 3,
		.arch.regs[VCPU_REGS_RIP] = HOOK_RIP,
	};
	struct kwt_sync_waits waits = { 0 };
	struct kwt_vcpu state = {
		.vcpu = &vcpu, .arming_nr = hook_arming_nr, .waits = &waits,
	};

	kwt_vcpu_set_here(space, &state);
	hook_alone(space, gpa, data, len);
}
