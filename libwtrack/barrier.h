/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that the reader of a ring shares with the module. */
#ifndef WTRACK_BARRIER_H
#define WTRACK_BARRIER_H

#include <stdint.h>

#include <linux/kvm_wtrack.h>

/*
 * Pairs with the module's store-release of record->seq, which is its last store
 * to a record: a reader that sees the number sees the whole record.
 */
static inline uint64_t record_load_seq(const struct kvm_wtrack_record *record)
{
	return __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);
}

/* Pairs with the exchange below, in the process that read before. */
static inline uint64_t consumer_load_pos(const struct kvm_wtrack_consumer *c)
{
	return __atomic_load_n(&c->pos, __ATOMIC_ACQUIRE);
}

/*
 * An exchange and not a store, as the uapi header asks for: it is a full
 * barrier. What was read from the records was read before it; that pairs with
 * the module's load-acquire of consumer->pos before it uses a place again.
 *
 * Guest memory that is read afterwards is read after it. That pairs with the
 * barrier in the module between a guest's store and the check whether the
 * page's record is still unread: either the module sees the new position and
 * records the store, or the reader sees the store in guest memory.
 */
static inline void consumer_store_pos(struct kvm_wtrack_consumer *c,
				      uint64_t pos)
{
	(void)__atomic_exchange_n(&c->pos, pos, __ATOMIC_SEQ_CST);
}

/*
 * Called after the exchange above, which is the barrier between the position
 * and this load. It pairs with the barrier of a vCPU that notes that it waits,
 * and then reads the position: either the vCPU continues by itself, or the
 * reader sees that it waits.
 */
static inline uint32_t consumer_load_waiters(const struct kvm_wtrack_consumer *c)
{
	return __atomic_load_n(&c->waiters, __ATOMIC_RELAXED);
}

#endif
