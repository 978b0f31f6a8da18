/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session, and the write hook, as the rest of the module has them: what is
 * in one call of these is one hold of the VM's lock there, or one hook.
 */
#ifndef SESSION_H
#define SESSION_H

#include "track.h"

struct session {
	struct kwt_ring ring;
	struct kwt_set set;
	struct kvm_wtrack_consumer consumer;
};

void session_init(struct session *session, struct kwt_space *space,
		  u32 records, bool coalesce);
void session_exit(struct session *session);

/* Under the VM's lock. What kwt_set_add() and _remove() say, or -ENOMEM. */
int session_add(struct session *session, u64 gfn);
int session_remove(struct session *session, u64 gfn);

/* Track all of these or end the program. */
void session_add_all(struct session *session, u64 gfn, u64 nr_pages);

/* The memory region of a gfn that is tracked went, and there was no room. */
void session_region_went(struct session *session, u64 gfn);

/*
 * What the reader does last with a record: it releases all before @pos, and
 * may then look at the guest's memory.
 */
void session_release(struct session *session, u64 pos);

/* He releases all there is, and has a closed ring opened. */
void session_reopen(struct session *session);

/*
 * One fetch of the resync set, as the ioctl does it after that; returns how
 * many ranges there were.
 */
u32 session_fetch(struct session *session,
		  struct kvm_wtrack_resync_range *ranges, u32 room);

/* The record at @pos, or NULL as long as it is not published. */
const struct kvm_wtrack_record *session_record(const struct session *session,
					       u64 pos);

/* Where the vCPUs are. */
#define HOOK_RIP	0xffffffff81234567ULL

/* Of the last fault of this thread's vCPU; all there are, if not set. */
extern __thread u64 hook_arming_nr;

/* What KVM does after a vCPU's store. */
void hook(struct kwt_space *space, u64 gpa, const void *data, u32 len,
	  int vcpu);

/* The same, on a processor where another vCPU may have faulted last. */
void hook_alone(struct kwt_space *space, u64 gpa, const void *data, u32 len);

#endif
