/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two words that the reader of a ring shares with the module. */
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

/* Pairs with the store-release below, of the reader before. */
static inline uint64_t consumer_load_pos(const struct kvm_wtrack_consumer *c)
{
	return __atomic_load_n(&c->pos, __ATOMIC_ACQUIRE);
}

/*
 * The release pairs with the module's load-acquire of consumer->pos before it
 * uses a place again: all that was read from the records was read before.
 *
 * The full fence pairs with the one in the module between a guest's store and
 * its look whether the page's record is still unread. Either the module sees
 * the new position and records the store, or the reads of guest memory that
 * follow here see the store.
 */
static inline void consumer_store_pos(struct kvm_wtrack_consumer *c,
				      uint64_t pos)
{
	__atomic_store_n(&c->pos, pos, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
