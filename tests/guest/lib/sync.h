/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of a synchronous session. The time that a vCPU waits has a bound,
 * and a host may be slow: a test brings a vCPU to where it waits, does something,
 * and then asks whether the vCPU has waited all the while. If not, nothing was
 * seen, and it tries again.
 */
#ifndef GUEST_SYNC_H
#define GUEST_SYNC_H

#include "wt.h"

/* As long as it may be. */
enum { SYNC_US = 100000 };

struct wt *wt_session_sync(int vm_fd, uint32_t records);

/* RELEASE, with RELEASE_F_LOOK. */
struct kvm_wtrack_release wt_look(int fd);
uint64_t wt_sync_timeouts(int fd);
uint64_t wt_sync_waits(int fd);

/* The next record, whenever it comes, is copied and stepped over. */
void sync_next(struct wt *wt, struct kvm_wtrack_record *rec);
/*
 * The next record that a vCPU waits for is copied, and not released; all before it
 * are.
 */
void sync_take(struct wt *wt, struct kvm_wtrack_record *rec);
/*
 * Would a vCPU that stored at that time have gone on by now? It may have done so
 * before anybody looked how often the reader was late.
 */
bool sync_is_past(uint64_t time_ns);
/* So many vCPUs wait, of whom this record is; false when they have gone on. */
bool sync_wait_held(const struct wt *wt, const struct kvm_wtrack_record *rec,
		    unsigned int vcpus);
/* The next record that is waited for, and so many vCPUs wait; likewise. */
bool sync_try_hold(struct wt *wt, struct kvm_wtrack_record *rec,
		   unsigned int vcpus);
/* The same, over and over, until one does. */
void sync_hold(struct wt *wt, struct kvm_wtrack_record *rec);
/* Has nobody gone on since? */
bool sync_is_held(const struct wt *wt, unsigned int vcpus);
/*
 * For whoever waits: the processors of an emulated host take turns, and one that
 * looks over and over keeps the others from theirs.
 */
void sync_nap(void);
/* What is stored there now, and what a record says of it. */
uint64_t sync_word(const void *at);

#endif /* GUEST_SYNC_H */
