// SPDX-License-Identifier: GPL-2.0-only
/*
 * An administrator ends a session that any process holds: the module tracks nothing
 * for it any more, and it does not keep the VM. Its reader may still read what is in
 * the ring.
 */
#include <linux/rcupdate.h>

#include "kwt.h"

/*
 * The session, with a reference, if it is on this VM. One that still waits has got
 * its number since we looked among those. Under the VM's lock.
 */
static struct kwt_session *find_session(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;

	list_for_each_entry(session, &vm->sessions, in_vm)
		if (session->id == id && !kwt_session_waits(session)) {
			refcount_inc(&session->refs);
			return session;
		}
	return NULL;
}

/* From here on nothing is added, and no ring made. Under the VM's lock. */
static int begin(struct kwt_session *session)
{
	if (session->ended)
		return -ESHUTDOWN;
	WRITE_ONCE(session->ended, true);
	/* Whoever unregisters from KVM later waits for them. */
	kwt_sync_close(&session->ring);
	return 0;
}

/*
 * The last thing that the reader is told. The VM is not given up before nothing is
 * armed for this session any more.
 */
static void finish(struct kwt_vm *vm, struct kwt_session *session)
{
	struct kwt_ring *ring = &session->ring;

	/* Hooks that found a gfn tracked are done, and so are their records. */
	synchronize_rcu();
	mutex_lock(&vm->lock);
	vm->nr_sessions--;
	if (ring->native)
		WRITE_ONCE(vm->space.natives, vm->space.natives - 1);
	if (ring->synchronous)
		vm->nr_syncs--;
	/* Nothing follows the end of the VM, if that came first. */
	if (kwt_ring_made(session) && !ring->gone)
		kwt_ring_end(ring, ktime_get_ns());
	else
		WRITE_ONCE(ring->ended, true);
	mutex_unlock(&vm->lock);
	wake_up_interruptible_poll(&session->waitq, EPOLLHUP);
}

static int end_on_vm(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;
	int r = -ENOENT;

	mutex_lock(&vm->lock);
	session = find_session(vm, id);
	if (session)
		r = begin(session);
	mutex_unlock(&vm->lock);
	if (!session)
		return r;
	if (!r) {
		/* Of a store to a page that is removed nobody is told later. */
		kwt_pending_look(vm);
		kwt_range_untrack(session);
		finish(vm, session);
		kwt_notice_session(session, KVM_WTRACK_EVENT_ENDED);
		kwt_vm_look(vm);
	}
	kwt_session_put(session);
	return r;
}

/* When it returns, no page is tracked for the session any more. */
int kwt_session_end(u64 id)
{
	struct kwt_vm *vm;
	u64 vm_id = 0;
	int r;

	/* First: one that is not there any more is on its VM. */
	r = kwt_session_end_waiting(id);
	while (r == -ENOENT && (vm = kwt_vm_next(vm_id))) {
		vm_id = vm->id;
		r = end_on_vm(vm, id);
		kwt_vm_put(vm);
	}
	return r;
}
