// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls that take an array of ranges, or fill one; and the fence. */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "fence.h"
#include "ioctl.h"

/* Take over the changes, checked, with their outputs zero; ERR_PTR if not. */
static struct kvm_wtrack_change *load_changes(u64 from, u32 nr)
{
	struct kvm_wtrack_change *changes;
	u32 i;

	if (!nr)
		return ERR_PTR(-EINVAL);
	if (nr > KWT_MAX_RANGES)
		return ERR_PTR(-ERANGE);
	changes = vmemdup_user(u64_to_user_ptr(from), nr * sizeof(*changes));
	if (IS_ERR(changes))
		return changes;
	for (i = 0; i < nr; i++) {
		struct kvm_wtrack_change *change = &changes[i];

		if (change->__reserved ||
		    !kwt_gfns_valid(change->gfn, change->nr_pages)) {
			kvfree(changes);
			return ERR_PTR(-EINVAL);
		}
		change->out_done = 0;
		change->out_changed = 0;
		change->out_failed = 0;
		change->out_error_gfn = 0;
		change->out_error = 0;
		change->out_skipped = 0;
	}
	return changes;
}

/* Can the outcome be reported? Better known before anything is done. */
static int store_changes(u64 to, const struct kvm_wtrack_change *changes, u32 nr)
{
	return copy_to_user(u64_to_user_ptr(to), changes,
			    nr * sizeof(*changes)) ? -EFAULT : 0;
}

/* ADD, REARM and REMOVE begin with the same fields. */
static int change_ranges(struct kwt_session *session,
			 struct kvm_wtrack_add *arg, enum kwt_range_op op)
{
	struct kvm_wtrack_change *changes;
	int r;
	u32 i;

	arg->out_nr_changes = 0;
	arg->out_failed_pages = 0;
	changes = load_changes(arg->changes, arg->nr_changes);
	if (IS_ERR(changes))
		return PTR_ERR(changes);
	r = store_changes(arg->changes, changes, arg->nr_changes);
	if (r)
		goto out;
	for (i = 0; i < arg->nr_changes && !r; i++) {
		r = kwt_range_change(session, &changes[i], op, arg->flags);
		arg->out_failed_pages += changes[i].out_failed;
		if (!r)
			arg->out_nr_changes++;
	}
	if (store_changes(arg->changes, changes, arg->nr_changes))
		r = -EFAULT;
out:
	kvfree(changes);
	return r;
}

int kwt_ioctl_add(struct kwt_session *session, union kwt_arg *arg)
{
	return change_ranges(session, &arg->add, KWT_RANGE_ADD);
}

int kwt_ioctl_rearm(struct kwt_session *session, union kwt_arg *arg)
{
	BUILD_BUG_ON(offsetof(struct kvm_wtrack_add, out_failed_pages) !=
		     offsetof(struct kvm_wtrack_rearm, out_failed_pages));
	return change_ranges(session, &arg->add, KWT_RANGE_REARM);
}

/*
 * Every hook that began before this call has published what it had to. What
 * vCPUs stored without one, they or others have told before.
 */
static int fence(struct kwt_session *session, u64 *seq)
{
	int r;

	kwt_pending_settle(session);
	r = kwt_fence(session->vm_id);
	if (!r)
		*seq = kwt_ring_head(&session->ring);
	return r;
}

int kwt_ioctl_remove(struct kwt_session *session, union kwt_arg *arg)
{
	int r;

	BUILD_BUG_ON(offsetof(struct kvm_wtrack_add, out_failed_pages) !=
		     offsetof(struct kvm_wtrack_remove, out_failed_pages));
	arg->remove.out_seq = 0;
	/* Of a store to a page that is removed nobody is told later. */
	if (arg->head.flags & KVM_WTRACK_REMOVE_F_FENCE)
		kwt_pending_settle(session);
	else
		kwt_pending_look(session->vm);
	r = change_ranges(session, &arg->add, KWT_RANGE_REMOVE);
	if (!r && arg->head.flags & KVM_WTRACK_REMOVE_F_FENCE)
		r = fence(session, &arg->remove.out_seq);
	return r;
}

int kwt_ioctl_fence(struct kwt_session *session, union kwt_arg *arg)
{
	return fence(session, &arg->fence.out_seq);
}

/*
 * Can the caller's array be written? It is looked at without writing to it: a
 * call that fails changes nothing. The answer may be another one by the time
 * that the array is filled.
 */
static bool output_is_writable(u64 to, size_t bytes)
{
	char __user *user = u64_to_user_ptr(to);

	return access_ok(user, bytes) && !fault_in_safe_writeable(user, bytes);
}

/* Room for the kernel's copy of an array that the caller wants filled. */
void *kwt_output_alloc(u64 to, u32 *nr, size_t bytes)
{
	void *buf;

	if (!*nr)
		return ERR_PTR(-EINVAL);
	*nr = min_t(u32, *nr, KWT_MAX_RANGES);
	/* Before anything is fetched, which would have to be put back. */
	if (!output_is_writable(to, *nr * bytes))
		return ERR_PTR(-EFAULT);
	buf = kvcalloc(*nr, bytes, GFP_KERNEL_ACCOUNT);
	return buf ?: ERR_PTR(-ENOMEM);
}

int kwt_ioctl_query(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_query *query = &arg->query;
	u32 nr = query->nr_ranges, used;
	struct kvm_wtrack_range *ranges;
	u64 gfn = query->gfn;
	int r;

	ranges = kwt_output_alloc(query->ranges, &nr, sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	r = kwt_range_query(session, &gfn, ranges, nr, &used);
	if (!r && copy_to_user(u64_to_user_ptr(query->ranges), ranges,
			       used * sizeof(*ranges)))
		r = -EFAULT;
	kvfree(ranges);
	query->out_nr_ranges = used;
	query->out_next_gfn = gfn;
	return r;
}

int kwt_ioctl_resync(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_resync *resync = &arg->resync;
	struct kvm_wtrack_resync_range *ranges;
	u32 nr = resync->nr_ranges, used;
	bool more;
	int r;

	if (resync->__reserved0)
		return -EINVAL;
	ranges = kwt_output_alloc(resync->ranges, &nr, sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	r = kwt_range_resync(session, ranges, nr, &used, &more);
	if (!r && copy_to_user(u64_to_user_ptr(resync->ranges), ranges,
			       used * sizeof(*ranges))) {
		kwt_range_resync_undo(session, ranges, used);
		r = -EFAULT;
	}
	kvfree(ranges);
	resync->out_nr_ranges = used;
	resync->out_more = more;
	return r;
}
