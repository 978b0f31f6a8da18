// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of which KVM does not say, when it tells of them, which gfn they are on.
 *
 * Without nested paging, and for a guest of the guest, KVM is told an address
 * that it has to look up in page tables of the guest's. The guard looks them up
 * by itself, without waiting for any that is paged out or otherwise not there;
 * KVM waits. What the guard did not find it learns here, from KVM's own walk,
 * and before KVM looks whether the page is tracked.
 *
 * With EPT, KVM tells of no fault on an entry that it has for a hole, where there
 * was no memory when the guest touched it. Nor does KVM look for a count when it
 * replaces such an entry by one of a page that has come there since: it makes it
 * writable. KVM does say that it has found such an entry to be out of date. The
 * page is disarmed then; when it is armed again, KVM protects what it has mapped.
 * On AMD, and without nested paging, probe.c sees the same in the fault itself.
 *
 * These tracepoints do not name the vCPU; it is the one that this thread runs.
 * Those of a walk are many, KVM makes one also when it emulates, so the probes
 * are there only while a VM needs them.
 */
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/tracepoint.h>

#include "compat/fault.h"
#include "compat/walk.h"
#include "guard.h"
#include "kwt.h"
#include "vcpu.h"

#define MM_BITS	6

/* By the VMM's mm; lock of probe.c, read under RCU. */
static struct hlist_head vms[1 << MM_BITS];
static bool walk_watched;		/* lock of probe.c, read locklessly */

static struct hlist_head *mm_bucket(const struct mm_struct *mm)
{
	return &vms[hash_ptr(mm, MM_BITS)];
}

/* The VM that runs in this thread, and its vCPU. With preemption disabled. */
static struct kwt_vcpu *find_running(struct kwt_vm **found)
{
	const struct mm_struct *mm = current->mm;
	struct kwt_vcpu *state;
	struct kwt_vm *vm;

	hlist_for_each_entry_rcu(vm, mm_bucket(mm), in_walk,
				 rcu_read_lock_sched_held()) {
		if (vm->kvm->mm != mm)
			continue;
		state = kwt_vcpu_here(&vm->space) ?:
			kwt_vcpu_search(&vm->space);
		if (!state)
			continue;
		*found = vm;
		return state;
	}
	return NULL;
}

/* KVM begins to look up an address for which this vCPU faulted. */
static void on_walk(void *data, u64 address, u32 access)
{
	struct kwt_vcpu *state;
	struct kwt_vm *vm;

	preempt_disable_notrace();
	state = find_running(&vm);
	if (state && unlikely(state->walk != KWT_WALK_OVER))
		state->walk = state->address == address ? KWT_WALK_BEGUN :
							  KWT_WALK_OVER;
	preempt_enable_notrace();
}

/*
 * KVM has read an entry on its way. The last one may come again, if the guest
 * has changed it meanwhile.
 */
static void on_entry_read(void *data, u64 pte, int level)
{
	struct kwt_vcpu *state;
	struct kwt_vm *vm;
	u64 gfn;

	preempt_disable_notrace();
	state = find_running(&vm);
	if (!state || likely(state->walk != KWT_WALK_BEGUN) ||
	    !kwt_walk_is_last(state->vcpu, pte, level))
		goto out;
	gfn = kwt_walk_gfn(state->vcpu, pte, level, state->address);
	kwt_guard_locate(&vm->space, state->vcpu, state,
			 gfn << KWT_PAGE_SHIFT, state->cause);
out:
	preempt_enable_notrace();
}

/* An entry for a hole was made when KVM's memslots were of @entry_gen. */
static void on_hole(void *data, u64 spte, unsigned int gen,
		    unsigned int entry_gen)
{
	struct kwt_vcpu *state;
	struct kwt_vm *vm;
	u64 gfn;

	if (likely(gen == entry_gen))
		return;
	preempt_disable_notrace();
	state = find_running(&vm);
	if (state) {
		gfn = kwt_mmio_gfn(spte);
		kwt_vcpu_fault(&vm->space, state, gfn << KWT_PAGE_SHIFT, gfn,
			       kwt_rip_read(state->vcpu));
		kwt_guard_locate(&vm->space, state->vcpu, state,
				 gfn << KWT_PAGE_SHIFT, KVM_WTRACK_CAUSE_HOLE);
	}
	preempt_enable_notrace();
}

/* Without EPT there is no need: the fault itself says so. */
int kwt_hole_start(void)
{
	return boot_cpu_has(X86_FEATURE_VMX) ?
	       tracepoint_probe_register(kwt_kvm_tp[KWT_TP_HOLE].tp, on_hole,
					 NULL) : 0;
}

void kwt_hole_stop(void)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		tracepoint_probe_unregister(kwt_kvm_tp[KWT_TP_HOLE].tp, on_hole,
					    NULL);
}

/* Are walks that begin from now on seen? */
bool kwt_walk_is_watched(void)
{
	return smp_load_acquire(&walk_watched);
}

int kwt_walk_start(void)
{
	int r;

	if (walk_watched)
		return 0;
	r = tracepoint_probe_register(kwt_kvm_tp[KWT_TP_WALK].tp, on_walk, NULL);
	if (r)
		return r;
	r = tracepoint_probe_register(kwt_kvm_tp[KWT_TP_ENTRY_READ].tp,
				      on_entry_read, NULL);
	if (r) {
		tracepoint_probe_unregister(kwt_kvm_tp[KWT_TP_WALK].tp, on_walk,
					    NULL);
		return r;
	}
	/* Pairs with the acquire in kwt_walk_is_watched(). */
	smp_store_release(&walk_watched, true);
	return 0;
}

void kwt_walk_stop(void)
{
	if (!walk_watched)
		return;
	smp_store_release(&walk_watched, false);
	tracepoint_probe_unregister(kwt_kvm_tp[KWT_TP_ENTRY_READ].tp,
				    on_entry_read, NULL);
	tracepoint_probe_unregister(kwt_kvm_tp[KWT_TP_WALK].tp, on_walk, NULL);
}

void kwt_walk_add(struct kwt_vm *vm)
{
	hlist_add_head_rcu(&vm->in_walk, mm_bucket(vm->kvm->mm));
}

/* The caller waits for probes that run. */
void kwt_walk_remove(struct kwt_vm *vm)
{
	hlist_del_rcu(&vm->in_walk);
}

/* Does KVM look up addresses of this VM's vCPUs in page tables of the guest's? */
bool kwt_walk_is_needed(const struct kwt_vm *vm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (READ_ONCE(vm->indirect))
		return true;
	/* The guest has paging, and KVM none; or it may run guests of its own. */
	kvm_for_each_vcpu(i, vcpu, vm->kvm)
		if (!vcpu->arch.root_mmu.root_role.direct ||
		    READ_ONCE(vcpu->arch.efer) & EFER_SVME ||
		    READ_ONCE(vcpu->arch.cr4) & X86_CR4_VMXE)
			return true;
	return false;
}
