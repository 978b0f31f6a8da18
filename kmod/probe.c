// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 0: KVM's tracepoints, in the vCPU's thread. They are probed as long as
 * a VM is attached, and fire for all VMs of the host: what they cost the others
 * is one look at a hash table that is empty but for a few places.
 */
#include <linux/hash.h>
#include <linux/rculist.h>
#include <linux/tracepoint.h>

#include "compat/fault.h"
#include "guard.h"
#include "kwt.h"

#define VM_BITS	8

static DEFINE_MUTEX(probe_lock);
static struct hlist_head vms[1 << VM_BITS];	/* probe_lock, read under RCU */
static unsigned int nr_vms;			/* probe_lock */

static struct hlist_head *bucket(const struct kvm *kvm)
{
	return &vms[hash_ptr(kvm, VM_BITS)];
}

static __always_inline struct kwt_vm *find(const struct kvm *kvm)
{
	struct kwt_vm *vm;

	hlist_for_each_entry_rcu(vm, bucket(kvm), in_probe,
				 rcu_read_lock_sched_held())
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

/* The RCU read side for the VM, and all that is found through it. */
static void on_fault(void *data, struct kvm_vcpu *vcpu, u64 address,
		     u64 error_code)
{
	struct kwt_vm *vm;

	preempt_disable_notrace();
	vm = find(vcpu->kvm);
	if (unlikely(vm) && kwt_fault_writes(error_code))
		kwt_guard_fault(&vm->space, vcpu, address, error_code);
	preempt_enable_notrace();
}

static void on_entry(void *data, struct kvm_vcpu *vcpu)
{
	struct kwt_vm *vm;

	preempt_disable_notrace();
	vm = find(vcpu->kvm);
	if (unlikely(vm))
		kwt_guard_entry(&vm->space, vcpu);
	preempt_enable_notrace();
}

/* Under probe_lock. */
static int probes_start(void)
{
	int r = tracepoint_probe_register(kwt_tp_fault, on_fault, NULL);

	if (r)
		return r;
	r = tracepoint_probe_register(kwt_tp_entry, on_entry, NULL);
	if (r)
		tracepoint_probe_unregister(kwt_tp_fault, on_fault, NULL);
	return r;
}

static void probes_stop(void)
{
	tracepoint_probe_unregister(kwt_tp_entry, on_entry, NULL);
	tracepoint_probe_unregister(kwt_tp_fault, on_fault, NULL);
}

/* Before the first gfn of the VM is armed. */
int kwt_probe_add(struct kwt_vm *vm)
{
	int r = 0;

	mutex_lock(&probe_lock);
	if (!nr_vms)
		r = probes_start();
	if (!r) {
		nr_vms++;
		hlist_add_head_rcu(&vm->in_probe, bucket(vm->kvm));
	}
	mutex_unlock(&probe_lock);
	return r;
}

/*
 * After the last gfn was disarmed, or when the VM is gone. Waits for probes
 * that run: nothing of the VM is used in them afterwards.
 */
void kwt_probe_remove(struct kwt_vm *vm)
{
	mutex_lock(&probe_lock);
	hlist_del_rcu(&vm->in_probe);
	if (!--nr_vms)
		probes_stop();
	mutex_unlock(&probe_lock);
	tracepoint_synchronize_unregister();
	synchronize_rcu();
}
