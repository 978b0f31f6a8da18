// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 0 of 5: a vCPU faulted, or is about to enter the guest again. KVM tells
 * by tracepoints, in the vCPU's thread.
 *
 * Before KVM handles a write fault on a tracked page, it is seen whether KVM
 * would get out of it, see guard.c if not, and noted which vCPU stores. When
 * the guest is entered again, a fault that brought no notification, but let the
 * guest get on, was a store that KVM made without telling anybody.
 *
 * The probes are there as long as a VM is attached and a little longer, and are
 * called for all VMs of the host: what they cost the others is a look into a
 * hash table that is empty but for a few places. All that is called on the usual
 * way is inlined, and has nothing to save.
 *
 * To register a probe, or to take it back, the kernel changes its own code and
 * interrupts all processors of the host several times. Whoever may open the
 * device could have it do that over and over; so the probes stay for a while
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

/* How long the probes stay when no VM is attached any more. */
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

/* Does somebody track it? The first slot of the table answers nearly always. */
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

/* Will KVM not get out of this write, if the page is armed? */
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
 * Would KVM make another store of it? Where KVM knows a virtual address, it can
 * only be a lock that is not kept.
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
 * Is the gfn tracked, or about to be armed? Whoever arms it says so, then looks
 * whether KVM handles a fault on it; we say that it does, then look.
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
 * Where KVM was told a virtual address: the page behind it, and the next one if
 * a store that KVM makes silently may reach it. Looked up here and not when it
 * is needed, which may be in another thread.
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

/* Until the worker has seen to it, walks are not seen. */
static noinline void want_walks(struct kwt_vm *vm)
{
	WRITE_ONCE(vm->indirect, true);
	if (!kwt_walk_is_watched() && !xchg(&vm->rearm_soon, true))
		mod_delayed_work(kwt_wq, &vm->rearm, 1);
}

/*
 * KVM was told an address that it has to look up in page tables of the guest's,
 * and would not get out of the fault if the page behind it is armed. The page
 * tables may not be there now: then walk.c learns from KVM which page it is.
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

/* The RCU read side for the VM, and all that is found through it. */
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
 * Whoever gets it tells of the store, and then sets KWT_TOLD. Nobody has it for
 * long.
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
 * KVM emulated an instruction, and there was no notification. If somebody tells
 * of it in our place, the guest has to wait for that.
 */
static noinline void tell_of_store(struct kwt_space *space,
				   struct kvm_vcpu *vcpu,
				   struct kwt_vcpu *state)
{
	if (!claim_store(state))
		return;
	/* KVM has brought in page tables that were not there in the fault. */
	if (!state->mask && (state->page[0] == INVALID_GPA ||
			     state->page[1] == INVALID_GPA))
		locate_pages(vcpu, state, state->address);
	/* The same store again is not hopeless. */
	state->repeats = 0;
	kwt_guard_unreported(space, state);
	/* Pairs with the acquire in pending.c. */
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
	/* Whatever KVM has stored for this vCPU was notified. */
	state->arming_nr = READ_ONCE(vm->space.arming_nr);
	if (!state->waiting)
		goto out;
	if (unlikely(READ_ONCE(state->told) != KWT_TOLD &&
		     kwt_fault_went_on(vcpu, state->rip)))
		tell_of_store(&vm->space, vcpu, state);
	/* Pairs with the acquire in pending.c. */
	smp_store_release(&state->waiting, false);
out:
	preempt_enable_notrace();
}

/* Under probe_lock. */
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

/* Before the first gfn of the VM is armed. */
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
 * Before a gfn is armed, and when a vCPU begins to need it: have KVM's walks of
 * guest page tables seen. Not under the VM's lock, which KVM's removal hook takes
 * under slots_lock: to register a probe takes the lock of CPU hotplug, under
 * which KVM takes locks of its own.
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
 * After the last gfn was disarmed, or when the VM is gone. Waits for what runs
 * in probes: nothing of the VM is used in them afterwards.
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

/* No VM is left. Waits until no probe is on its way in or out. */
void kwt_probe_exit(void)
{
	cancel_delayed_work_sync(&stop_work);
	stop_if_idle(NULL);
	tracepoint_synchronize_unregister();
}
