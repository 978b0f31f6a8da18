// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1 of 5: KVM calls the write hook, in the vCPU's thread, after the store
 * is in guest memory and before the vCPU executes its next instruction.
 *
 * Also the registration of this module's hooks with KVM. arm.c says for which
 * gfns KVM calls them.
 */
#include <linux/kthread.h>

#include "kwt.h"
#include "match.h"
#include "payer.h"

static struct kwt_vm *node_vm(struct kvm_page_track_notifier_node *node)
{
	return container_of(node, struct kwt_vm, node);
}

/*
 * Out of line, so that on_write() saves no registers; the arguments stay in
 * theirs.
 */
static noinline void write_hit_preempt_enable(u64 gpa, const u8 *data, u32 len,
					      struct kwt_chunk *chunk,
					      struct kwt_space *space)
{
	kwt_match_preempt_enable(gpa, data, len, chunk, space);
}

/*
 * KVM has emulated a store of the VM, whether it is tracked or not. The first
 * slot of the hash table answers nearly always. The path of a store that no
 * session tracks calls nothing, so that it saves no registers.
 */
static __always_inline void
handle_write(struct kvm_page_track_notifier_node *node, u64 gpa, const u8 *data,
	     u32 len)
{
	struct kwt_space *space = &node_vm(node)->space;
	u64 gfn = gpa >> KWT_PAGE_SHIFT;
	u64 index = kwt_chunk_index(gfn), bit = kwt_chunk_bit(gfn);
	struct kwt_table *table;
	struct kwt_chunk *chunk;

	/*
	 * Disabled preemption is the RCU read side for all that is found
	 * through the table.
	 */
	preempt_disable();
	table = rcu_dereference_sched(space->table);
	chunk = kwt_table_first(table, index);
	if (likely(!chunk))
		goto out;
	if (unlikely(chunk->index != index))
		return kwt_match_probe_preempt_enable(gpa, data, len, space);
	/* Two bytes cannot be torn, and are read once. */
	if (data_race(chunk->users[bit]))
		return write_hit_preempt_enable(gpa, data, len, chunk, space);
out:
	preempt_enable();
}

/* KVM calls this. The arguments depend on KVM. */
KWT_WRITE_HOOK(on_write)
{
	handle_write(node, gpa, new, bytes);
}

static void region_removed(struct kvm_page_track_notifier_node *node,
			   gfn_t gfn, unsigned long nr_pages)
{
	kwt_range_removed(node_vm(node), gfn, nr_pages);
}

KWT_REMOVAL_HOOK(on_removal, region_removed)

/*
 * From 6.6 on KVM accepts a registration only from the VMM's own mm, which the
 * caller has or has borrowed.
 *
 * KVM may allocate 2 bytes for each page of the guest here. They stay as long
 * as the guest's memslots, whichever process attached, so the VM's owner is
 * charged.
 */
int kwt_source_register(struct kwt_vm *vm)
{
	struct kwt_payer payer;
	int r;

	vm->node.track_write = on_write;
	kwt_set_removal_hook(&vm->node, on_removal);
	kwt_payer_begin(&payer, vm->kvm);
	r = kwt_track_register(vm->kvm, &vm->node);
	kwt_payer_end(&payer);
	return r;
}

/* Waits for running hooks. The caller holds a reference to the VM. */
void kwt_source_unregister(struct kwt_vm *vm)
{
	kwt_track_unregister(vm->kvm, &vm->node);
}
