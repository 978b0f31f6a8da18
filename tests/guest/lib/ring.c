// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader's side of the ring. */
#include "tap.h"
#include "wt.h"

const struct kvm_wtrack_record *wt_peek(const struct wt *wt)
{
	const struct kvm_wtrack_record *r;

	r = &wt->records[wt->next % wt->nr_records];
	/* Pairs with the module's store-release that publishes the record. */
	if (__atomic_load_n(&r->seq, __ATOMIC_ACQUIRE) != wt->next + 1)
		return NULL;
	return r;
}

void wt_release(struct wt *wt)
{
	WT_ARG(release, r);

	/*
	 * Pairs with the module's load-acquire before it reuses the place, with
	 * its barrier before it merges a store into an unread record, and with
	 * that of a vCPU between saying that it waits and looking.
	 */
	(void)__atomic_exchange_n(&wt->consumer->pos, wt->next,
				  __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&wt->consumer->waiters, __ATOMIC_RELAXED))
		CHECK_ERRNO(__wt_release(wt->fd, &r), 0);
}

bool wt_take(struct wt *wt, struct kvm_wtrack_record *rec)
{
	const struct kvm_wtrack_record *r = wt_peek(wt);

	if (!r)
		return false;
	*rec = *r;
	wt->next++;
	wt_release(wt);
	return true;
}

uint64_t wt_drain(struct wt *wt)
{
	struct kvm_wtrack_record rec;
	uint64_t nr = 0;

	while (wt_take(wt, &rec))
		nr++;
	return nr;
}

void wt_resync(int fd, struct wt_resync *set)
{
	WT_ARG(resync, r);
	const unsigned int room = ARRAY_SIZE(set->ranges);
	int err;

	set->nr = 0;
	do {
		CHECK(set->nr < room);
		r.ranges = (uintptr_t)&set->ranges[set->nr];
		r.nr_ranges = room - set->nr;
		err = __wt_resync(fd, &r);
		/* The guest has filled the ring again meanwhile. */
		if (err == EBUSY && r.out_more)
			break;
		CHECK_ERRNO(err, 0);
		CHECK(r.out_nr_ranges <= r.nr_ranges);
		set->nr += r.out_nr_ranges;
	} while (r.out_more);
}

uint64_t wt_resync_pages(const struct wt_resync *set, uint32_t what)
{
	uint64_t pages = 0;
	unsigned int i;

	for (i = 0; i < set->nr; i++)
		if (set->ranges[i].what == what)
			pages += set->ranges[i].nr_pages;
	return pages;
}
