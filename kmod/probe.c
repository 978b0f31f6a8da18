// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 0 of 5: a vCPU has faulted, or is about to enter the guest again. KVM's
 * tracepoints report both, in the vCPU's thread.
 *
 * Before KVM handles a write fault on a tracked page, the probe notes which
 * vCPU stores, and decides whether KVM can handle the fault without harm; if
 * not, guard.c disarms the page. If a fault brought no notification, and the
 * guest has passed the instruction when it is entered again, KVM made the store
 * without a notification.
 *
 * The probes are registered while a VM is attached and a little longer, and KVM
 * calls them for all VMs of the host: VMs without sessions pay a look into a
 * hash table that is nearly empty. Functions on the usual path are inlined, so
 * that it saves no registers.
 *
 * To register or unregister a probe, the kernel changes its own code and
 * interrupts all processors of the host several times. A process that may open
 * the device could cause that over and over, so the probes stay for a while
 * after the last VM.
 */
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/tracepoint.h>

#include "compat/fault.h"
#include "compat/vmcs.h"
#include "guard.h"
#include "kwt.h"
#include "operand.h"
#include "vcpu.h"

#define VM_BITS	8

static DEFINE_MUTEX(probe_lock);
static struct hlist_head vms[1 << VM_BITS];	/* probe_lock, read under RCU */
static unsigned int nr_vms;			/* probe_lock */
static bool probing;				/* probe_lock */

/* How long the probes stay registered when no VM is attached any more. */
#define LINGER	(10 * HZ)

static void stop_if_idle(struct work_struct *work);
static DECLARE_DELAYED_WORK(stop_work, stop_if_idle);

static struct hlist_head *probed_bucket(const struct kvm *kvm)
{
	return &vms[hash_ptr(kvm, VM_BITS)];
}

static __always_inline struct kwt_vm *find_probed_vm(const struct kvm *kvm)
{
	struct kwt_vm *vm;

	hlist_for_each_entry_rcu(vm, probed_bucket(kvm), in_probe,
				 rcu_read_lock_sched_held())
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

/*
 * Does a session track the gfn? The first slot of the table answers nearly
 * always.
 */
static __always_inline bool is_tracked(const struct kwt_space *space, u64 gfn)
{
	const struct kwt_table *table = rcu_dereference_sched(space->table);
	u64 index = kwt_chunk_index(gfn);
	const struct kwt_chunk *chunk = kwt_table_first(table, index);

	if (!chunk)
		return false;
	if (unlikely(chunk->index != index)) {
		chunk = kwt_table_find(table, index);
		if (!chunk)
			return false;
	}
	return data_race(chunk->users[kwt_chunk_bit(gfn)]);
}

/*
 * Returns the cause why KVM could not handle this write without harm if the
 * page is armed, or KVM_WTRACK_CAUSE_NONE.
 */
static __always_inline u32 fault_trouble(const struct kwt_space *space,
					 struct kvm_vcpu *vcpu,
					 const struct kwt_vcpu *state, u64 address,
					 u64 error_code)
{
	if (unlikely(READ_ONCE(space->forbidden)))
		return KVM_WTRACK_CAUSE_UNEMULATED;
	if (unlikely(kwt_fault_holes(vcpu, error_code)))
		return KVM_WTRACK_CAUSE_HOLE;
	if (unlikely(kwt_fault_walks(vcpu, error_code)))
		return KVM_WTRACK_CAUSE_PAGE_WALK;
	if (unlikely(kwt_fault_event(vcpu)))
		return KVM_WTRACK_CAUSE_EVENT;
	if (unlikely(kwt_fault_nested(vcpu)))
		return KVM_WTRACK_CAUSE_NESTED;
	if (unlikely(!state))
		return KVM_WTRACK_CAUSE_NEW_VCPU;
	if (unlikely(kwt_fault_hopeless(vcpu, state->address, state->rip,
					state->repeats) ||
		     kwt_fault_enclave()))
		return KVM_WTRACK_CAUSE_UNEMULATED;
	if (unlikely(READ_ONCE(space->natives)) &&
	    kwt_guard_is_native(space, kwt_fault_gpa(vcpu, address)))
		return KVM_WTRACK_CAUSE_NATIVE;
	return KVM_WTRACK_CAUSE_NONE;
}

/*
 * Returns the cause why KVM would make a different store, or
 * KVM_WTRACK_CAUSE_NONE. Where KVM has a virtual address, that can only be a
 * locked store without its lock.
 */
static __always_inline u32 store_risk(struct kvm_vcpu *vcpu, u64 address,
				      bool direct)
{
	if (unlikely(!direct)) {
		if (likely(!kwt_lock_suspect(address)))
			return KVM_WTRACK_CAUSE_NONE;
		return kwt_operand_lock_risk(vcpu, address);
	}
	if (likely(!kwt_operand_suspect(address, kwt_rsp_read(vcpu),
					kwt_rip_read(vcpu) >> 32)))
		return KVM_WTRACK_CAUSE_NONE;
	return kwt_operand_risk(vcpu, address);
}

/*
 * Is the gfn tracked, or about to be armed? kwt_arm() sets space->arming, then
 * looks for a vCPU with a fault on the gfn; the vCPU notes its fault first,
 * then looks here.
 */
static __always_inline bool is_concerned(const struct kwt_space *space,
					 struct kwt_vcpu *state, u64 gfn)
{
	/* Pairs with the barrier in kwt_arm(). */
	smp_mb();
	if (is_tracked(space, gfn) || unlikely(READ_ONCE(space->arming) == gfn))
		return true;
	if (state)
		WRITE_ONCE(state->told, KWT_TOLD);
	return false;
}

/*
 * For a fault on a virtual address: find the page behind it, and the next one
 * if a store that KVM makes silently may reach it. They are needed later,
 * possibly in another thread, which cannot look them up.
 */
static noinline void locate_pages(struct kvm_vcpu *vcpu, struct kwt_vcpu *state,
				  u64 address)
{
	const u64 reach = KWT_SILENT_MAX - 1;

	state->page[0] = kwt_fault_gpa(vcpu, address);
	state->page[1] = INVALID_GPA;
	if (kwt_fault_nested(vcpu))
		return;
	if (((address + reach) ^ address) & PAGE_MASK)
		state->page[1] = kwt_fault_gpa(vcpu, address + reach);
	else if (((address - reach) ^ address) & PAGE_MASK)
		state->page[1] = kwt_fault_gpa(vcpu, address - reach);
}

/*
 * Have the worker register the probes on walks. Until then the guard does not
 * see walks.
 */
static noinline void want_walks(struct kwt_vm *vm)
{
	WRITE_ONCE(vm->indirect, true);
	if (!kwt_walk_is_watched() && !xchg(&vm->rearm_soon, true))
		mod_delayed_work(kwt_wq, &vm->rearm, 1);
}

/*
 * The fault is on an address that KVM has to look up in guest page tables, and
 * KVM could not handle it without harm if the page behind it is armed. These
 * page tables may be paged out: then walk.c learns the page from KVM's own
 * walk.
 */
static noinline void indirect_fault(struct kwt_vm *vm, struct kvm_vcpu *vcpu,
				    struct kwt_vcpu *state, u64 address,
				    u32 cause)
{
	u64 gpa = kwt_fault_gpa(vcpu, address);

	if (unlikely(!state)) {
		kwt_guard_rescue(&vm->space, vcpu, NULL, gpa, cause);
	} else if (likely(gpa != INVALID_GPA)) {
		kwt_guard_locate(&vm->space, vcpu, state, gpa, cause);
	} else if (kwt_walk_is_watched()) {
		state->cause = cause;
		state->walk = KWT_WALK_AHEAD;
	} else {
		WRITE_ONCE(state->gfn, KWT_ANY_GFN);
	}
}

static __always_inline void note_fault(struct kwt_vm *vm, struct kvm_vcpu *vcpu,
				       u64 address, u64 error_code)
{
	struct kwt_space *space = &vm->space;
	struct kwt_vcpu *state = kwt_vcpu_of(space, vcpu);
	bool direct = kwt_fault_direct(vcpu);
	u64 gfn = direct ? address >> KWT_PAGE_SHIFT : KWT_NO_GFN;
	u32 cause;

	if (likely(state)) {
		kwt_vcpu_set_here(space, state);
		if (unlikely(!direct))
			locate_pages(vcpu, state, address);
		kwt_vcpu_fault(space, state, address, gfn, kwt_rip_read(vcpu));
	}
	if (direct && !is_concerned(space, state, gfn))
		return;
	cause = fault_trouble(space, vcpu, state, address, error_code);
	if (likely(!cause))
		cause = store_risk(vcpu, address, direct);
	if (!direct) {
		if (unlikely(!vm->indirect))
			want_walks(vm);
		if (unlikely(cause))
			indirect_fault(vm, vcpu, state, address, cause);
		return;
	}
	if (unlikely(cause))
		kwt_guard_rescue(space, vcpu, state, address, cause);
}

/*
 * Disabled preemption is the RCU read side for the VM and all that is found
 * through it.
 */
static void on_fault(void *data, struct kvm_vcpu *vcpu, u64 address,
		     u64 error_code)
{
	struct kwt_vm *vm;

	preempt_disable_notrace();
	vm = find_probed_vm(vcpu->kvm);
	if (unlikely(vm) && (kwt_fault_writes(error_code) ||
			     unlikely(kwt_fault_holes(vcpu, error_code))))
		note_fault(vm, vcpu, address, error_code);
	preempt_enable_notrace();
}

/*
 * Returns whether the caller has the claim: it then publishes the store and
 * sets KWT_TOLD. No thread holds the claim for long.
 */
static bool claim_store(struct kwt_vcpu *vcpu)
{
	u32 told;

	/* Pairs with the barrier in tell_if_out(), pending.c. */
	while ((told = cmpxchg(&vcpu->told, KWT_UNTOLD, KWT_TELLING)) ==
	       KWT_TELLING)
		cpu_relax();
	return told == KWT_UNTOLD;
}

/*
 * KVM emulated an instruction without a notification. If another thread
 * publishes the record, the guest waits for that in claim_store().
 */
static noinline void tell_of_store(struct kwt_space *space,
				   struct kvm_vcpu *vcpu,
				   struct kwt_vcpu *state)
{
	if (!claim_store(state))
		return;
	/*
	 * KVM has brought in page tables that were paged out when the fault
	 * came.
	 */
	if (!state->mask && (state->page[0] == INVALID_GPA ||
			     state->page[1] == INVALID_GPA))
		locate_pages(vcpu, state, state->address);
	/*
	 * KVM has handled this store, so the next one is not a repeated fault.
	 */
	state->repeats = 0;
	kwt_guard_unreported(space, state);
	/* Pairs with the acquire in tell_if_out(), pending.c. */
	smp_store_release(&state->told, KWT_TOLD);
}

static void on_entry(void *data, struct kvm_vcpu *vcpu)
{
	struct kwt_vcpu *state;
	struct kwt_vm *vm;

	preempt_disable_notrace();
	vm = find_probed_vm(vcpu->kvm);
	if (likely(!vm))
		goto out;
	state = kwt_vcpu_of(&vm->space, vcpu);
	if (unlikely(kwt_may_store_untold(vcpu)) && kwt_rip_is_known(vcpu))
		kwt_guard_untold(&vm->space, vcpu);
	if (!state)
		goto out;
	/* KVM has notified of all stores that it made for this vCPU. */
	state->arming_nr = READ_ONCE(vm->space.arming_nr);
	if (!state->waiting)
		goto out;
	if (unlikely(READ_ONCE(state->told) != KWT_TOLD &&
		     kwt_fault_went_on(vcpu, state->rip)))
		tell_of_store(&vm->space, vcpu, state);
	/* Pairs with the acquire in tell_if_out(), pending.c. */
	smp_store_release(&state->waiting, false);
out:
	preempt_enable_notrace();
}

/* The caller holds probe_lock. */
static int probes_start(void)
{
	int r;

	if (probing)
		return 0;
	r = tracepoint_probe_register(kwt_tp_fault, on_fault, NULL);
	if (r)
		return r;
	r = tracepoint_probe_register(kwt_tp_entry, on_entry, NULL);
	if (r)
		goto err_fault;
	r = kwt_hole_start();
	if (r)
		goto err_entry;
	probing = true;
	return 0;

err_entry:
	tracepoint_probe_unregister(kwt_tp_entry, on_entry, NULL);
err_fault:
	tracepoint_probe_unregister(kwt_tp_fault, on_fault, NULL);
	return r;
}

static void stop_if_idle(struct work_struct *work)
{
	mutex_lock(&probe_lock);
	if (probing && !nr_vms) {
		kwt_walk_stop();
		kwt_hole_stop();
		tracepoint_probe_unregister(kwt_tp_entry, on_entry, NULL);
		tracepoint_probe_unregister(kwt_tp_fault, on_fault, NULL);
		probing = false;
	}
	mutex_unlock(&probe_lock);
}

/* Have the guard see faults of the VM. Called before its first gfn is armed. */
int kwt_probe_add(struct kwt_vm *vm)
{
	int r;

	mutex_lock(&probe_lock);
	r = probes_start();
	if (!r) {
		nr_vms++;
		hlist_add_head_rcu(&vm->in_probe, probed_bucket(vm->kvm));
		kwt_walk_add(vm);
		vm->probed = true;
	}
	mutex_unlock(&probe_lock);
	return r;
}

/*
 * Have the guard see KVM's walks of guest page tables if the VM needs that.
 * Called before a gfn is armed, and when a vCPU begins to need it. The caller
 * does not hold the VM's lock, which KVM's removal hook takes under slots_lock:
 * registering a probe takes the CPU hotplug lock, under which KVM takes locks
 * of its own.
 */
int kwt_probe_walks(struct kwt_vm *vm)
{
	int r = 0;

	if (kwt_walk_is_watched())
		return 0;
	mutex_lock(&probe_lock);
	if (vm->probed && kwt_walk_is_needed(vm))
		r = kwt_walk_start();
	mutex_unlock(&probe_lock);
	return r;
}

/*
 * Called after the last gfn was disarmed, or when the VM is gone. Waits for
 * running probes: none of them uses the VM afterwards.
 */
void kwt_probe_remove(struct kwt_vm *vm)
{
	mutex_lock(&probe_lock);
	hlist_del_rcu(&vm->in_probe);
	kwt_walk_remove(vm);
	vm->probed = false;
	if (!--nr_vms)
		mod_delayed_work(kwt_wq, &stop_work, LINGER);
	mutex_unlock(&probe_lock);
	synchronize_rcu();
}

/* No VM is left. Waits until no probe runs any more. */
void kwt_probe_exit(void)
{
	cancel_delayed_work_sync(&stop_work);
	stop_if_idle(NULL);
	tracepoint_synchronize_unregister();
}
