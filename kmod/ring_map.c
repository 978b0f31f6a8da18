// SPDX-License-Identifier: GPL-2.0-only
/*
 * RING and mmap(2): the pages of a ring, and which of them user space may
 * write.
 *
 *	page 0		consumer: read and write
 *	page 1 ...	records: read only, for good
 *
 * They are mapped by two calls of mmap(2), since they have different
 * permissions. The offsets for mmap(2) are not the positions in this list.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat/vma.h"
#include "kwt.h"
#include "vcpu.h"

static u32 record_pages(u32 records)
{
	return records * sizeof(struct kvm_wtrack_record) >> PAGE_SHIFT;
}

/* Free the pages and their array. */
static void pages_free(struct page **pages, u32 nr)
{
	while (nr--)
		__free_page(pages[nr]);
	kvfree(pages);
}

/* Charged to the caller's cgroup. */
static struct page **pages_alloc(u32 nr)
{
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!pages[i] || fatal_signal_pending(current)) {
			pages_free(pages, pages[i] ? i + 1 : i);
			return NULL;
		}
		cond_resched();
	}
	return pages;
}

static int memory_alloc(struct kwt_session *session, u32 records)
{
	u32 nr = 1 + record_pages(records);

	session->pages = pages_alloc(nr);
	if (!session->pages)
		return -ENOMEM;
	session->memory = vmap(session->pages, nr, VM_MAP | VM_USERMAP,
			       PAGE_KERNEL);
	if (!session->memory) {
		pages_free(session->pages, nr);
		session->pages = NULL;
		return -ENOMEM;
	}
	session->nr_pages = nr;
	return 0;
}

void kwt_ring_unmake(struct kwt_session *session)
{
	if (!session->pages)
		return;
	vunmap(session->memory);
	pages_free(session->pages, session->nr_pages);
}

/* Returns 0 if the session is attached and has a ring, otherwise an error. */
int kwt_ring_check(struct kwt_session *session)
{
	if (!kwt_session_vm(session))
		return -ENOTCONN;
	return kwt_ring_made(session) ? 0 : -ENOBUFS;
}

/*
 * Refuse a time without RING_F_SYNC, and RING_F_SYNC with modes that leave
 * nothing to wait for.
 */
static int sync_check(const struct kvm_wtrack_ring *arg)
{
	if (!(arg->flags & KVM_WTRACK_RING_F_SYNC))
		return arg->sync_us ? -EINVAL : 0;
	if (arg->flags & (KVM_WTRACK_RING_F_COALESCE |
			  KVM_WTRACK_RING_F_NATIVE))
		return -EINVAL;
	return kwt_sync_check(arg->sync_us);
}

static int options_check(const struct kwt_session *session,
			 const struct kvm_wtrack_ring *arg)
{
	const struct kwt_limits *limits = &session->limits;
	int r = kwt_budget_check(arg->budget, arg->period_ms);

	if (!is_power_of_2(arg->records))
		return -EINVAL;
	if (!r)
		r = sync_check(arg);
	if (r)
		return r;
	if (arg->records < KWT_MIN_RECORDS ||
	    arg->records > READ_ONCE(kwt_max_records))
		return -ERANGE;
	r = kwt_wakeup_check(arg->records, arg->watermark, arg->latency_us);
	if (r)
		return r;
	if (limits->max_records && arg->records > limits->max_records)
		return -EPERM;
	r = kwt_budget_allowed(limits, arg->budget, arg->period_ms);
	if (r)
		return r;
	if (arg->sync_us)
		r = kwt_sync_allowed(limits, arg->sync_us);
	if (r)
		return r;
	return session->ring.records ? -EBUSY : 0;
}

/*
 * Set up and publish the ring. The caller holds the VM's lock, so that the ring
 * either gets the record VM_GONE later or is refused because the VM is gone.
 */
static int ring_publish(struct kwt_session *session,
			const struct kvm_wtrack_ring *arg)
{
	const struct kwt_limits *limits = &session->limits;
	struct kwt_ring *ring = &session->ring;
	bool synchronous = arg->flags & KVM_WTRACK_RING_F_SYNC;
	struct kwt_vm *vm = session->vm;
	int r = 0;

	mutex_lock(&vm->lock);
	if (session->ended)
		r = -ESHUTDOWN;
	else if (vm->gone)
		r = -ESRCH;
	else if (synchronous && vm->nr_syncs == KWT_MAX_SYNCS)
		r = -EUSERS;
	else if (synchronous)
		r = kwt_vcpus_synchronous(&vm->space, vm->kvm);
	if (!r) {
		session->watermark = arg->watermark;
		session->latency_ns = arg->latency_us * 1000ULL;
		ring->flags = arg->flags;
		ring->mask = arg->records - 1;
		ring->room = arg->records - KWT_RING_SPARE;
		ring->coalesce = arg->flags & KVM_WTRACK_RING_F_COALESCE;
		ring->stop = arg->flags & KVM_WTRACK_RING_F_STOP;
		ring->sticky = arg->flags & KVM_WTRACK_RING_F_STICKY;
		ring->once = arg->flags & KVM_WTRACK_RING_F_ONCE;
		ring->native = arg->flags & KVM_WTRACK_RING_F_NATIVE;
		ring->no_data = !(limits->rights & KVM_WTRACK_RIGHT_DATA);
		ring->no_rip = !(limits->rights & KVM_WTRACK_RIGHT_RIP);
		if (ring->native)
			WRITE_ONCE(vm->space.natives, vm->space.natives + 1);
		ring->synchronous = synchronous;
		kwt_sync_set(session, arg->sync_us);
		vm->nr_syncs += synchronous;
		kwt_budget_set(session, arg->budget, arg->period_ms);
		ring->counts = ring->budget;
		ring->consumer = session->memory;
		session->payer = get_mem_cgroup_from_mm(current->mm);
		/* Pairs with the acquire in kwt_ring_made(). */
		smp_store_release(&ring->records,
				  session->memory + PAGE_SIZE);
	}
	mutex_unlock(&vm->lock);
	return r;
}

u64 kwt_ring_records_bytes(const struct kwt_session *session)
{
	return (u64)(session->nr_pages - 1) << PAGE_SHIFT;
}

/* Make the ring of a session, which is attached. */
int kwt_ring_make(struct kwt_session *session,
		  const struct kvm_wtrack_ring *arg)
{
	int r;

	r = mutex_lock_interruptible(&session->lock);
	if (r)
		return r;
	r = options_check(session, arg);
	if (!r)
		r = memory_alloc(session, arg->records);
	if (r)
		goto out;
	r = ring_publish(session, arg);
	if (r) {
		kwt_ring_unmake(session);
		session->pages = NULL;
		session->nr_pages = 0;
	}
out:
	mutex_unlock(&session->lock);
	return r;
}

/*
 * A child of fork(2) does not inherit the mapping, which would keep the session
 * open.
 */
int kwt_ring_mmap(struct kwt_session *session, struct vm_area_struct *vma)
{
	unsigned long bytes = vma->vm_end - vma->vm_start, page;
	int r = kwt_session_check(session) ?: kwt_ring_check(session);

	if (r)
		return r;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;

	if (vma->vm_pgoff == KWT_CONSUMER_OFFSET >> PAGE_SHIFT) {
		if (bytes != PAGE_SIZE)
			return -EINVAL;
		page = 0;
		kwt_vma_change(vma, VM_DONTCOPY, VM_MAYEXEC);
	} else if (vma->vm_pgoff == KWT_RECORDS_OFFSET >> PAGE_SHIFT) {
		if (bytes != kwt_ring_records_bytes(session))
			return -EINVAL;
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		page = 1;
		kwt_vma_change(vma, VM_DONTCOPY, VM_MAYEXEC | VM_MAYWRITE);
	} else {
		return -EINVAL;
	}
	return remap_vmalloc_range(vma, session->memory, page);
}
