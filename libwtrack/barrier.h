/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that the reader of a ring shares with the module. */
#ifndef WTRACK_BARRIER_H
#define WTRACK_BARRIER_H

#include <stdint.h>

#include <linux/kvm_wtrack.h>

/*
 * Pairs with the module's store-release of record->seq, which is its last
 * store to a record: whoever sees the number sees the record.
 */
static inline uint64_t record_load_seq(const struct kvm_wtrack_record *record)
{
	return __atomic_load_n(&record->seq, __ATOMIC_ACQUIRE);
}

/* Pairs with the exchange below, of the reader before. */
static inline uint64_t consumer_load_pos(const struct kvm_wtrack_consumer *c)
{
	return __atomic_load_n(&c->pos, __ATOMIC_ACQUIRE);
}

/*
 * An exchange and not a store, as the uapi header asks for: it is a full
 * barrier. What was read from the records was read before it; that pairs with
 * the module's load-acquire of consumer->pos before it uses a place again.
 *
 * What is read from guest memory behind it is read after it. That pairs with the
 * barrier in the module between a guest's store and the look whether the page's
 * record is still unread: either the module sees the new position and records
 * the store, or the reader's look at guest memory sees the store.
 */
static inline void consumer_store_pos(struct kvm_wtrack_consumer *c,
				      uint64_t pos)
{
	(void)__atomic_exchange_n(&c->pos, pos, __ATOMIC_SEQ_CST);
}

/*
 * Behind the exchange above, which is the barrier between the position and this.
 * It pairs with that of a vCPU which says that it waits, and then looks at the
 * position: either it goes on by itself, or we see that it waits.
 */
static inline uint32_t consumer_load_waiters(const struct kvm_wtrack_consumer *c)
{
	return __atomic_load_n(&c->waiters, __ATOMIC_RELAXED);
}

#endif
