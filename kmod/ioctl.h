/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments of the ioctls, for the files that implement them. */
#ifndef KWT_IOCTL_H
#define KWT_IOCTL_H

#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kwt.h"

/* The kernel's copy of a call's argument. */
union kwt_arg {
	struct {
		u32 size;
		u32 flags;
	} head;
	struct kvm_wtrack_info info;
	struct kvm_wtrack_attach attach;
	struct kvm_wtrack_status status;
	struct kvm_wtrack_restrict restrict_;
	struct kvm_wtrack_ring ring;
	struct kvm_wtrack_tune tune;
	struct kvm_wtrack_add add;
	struct kvm_wtrack_remove remove;
	struct kvm_wtrack_rearm rearm;
	struct kvm_wtrack_query query;
	struct kvm_wtrack_query_gfn query_gfn;
	struct kvm_wtrack_resync resync;
	struct kvm_wtrack_fence fence;
	struct kvm_wtrack_regions regions;
	struct kvm_wtrack_read read;
	struct kvm_wtrack_release release;
};

/* memory.c, regions.c */
int kwt_ioctl_read(struct kwt_session *session, union kwt_arg *arg);
int kwt_ioctl_regions(struct kwt_session *session, union kwt_arg *arg);

/*
 * Can the caller's array be written? The check does not change the array,
 * because a call that fails changes nothing. The answer may be different when
 * the array is filled.
 */
static inline bool kwt_output_is_writable(u64 to, size_t bytes)
{
	char __user *user = u64_to_user_ptr(to);

	return access_ok(user, bytes) && !fault_in_safe_writeable(user, bytes);
}

/* Allocate the kernel's copy of an array that a call fills. */
static inline void *kwt_output_alloc(u64 to, u32 *nr, size_t bytes)
{
	void *buf;

	if (!*nr)
		return ERR_PTR(-EINVAL);
	*nr = min_t(u32, *nr, KWT_MAX_RANGES);
	/*
	 * Check this before anything is fetched, which would have to be put
	 * back.
	 */
	if (!kwt_output_is_writable(to, *nr * bytes))
		return ERR_PTR(-EFAULT);
	buf = kvcalloc(*nr, bytes, GFP_KERNEL_ACCOUNT);
	return buf ?: ERR_PTR(-ENOMEM);
}

#endif /* KWT_IOCTL_H */
