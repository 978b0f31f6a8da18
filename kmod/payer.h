/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory cgroup is charged.
 *
 * Memory that a session asks for is charged to the memory cgroup of the calling
 * process, or to session->payer where a worker allocates it. Memory that a VM
 * needs because it is tracked at all is charged to the memory cgroup of the
 * VMM's mm, whichever process makes the call, and also when a worker allocates
 * it.
 */
#ifndef KWT_PAYER_H
#define KWT_PAYER_H

#include <linux/kvm_host.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

struct kwt_payer {
	struct mem_cgroup *memcg;
	struct mem_cgroup *old;
};

/* From here on, the caller's allocations are charged to the owner of @kvm. */
static inline void kwt_payer_begin(struct kwt_payer *payer, struct kvm *kvm)
{
	/* For an mm whose process is gone, this is the root cgroup. */
	payer->memcg = get_mem_cgroup_from_mm(kvm->mm);
	payer->old = set_active_memcg(payer->memcg);
}

static inline void kwt_payer_end(struct kwt_payer *payer)
{
	set_active_memcg(payer->old);
	mem_cgroup_put(payer->memcg);
}

#endif /* KWT_PAYER_H */
