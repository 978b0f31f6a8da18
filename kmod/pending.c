// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores that KVM made without a notification, and of which there is no record
 * yet.
 *
 * The probe publishes the record CHANGED when the vCPU enters the guest again,
 * see probe.c. But a vCPU may leave KVM_RUN before: for a debugger, a signal,
 * or because the VM is paused. Then another thread publishes the record in its
 * place: FENCE, REMOVE, the periodic watch, and the end of the VM look for such
 * stores.
 *
 * After a vCPU has left KVM_RUN, what is known of its fault does not change,
 * and its thread finds KWT_TELLING on its way back into the guest. So exactly
 * one thread publishes the record.
 */
#include <linux/delay.h>
#include <linux/ktime.h>

#include "compat/fault.h"
#include "guard.h"
#include "kwt.h"
#include "ring.h"
#include "vcpu.h"

/* How long a fence waits for vCPUs for which KVM is emulating a store. */
#define SETTLE_NS	(10 * NSEC_PER_MSEC)
#define SETTLE_STEP_US	50

/*
 * Is no thread in an ioctl of this vCPU? If so, the caller sees all that the
 * last one did.
 */
static bool vcpu_is_out(const struct kwt_vcpu *state)
{
	return !(atomic_long_read_acquire(&state->vcpu->mutex.owner) & ~7L);
}

/*
 * Publish the store if it was made and has no record, and the vCPU is out of
 * KVM_RUN. Returns false if KVM may be about to make the store, or its
 * notification. The VM is not gone, and the caller holds its lock.
 */
static bool tell_if_out(struct kwt_space *space, struct kwt_vcpu *state)
{
	u32 told;

	/*
	 * Pairs with the release in tell_of_store(), probe.c. This does not
	 * spin for long, because preemption is disabled there.
	 */
	while ((told = smp_load_acquire(&state->told)) == KWT_TELLING)
		cpu_relax();
	/* Pairs with the releases in kwt_vcpu_fault() and on_entry(). */
	if (told == KWT_TOLD || !smp_load_acquire(&state->waiting))
		return true;
	if (!vcpu_is_out(state))
		return false;
	if (cmpxchg(&state->told, KWT_UNTOLD, KWT_TELLING) != KWT_UNTOLD)
		return false;
	/*
	 * The cmpxchg is a full barrier before the second look: from here on
	 * the vCPU does not enter the guest. Pairs with claim_store() in
	 * probe.c, which follows taking the mutex.
	 */
	if (!vcpu_is_out(state)) {
		cmpxchg(&state->told, KWT_TELLING, KWT_UNTOLD);
		return false;
	}
	if (!state->mask && state->page[0] == INVALID_GPA) {
		/*
		 * Only the vCPU's thread can find out which page it is, on its
		 * way back.
		 */
		cmpxchg(&state->told, KWT_TELLING, KWT_UNTOLD);
	} else if (kwt_fault_went_on(state->vcpu, state->rip)) {
		kwt_guard_unreported(space, state);
		/* It stays KWT_TOLD if KVM came back meanwhile and notified. */
		cmpxchg(&state->told, KWT_TELLING, KWT_TOLD);
	} else {
		cmpxchg(&state->told, KWT_TELLING, KWT_UNTOLD);
	}
	return true;
}

static bool tell_of_vcpu(struct kwt_space *space, struct kwt_vcpu *state)
{
	bool done;

	if (!READ_ONCE(state->vcpu))
		return true;
	preempt_disable();
	done = tell_if_out(space, state);
	preempt_enable();
	return done;
}

/*
 * Publish the pending stores of all vCPUs that are out of KVM_RUN. The VM is
 * not gone, and the caller holds its lock.
 */
void kwt_pending_tell(struct kwt_space *space)
{
	const struct kwt_vcpus *vcpus =
		rcu_dereference_protected(space->vcpus, 1);
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr; i++)
		tell_of_vcpu(space, vcpus->vcpu[i]);
}

void kwt_pending_look(struct kwt_vm *vm)
{
	mutex_lock(&vm->lock);
	if (!vm->gone)
		kwt_pending_tell(&vm->space);
	mutex_unlock(&vm->lock);
}

/*
 * The vCPU has been at one fault all the time, and may have made its store:
 * publish a record CHANGED to the caller's session, whose reader reads the
 * page. The record of the store itself follows later.
 */
static void tell_caller(struct kwt_session *session,
			const struct kwt_vcpu *state)
{
	u64 gpa[KWT_STORE_PAGES];
	struct kwt_span *span;
	u32 i, nr;

	nr = kwt_vcpu_pages(state, gpa);
	for (i = 0; i < nr; i++) {
		span = kwt_span_find(&session->set,
				     kwt_chunk_index(gpa[i] >> KWT_PAGE_SHIFT));
		if (span)
			kwt_guard_maybe_changed(span, state, gpa[i]);
	}
}

/*
 * Is the vCPU still at the fault with this number, without a record of its
 * store?
 */
static bool vcpu_is_at(const struct kwt_vcpu *state, u32 serial)
{
	return READ_ONCE(state->serial) == serial &&
	       READ_ONCE(state->told) != KWT_TOLD && READ_ONCE(state->waiting);
}

/*
 * Wait for one vCPU, but not longer than until @end: then the session gets a
 * record that its page may have changed. Returns -ESRCH when the VM is gone,
 * whose end has published all pending stores. The caller holds the VM's lock,
 * which is released in between.
 */
static int settle_vcpu(struct kwt_session *session, struct kwt_vcpu *state,
		       u64 end)
{
	struct kwt_vm *vm = session->vm;
	u32 serial = READ_ONCE(state->serial);

	while (!tell_of_vcpu(&vm->space, state) && vcpu_is_at(state, serial)) {
		if (ktime_get_ns() >= end) {
			tell_caller(session, state);
			break;
		}
		mutex_unlock(&vm->lock);
		usleep_range(SETTLE_STEP_US, 2 * SETTLE_STEP_US);
		mutex_lock(&vm->lock);
		if (vm->gone)
			return -ESRCH;
	}
	return 0;
}

/*
 * For a fence: afterwards the ring or the resync set names each page that a
 * vCPU stored to before the call. Hooks that have begun publish stores that KVM
 * notifies of. Stores without a notification have records of their pages.
 */
void kwt_pending_settle(struct kwt_session *session)
{
	u64 end = ktime_get_ns() + SETTLE_NS;
	struct kwt_vm *vm = session->vm;
	const struct kwt_vcpus *vcpus;
	int r = 0;
	u32 i;

	mutex_lock(&vm->lock);
	for (i = 0; !r && !vm->gone; i++) {
		/* The table may be replaced while the lock is not held. */
		vcpus = rcu_dereference_protected(vm->space.vcpus, 1);
		if (!vcpus || i >= vcpus->nr)
			break;
		r = settle_vcpu(session, vcpus->vcpu[i], end);
	}
	mutex_unlock(&vm->lock);
}
