// SPDX-License-Identifier: GPL-2.0-only
/* A memslot is deleted: what was tracked in it is not any more. */

#include "kwt.h"

/* The tracked gfns of [gfn, end) in @span whose memslot is gone. */
static u32 next_removed(const struct kwt_vm *vm, const struct kwt_span *span,
			u64 gfn, u64 end, u32 bit)
{
	for_each_set_bit_from(bit, span->tracked, KWT_CHUNK_PAGES) {
		u64 at = kwt_span_gfn(span, bit);

		if (at >= gfn && at < end && kwt_removal_is_over(vm->kvm, at))
			return bit;
	}
	return KWT_CHUNK_PAGES;
}

static u64 count_removed(struct kwt_vm *vm, struct kwt_session *session,
			 u64 gfn, u64 end)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	u64 n = 0;
	u32 bit;

	while (span && kwt_span_gfn(span, 0) < end) {
		bit = next_removed(vm, span, gfn, end, 0);
		for (; bit < KWT_CHUNK_PAGES;
		     bit = next_removed(vm, span, gfn, end, bit + 1))
			n++;
		span = kwt_span_first(&session->set, span->chunk->index + 1);
		cond_resched();
	}
	return n;
}

/* With @told false, the reader hears of it from the resync set. */
static void drop_removed(struct kwt_vm *vm, struct kwt_session *session,
			 u64 gfn, u64 end, bool told)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	u64 index, now = ktime_get_ns();
	u32 bit;

	while (span && kwt_span_gfn(span, 0) < end) {
		bit = next_removed(vm, span, gfn, end, 0);
		for (; bit < KWT_CHUNK_PAGES;
		     bit = next_removed(vm, span, gfn, end, bit + 1)) {
			kwt_set_drop(&session->set, span, bit, true);
			if (told)
				clear_bit(bit, span->resync);
			else
				kwt_resync_mark(span, bit, now);
		}
		index = span->chunk->index + 1;
		kwt_span_put(&session->set, span);
		span = kwt_span_first(&session->set, index);
		cond_resched();
	}
}

/*
 * KVM's removal hook. No vCPU writes to these pages any more: KVM has waited
 * for those that could still see the memslot.
 */
void kwt_range_removed(struct kwt_vm *vm, u64 gfn, u64 nr_pages)
{
	struct kwt_session *session;
	u64 n, end = gfn + nr_pages;
	bool told;

	mutex_lock(&vm->lock);
	list_for_each_entry(session, &vm->sessions, in_vm) {
		n = count_removed(vm, session, gfn, end);
		if (!n)
			continue;
		told = kwt_ring_region(&session->ring, gfn, nr_pages, n,
				       ktime_get_ns());
		atomic64_inc(&session->ring.regions);
		drop_removed(vm, session, gfn, end, told);
		kwt_notice_region(session, gfn, nr_pages, n);
	}
	mutex_unlock(&vm->lock);
}
