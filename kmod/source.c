// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1 of 5: KVM calls, in the vCPU's thread, after the store is in guest
 * memory and before the vCPU executes its next instruction.
 *
 * Also what this module asks of KVM: to be called, and for which gfns.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/mm.h>

#include "kwt.h"
#include "trace.h"

static struct kwt_vm *node_vm(struct kvm_page_track_notifier_node *node)
{
	return container_of(node, struct kwt_vm, node);
}

/* Out of line, to keep the way of all other stores short. */
static noinline void write_hit(struct kwt_vm *vm, struct kwt_chunk *chunk,
			       gpa_t gpa, const u8 *new, int bytes,
			       struct kvm_vcpu *vcpu)
{
	struct kwt_write write = {
		.gpa = gpa,
		.data = new,
		.len = bytes,
		.time_ns = ktime_get_ns(),
	};

	if (vcpu) {
		write.vcpu = vcpu->vcpu_idx;
		write.flags = KVM_WTRACK_RECORD_F_VCPU;
	}
	trace_kvm_wtrack_match(vm->id, gpa, bytes);
	kwt_match(chunk, &write);
}

/* KVM calls this for each store that it emulates for the VM, tracked or not. */
KWT_WRITE_HOOK(on_write)
{
	struct kwt_vm *vm = node_vm(node);
	gfn_t gfn = gpa >> KWT_PAGE_SHIFT;
	struct kwt_chunk *chunk;

	rcu_read_lock_sched();
	chunk = kwt_table_find(rcu_dereference_sched(vm->space.table),
			       kwt_chunk_index(gfn));
	if (chunk && READ_ONCE(chunk->users[kwt_chunk_bit(gfn)]))
		write_hit(vm, chunk, gpa, new, bytes, kwt_hook_vcpu());
	rcu_read_unlock_sched();
}

static void region_removed(struct kvm_page_track_notifier_node *node,
			   gfn_t gfn, unsigned long nr_pages)
{
	kwt_range_removed(node_vm(node), gfn, nr_pages);
}

KWT_REMOVAL_HOOK(on_removal, region_removed)

int kwt_arm(struct kwt_space *space, u64 gfn)
{
	struct kwt_vm *vm = container_of(space, struct kwt_vm, space);

	return kwt_track_add_gfn(vm->kvm, gfn);
}

void kwt_disarm(struct kwt_space *space, u64 gfn)
{
	struct kwt_vm *vm = container_of(space, struct kwt_vm, space);

	kwt_track_remove_gfn(vm->kvm, gfn);
}

struct registration {
	struct work_struct work;
	struct kwt_vm *vm;
	int r;
};

/* A worker has no mm of its own and may borrow the VMM's. */
static void register_in_worker(struct work_struct *work)
{
	struct registration *reg = container_of(work, struct registration, work);
	struct kvm *kvm = reg->vm->kvm;

	kthread_use_mm(kvm->mm);
	reg->r = kwt_track_register(kvm, &reg->vm->node);
	kthread_unuse_mm(kvm->mm);
}

/*
 * From 6.6 on KVM takes a registration only from the VMM's own mm. The caller
 * holds a user of kvm->mm.
 */
int kwt_source_register(struct kwt_vm *vm)
{
	struct registration reg = { .vm = vm };

	vm->node.track_write = on_write;
	kwt_set_removal_hook(&vm->node, on_removal);
	if (current->mm == vm->kvm->mm)
		return kwt_track_register(vm->kvm, &vm->node);

	INIT_WORK_ONSTACK(&reg.work, register_in_worker);
	queue_work(kwt_wq, &reg.work);
	flush_work(&reg.work);
	destroy_work_on_stack(&reg.work);
	return reg.r;
}

/* Waits for hooks that run. The caller holds a reference to the VM. */
void kwt_source_unregister(struct kwt_vm *vm)
{
	kwt_track_unregister(vm->kvm, &vm->node);
}
