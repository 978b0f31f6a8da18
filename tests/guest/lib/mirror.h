/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader's copy of guest memory, kept by the records alone and by what they
 * tell it to read again. When all is drained, the copy is the memory.
 */
#ifndef GUEST_MIRROR_H
#define GUEST_MIRROR_H

#include "wt.h"

enum { MIRROR_ACTIONS = 5, MIRROR_CAUSES = 16 };

/* What the reader knows of a page, beside its bytes. */
enum mirror_page {
	MIRROR_ARMED,
	MIRROR_DISARMED,	/* to be told when stores are seen again */
	MIRROR_STOPPED,		/* not tracked any more */
	MIRROR_ABSENT,		/* with RING_F_STICKY: there is no memory */
	MIRROR_TOUCHED,		/* with RING_F_ONCE: stored to since it was armed */
};

struct mirror {
	struct wt *wt;
	const unsigned char *truth;
	unsigned char *copy;
	unsigned char *page;	/* enum mirror_page of each */
	unsigned char *silent;	/* no record of it may come */
	uint64_t pages;
	bool reread_always;	/* do not believe the data in records */
	bool sticky;		/* of a session with RING_F_STICKY */
	bool once;		/* of a session with RING_F_ONCE */
	uint64_t writes, resyncs, rereads, regions;
	uint64_t guard[MIRROR_ACTIONS][MIRROR_CAUSES];
	bool gone;
	/* Sees each record before it is applied, if set. */
	void (*look)(void *arg, const struct kvm_wtrack_record *r);
	void *look_arg;
};

/* The pages at VM_DATA, which the session tracks already. */
void mirror_init(struct mirror *m, struct wt *wt, const void *truth,
		 uint64_t pages);
void mirror_exit(struct mirror *m);
/* Works through what is there; how many records that were. */
uint64_t mirror_step(struct mirror *m);
/* Records of one action, whatever the cause. */
uint64_t mirror_guard(const struct mirror *m, unsigned int action);
/* Pages whose stores are not seen now, as far as the reader was told. */
uint64_t mirror_disarmed(const struct mirror *m);
/* Waits until there is none; what is tracked by then is armed. */
void mirror_rearmed(struct mirror *m);
/* Arms the pages that were touched again, and reads them; how many. */
uint64_t mirror_arm_touched(struct mirror *m);
/* Where an armed page and its copy differ; pages * PAGE if nowhere. */
uint64_t mirror_differs(const struct mirror *m);
/*
 * With all vCPUs stopped: to the end, and the copy must be the memory. Pages
 * that are not armed are read from there.
 */
void mirror_finish(struct mirror *m);

#endif /* GUEST_MIRROR_H */
