// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults whose gfn is not known when KVM reports them.
 *
 * Without nested paging, and for a guest of the guest, KVM gets an address that
 * it has to look up in guest page tables. The guard looks it up as well, but
 * without waiting for page tables that are paged out or otherwise absent, for
 * which KVM waits. If the guard did not find the gfn, it learns the gfn here
 * from KVM's own walk, before KVM looks whether the page is tracked.
 *
 * With EPT, KVM reports no fault on an entry for a hole, where there was no
 * memory when the guest touched it. When there is memory since, KVM replaces
 * such an entry by a writable one, without looking for a count. KVM does report
 * that it has found such an entry to be out of date. The page is disarmed then;
 * when it is armed again, KVM protects what it has mapped. On AMD, and without
 * nested paging, probe.c sees the same in the fault itself.
 *
 * KVM does not report this while a memslot is being changed. And without its
 * TDP MMU, KVM maps the neighbours of a page along with it, and so replaces
 * entries for holes without a fault on them. KVM reports what it has mapped,
 * but under its mmu_lock, where nothing can be disarmed: a worker disarms the
 * page at once. Stores before that are not seen, and are in memory when the
 * page is read again. This covers everything else that KVM may map in spite of
 * a count, too.
 *
 * These tracepoints do not name the vCPU, which is the one that this thread
 * runs. Walks are frequent, since KVM makes one also when it emulates, so their
 * probes are registered only when a VM needs them, until no VM is attached any
 * more.
 */
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "compat/fault.h"
#include "compat/walk.h"
#include "guard.h"
#include "kwt.h"
#include "vcpu.h"

enum { TP_WALK, TP_ENTRY_READ, TP_HOLE, TP_MAP, NR_TPS };

/*
 * Tracepoints that KVM has but does not export. kwt_kvm_tp_find() finds them,
 * because the kernel shows each module all tracepoints of the others.
 */
static struct {
	const char *name;	/* as KVM has it */
	struct tracepoint *tp;
} kvm_tps[NR_TPS] = {
	[TP_WALK] = { .name = "kvm_mmu_pagetable_walk" },
	[TP_ENTRY_READ] = { .name = "kvm_mmu_paging_element" },
	[TP_HOLE] = { .name = "check_mmio_spte" },
	[TP_MAP] = { .name = "kvm_mmu_set_spte" },
};

static void take_tracepoint(struct tracepoint *tp)
{
	u32 i;

	for (i = 0; i < NR_TPS; i++)
		if (!strcmp(tp->name, kvm_tps[i].name))
			kvm_tps[i].tp = tp;
}

static void take_from_kernel(struct tracepoint *tp, void *unused)
{
	take_tracepoint(tp);
}

/* KVM stays loaded with this module, because this module uses its symbols. */
static int take_from_module(struct notifier_block *block, unsigned long state,
			    void *data)
{
	const struct module *mod = ((struct tp_module *)data)->mod;
	u32 i;

	if (state == MODULE_STATE_COMING && !strcmp(mod->name, "kvm"))
		for (i = 0; i < mod->num_tracepoints; i++)
			take_tracepoint(tracepoint_ptr_deref(
						 &mod->tracepoints_ptrs[i]));
	return NOTIFY_OK;
}

/*
 * Find the tracepoints among those of all loaded modules; called once. Returns
 * -ENOENT if this KVM lacks one.
 */
int kwt_kvm_tp_find(void)
{
	struct notifier_block block = { .notifier_call = take_from_module };
	int r;
	u32 i;

	for_each_kernel_tracepoint(take_from_kernel, NULL);
	r = register_tracepoint_module_notifier(&block);
	if (r)
		return r;
	unregister_tracepoint_module_notifier(&block);
	for (i = 0; i < NR_TPS; i++)
		if (!kvm_tps[i].tp) {
			pr_err("kvm-wtrack: KVM of this kernel has no tracepoint %s, without which a guest is not safe\n",
			       kvm_tps[i].name);
			return -ENOENT;
		}
	return 0;
}

#define MM_BITS	6

/* VMs by the VMM's mm; lock of probe.c, read under RCU. */
static struct hlist_head vms[1 << MM_BITS];
static bool walk_watched;		/* lock of probe.c, read locklessly */

static struct hlist_head *mm_bucket(const struct mm_struct *mm)
{
	return &vms[hash_ptr(mm, MM_BITS)];
}

/*
 * Find the VM that runs in this thread, and its vCPU. The caller has disabled
 * preemption.
 */
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
 * KVM has read an entry of a guest page table. The last one may be read again,
 * if the guest has changed it meanwhile.
 */
static void on_entry_read(void *data, u64 pte, int level)
{
	struct kwt_vcpu *state;
	struct kwt_vm *vm;
	u64 gfn;

	preempt_disable_notrace();
	state = find_running(&vm);
	if (!state || likely(state->walk != KWT_WALK_BEGUN) ||
	    !kwt_walk_is_present(pte) || !kwt_walk_is_last(state->vcpu, pte, level))
		goto out;
	gfn = kwt_walk_gfn(state->vcpu, pte, level, state->address);
	kwt_guard_locate(&vm->space, state->vcpu, state,
			 gfn << KWT_PAGE_SHIFT, state->cause);
out:
	preempt_enable_notrace();
}

/*
 * KVM looks at an entry for a hole that it made when its memslots had
 * generation @entry_gen.
 */
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

/* Is the gfn armed, or being armed and has KVM's count already? */
static bool is_armed(const struct kwt_space *space, struct kvm *kvm, u64 gfn)
{
	const struct kwt_chunk *chunk;

	/* Pairs with the release behind the mark, kwt_arm(). */
	if (smp_load_acquire(&space->arming) == gfn)
		return kwt_track_has_count(kvm, gfn);
	chunk = kwt_table_find(rcu_dereference_sched(space->table),
			       kwt_chunk_index(gfn));
	return chunk && test_bit(kwt_chunk_bit(gfn), chunk->armed);
}

/* KVM maps a page: has a memslot been created since? */
static noinline void notice_memory(void)
{
	struct kwt_vm *vm;

	preempt_disable_notrace();
	if (find_running(&vm))
		kwt_absent_notice(vm);
	preempt_enable_notrace();
}

/*
 * KVM has made an entry for a page, and holds its mmu_lock. A gfn that is
 * marked as armed has KVM's count now: the mark is removed before the count,
 * and the count is dropped under mmu_lock. KVM makes no large entry where there
 * is a count.
 */
static void on_map(void *data, int level, u64 gfn, u64 *entry)
{
	struct kwt_vm *vm;

	if (unlikely(atomic64_read(&kwt_absent_spaces)))
		notice_memory();
	if (level != PG_LEVEL_4K || !(READ_ONCE(*entry) & KWT_ENTRY_WRITABLE))
		return;
	preempt_disable_notrace();
	if (find_running(&vm) && unlikely(is_armed(&vm->space, vm->kvm, gfn))) {
		spin_lock(&vm->mapped_lock);
		if (vm->nr_mapped < KWT_MAX_MAPPED)
			vm->mapped[vm->nr_mapped] = gfn;
		if (vm->nr_mapped <= KWT_MAX_MAPPED)
			vm->nr_mapped++;
		spin_unlock(&vm->mapped_lock);
		mod_delayed_work(kwt_wq, &vm->rearm, 0);
	}
	preempt_enable_notrace();
}

static void disarm_mapped(struct kwt_space *space, struct kwt_chunk *chunk,
			  u32 bit)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = ((chunk->index << KWT_CHUNK_SHIFT) + bit) <<
		       KWT_PAGE_SHIFT,
		.time_ns = ktime_get_ns(),
		.guard = {
			.action = KVM_WTRACK_GUARD_DISARMED,
			.cause = KVM_WTRACK_CAUSE_HOLE,
		},
	};

	preempt_disable();
	kwt_guard_trip(space, chunk, &record);
	preempt_enable();
}

/* Disarm all armed gfns, when there were more mapped ones than fit. */
static void disarm_all_armed(struct kwt_space *space)
{
	const struct kwt_table *table = rcu_dereference_protected(space->table, 1);
	struct kwt_chunk *chunk;
	u64 i;
	u32 bit;

	for (i = 0; i <= table->mask; i++) {
		chunk = rcu_dereference_protected(table->slot[i], 1);
		if (!chunk || chunk->index == U64_MAX)
			continue;
		for_each_set_bit(bit, chunk->armed, KWT_CHUNK_PAGES)
			disarm_mapped(space, chunk, bit);
		cond_resched();
	}
}

/*
 * Disarm what on_map() has noted. Called by the worker, which holds the VM's
 * lock.
 */
void kwt_hole_disarm_mapped(struct kwt_vm *vm)
{
	struct kwt_space *space = &vm->space;
	u64 mapped[KWT_MAX_MAPPED];
	struct kwt_chunk *chunk;
	u32 nr, i;

	spin_lock(&vm->mapped_lock);
	nr = vm->nr_mapped;
	memcpy(mapped, vm->mapped, sizeof(mapped));
	vm->nr_mapped = 0;
	spin_unlock(&vm->mapped_lock);
	if (nr > KWT_MAX_MAPPED)
		return disarm_all_armed(space);
	for (i = 0; i < nr; i++) {
		chunk = kwt_chunk_find(space, kwt_chunk_index(mapped[i]));
		if (chunk)
			disarm_mapped(space, chunk, kwt_chunk_bit(mapped[i]));
	}
}

/*
 * Register the probe of what KVM maps and, with EPT, the one of entries for
 * holes; otherwise the fault itself shows these.
 */
int kwt_hole_start(void)
{
	int r = tracepoint_probe_register(kvm_tps[TP_MAP].tp, on_map,
					  NULL);

	if (r || !boot_cpu_has(X86_FEATURE_VMX))
		return r;
	r = tracepoint_probe_register(kvm_tps[TP_HOLE].tp, on_hole, NULL);
	if (r)
		tracepoint_probe_unregister(kvm_tps[TP_MAP].tp, on_map,
					    NULL);
	return r;
}

void kwt_hole_stop(void)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		tracepoint_probe_unregister(kvm_tps[TP_HOLE].tp, on_hole,
					    NULL);
	tracepoint_probe_unregister(kvm_tps[TP_MAP].tp, on_map, NULL);
}

/* Does the guard see walks that begin from now on? */
bool kwt_walk_is_watched(void)
{
	/* Pairs with the release in kwt_walk_start(): the probes are there. */
	return smp_load_acquire(&walk_watched);
}

int kwt_walk_start(void)
{
	int r;

	if (walk_watched)
		return 0;
	r = tracepoint_probe_register(kvm_tps[TP_WALK].tp, on_walk, NULL);
	if (r)
		return r;
	r = tracepoint_probe_register(kvm_tps[TP_ENTRY_READ].tp,
				      on_entry_read, NULL);
	if (r) {
		tracepoint_probe_unregister(kvm_tps[TP_WALK].tp, on_walk,
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
	WRITE_ONCE(walk_watched, false);
	tracepoint_probe_unregister(kvm_tps[TP_ENTRY_READ].tp,
				    on_entry_read, NULL);
	tracepoint_probe_unregister(kvm_tps[TP_WALK].tp, on_walk, NULL);
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

/* Does KVM look up addresses of this VM's vCPUs in guest page tables? */
bool kwt_walk_is_needed(const struct kwt_vm *vm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (READ_ONCE(vm->indirect))
		return true;
	/*
	 * KVM uses shadow page tables, or the guest may run guests of its own.
	 */
	kvm_for_each_vcpu(i, vcpu, vm->kvm)
		if (!vcpu->arch.root_mmu.root_role.direct ||
		    READ_ONCE(vcpu->arch.efer) & EFER_SVME ||
		    READ_ONCE(vcpu->arch.cr4) & X86_CR4_VMXE)
			return true;
	return false;
}
