// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints that KVM has but does not export. The kernel shows every module
 * all tracepoints of all others.
 */
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "guard.h"

struct kwt_kvm_tp kwt_kvm_tp[KWT_NR_KVM_TPS] = {
	[KWT_TP_WALK] = { .name = "kvm_mmu_pagetable_walk" },
	[KWT_TP_ENTRY_READ] = { .name = "kvm_mmu_paging_element" },
	[KWT_TP_HOLE] = { .name = "check_mmio_spte" },
	[KWT_TP_MAP] = { .name = "kvm_mmu_set_spte" },
};

static void take_if_wanted(struct tracepoint *tp)
{
	u32 i;

	for (i = 0; i < KWT_NR_KVM_TPS; i++)
		if (!strcmp(tp->name, kwt_kvm_tp[i].name))
			kwt_kvm_tp[i].tp = tp;
}

static void take_from_kernel(struct tracepoint *tp, void *unused)
{
	take_if_wanted(tp);
}

/* This module uses symbols of KVM's: while it is loaded, KVM stays. */
static int take_from_module(struct notifier_block *block, unsigned long state,
			    void *data)
{
	const struct module *mod = ((struct tp_module *)data)->mod;
	u32 i;

	if (state == MODULE_STATE_COMING && !strcmp(mod->name, "kvm"))
		for (i = 0; i < mod->num_tracepoints; i++)
			take_if_wanted(tracepoint_ptr_deref(
						&mod->tracepoints_ptrs[i]));
	return NOTIFY_OK;
}

/* Called once, for all modules that are there. -ENOENT: this KVM lacks one. */
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
	for (i = 0; i < KWT_NR_KVM_TPS; i++)
		if (!kwt_kvm_tp[i].tp) {
			pr_err("kvm-wtrack: KVM of this kernel has no tracepoint %s, without which a guest is not safe\n",
			       kwt_kvm_tp[i].name);
			return -ENOENT;
		}
	return 0;
}
