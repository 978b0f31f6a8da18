/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files under test call and what is elsewhere in the module: KVM's
 * protection of pages, waking readers, the notice of an overflow.
 *
 * This KVM ends the program when a gfn is armed twice, or disarmed without
 * being armed: a real one would count wrongly ever after, or warn.
 */
#ifndef FAKE_H
#define FAKE_H

#include "track.h"

/*
 * The guest's memory: half of it begins at gfn 0, the other half ends with the
 * last gfn that there can be.
 */
#define FAKE_PAGES	(1ULL << 22)
#define FAKE_LOW_END	(FAKE_PAGES / 2)
#define FAKE_HIGH_END	(1ULL << (KWT_GPA_BITS - KWT_PAGE_SHIFT))

struct fake {
	/* Asked before a gfn is armed, if it is set: 0 or an error. */
	int (*refuse)(u64 gfn);
	u64 arms;
	u64 disarms;
	u64 trips;
	u64 rearms;
	struct kvm_wtrack_record last_trip;
	atomic64_t wakes;
	atomic64_t urgent_wakes;
	atomic64_t notices;
	u64 references;		/* of vCPUs that wait */
};

extern struct fake fake;

void fake_reset(void);
bool fake_armed(u64 gfn);
u64 fake_armed_pages(void);

/*
 * What the guard's worker does at last, under the VM's lock: it gives back the
 * chunks that were kept for it. Before each change of a session here.
 */
void fake_work(struct kwt_space *space);

/* The guard disarms a gfn that is tracked, and tells the sessions. */
void fake_trip(struct kwt_space *space, u64 gfn);

#endif
