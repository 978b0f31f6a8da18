// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stores that KVM made without telling anybody, and that nobody has been told
 * of yet.
 *
 * The record CHANGED comes when the vCPU enters the guest again, see probe.c.
 * But a vCPU may leave KVM_RUN before: for a debugger, a signal, or because the
 * VM is paused. Then whoever must not miss the store looks: a fence, a removal,
 * the watch that comes by every now and then, the end of the VM.
 *
 * Once KVM_RUN was left, nothing is changed in what is known of the fault, and
 * the vCPU's thread finds KWT_TELLING on its way back into the guest: so either
 * it tells, or somebody else does, and once.
 */
#include <linux/delay.h>
#include <linux/ktime.h>

#include "compat/fault.h"
#include "guard.h"
#include "kwt.h"
#include "ring.h"
#include "vcpu.h"

/* How long a fence waits for vCPUs that KVM stores for at the moment. */
#define SETTLE_NS	(10 * NSEC_PER_MSEC)
#define SETTLE_STEP_US	50

/* Has no thread this vCPU in an ioctl? All that the last one did is seen. */
static bool vcpu_is_out(const struct kwt_vcpu *state)
{
	return !(atomic_long_read_acquire(&state->vcpu->mutex.owner) & ~7L);
}

/*
 * Tell of the store if it was made and nobody did, and the vCPU is out. Returns
 * false if KVM may be about to make the store, or to tell. Under the VM's lock,
 * as long as the VM is not gone.
 */
static bool tell_if_out(struct kwt_space *space, struct kwt_vcpu *state)
{
	u32 told;

	/*
	 * Pairs with the release in tell_of_store(), probe.c. Not for long:
	 * preemption is disabled there.
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
	 * A full barrier, and another look: from here on it does not get into
	 * the guest. Pairs with claim_store() in probe.c, behind taking the mutex.
	 */
	if (!vcpu_is_out(state)) {
		cmpxchg(&state->told, KWT_TELLING, KWT_UNTOLD);
		return false;
	}
	if (!state->mask && state->page[0] == INVALID_GPA) {
		/* Only the vCPU finds out which page it is, on its way back. */
		cmpxchg(&state->told, KWT_TELLING, KWT_UNTOLD);
	} else if (kwt_fault_went_on(state->vcpu, state->rip)) {
		kwt_guard_unreported(space, state);
		/* Unless KVM came back, and had something to tell. */
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
 * Tell of all stores of vCPUs that are out. Under the VM's lock, as long as the
 * VM is not gone.
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
 * The vCPU has been at one fault all the time, and may have made its store: the
 * caller re-reads the page. The vCPU, or somebody for it, will tell what there
 * is to tell.
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

/* What a vCPU is at, to be compared with what it is at later. */
static bool vcpu_is_at(const struct kwt_vcpu *state, u32 serial)
{
	return READ_ONCE(state->serial) == serial &&
	       READ_ONCE(state->told) != KWT_TOLD && READ_ONCE(state->waiting);
}

/*
 * One vCPU, for as long as it takes, but not longer than until @end: then the
 * session is told that its page may have changed. Under the VM's lock, which is
 * given back in between. -ESRCH: the VM is gone, which was told of all.
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
 * For a fence: afterwards the ring, or the resync set, has something of each
 * page that a vCPU stored to before the call. What is notified is published or
 * about to be, by hooks that have begun. Of what is not, the page is told.
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
		/* May be replaced while the lock is not held. */
		vcpus = rcu_dereference_protected(vm->space.vcpus, 1);
		if (!vcpus || i >= vcpus->nr)
			break;
		r = settle_vcpu(session, vcpus->vcpu[i], end);
	}
	mutex_unlock(&vm->lock);
}
