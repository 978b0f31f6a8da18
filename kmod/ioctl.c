// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of a session: ioctl(2) and read(2). A table describes the ioctls,
 * and kwt_ioctl() copies and checks their arguments: each function gets a copy
 * of the size that the kernel knows, whose flags and reserved fields were
 * checked.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "fence.h"
#include "ioctl.h"
#include "kwt.h"

/* Calls that take an array of ranges or fill one, and the fence. */

/*
 * Copy and check the caller's changes and zero their outputs. Returns an
 * ERR_PTR on failure.
 */
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

/*
 * Copy the outcome to the caller. Called before anything is changed as well, so
 * that a call whose outcome cannot be reported changes nothing.
 */
static int store_changes(u64 to, const struct kvm_wtrack_change *changes, u32 nr)
{
	return copy_to_user(u64_to_user_ptr(to), changes,
			    nr * sizeof(*changes)) ? -EFAULT : 0;
}

/* The arguments of ADD, REARM and REMOVE begin with the same fields. */
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

static int ioctl_add(struct kwt_session *session, union kwt_arg *arg)
{
	return change_ranges(session, &arg->add, KWT_RANGE_ADD);
}

static int ioctl_rearm(struct kwt_session *session, union kwt_arg *arg)
{
	BUILD_BUG_ON(offsetof(struct kvm_wtrack_add, out_failed_pages) !=
		     offsetof(struct kvm_wtrack_rearm, out_failed_pages));
	return change_ranges(session, &arg->add, KWT_RANGE_REARM);
}

/*
 * When it returns, every hook that began before has published its records, and
 * stores that KVM made without calling the hook have records as well.
 */
static int fence_session(struct kwt_session *session, u64 *seq)
{
	int r;

	kwt_pending_settle(session);
	r = kwt_fence(session->vm_id);
	if (!r)
		*seq = kwt_ring_head(&session->ring);
	return r;
}

static int ioctl_remove(struct kwt_session *session, union kwt_arg *arg)
{
	int r;

	BUILD_BUG_ON(offsetof(struct kvm_wtrack_add, out_failed_pages) !=
		     offsetof(struct kvm_wtrack_remove, out_failed_pages));
	arg->remove.out_seq = 0;
	/* A store to a removed page gets no record later: report it now. */
	if (arg->head.flags & KVM_WTRACK_REMOVE_F_FENCE)
		kwt_pending_settle(session);
	else
		kwt_pending_look(session->vm);
	r = change_ranges(session, &arg->add, KWT_RANGE_REMOVE);
	if (!r && arg->head.flags & KVM_WTRACK_REMOVE_F_FENCE)
		r = fence_session(session, &arg->remove.out_seq);
	return r;
}

static int ioctl_fence(struct kwt_session *session, union kwt_arg *arg)
{
	return fence_session(session, &arg->fence.out_seq);
}

static int ioctl_query(struct kwt_session *session, union kwt_arg *arg)
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

static int ioctl_resync(struct kwt_session *session, union kwt_arg *arg)
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

/*
 * read(2): whole records, for readers that do not map the ring. It moves the
 * same consumer->pos as a reader of the mapped ring.
 */

/* Copy published records, at most @room. Returns how many. */
static int copy_records(struct kwt_ring *ring, char __user *buf, size_t room)
{
	const size_t bytes = sizeof(struct kvm_wtrack_record);
	struct kvm_wtrack_record record;
	int unread, n = 0;
	u64 pos;

	unread = kwt_ring_unread(ring, &pos);
	if (unread < 0)
		return unread;
	for (; n < unread && n < room && kwt_ring_published(ring, pos + n); n++) {
		record = ring->records[(pos + n) & ring->mask];
		if (copy_to_user(buf + n * bytes, &record, bytes))
			break;
	}
	if (!n)
		return unread && kwt_ring_published(ring, pos) ? -EFAULT : 0;
	/*
	 * Pairs with the acquire in kwt_ring_reserve(): these places are free
	 * again.
	 */
	smp_store_release(&ring->consumer->pos, pos + n);
	/*
	 * A coalescing reader reads the page next: pairs with coalesce_claim().
	 * Also orders the release before the look for waiting vCPUs, see
	 * sync.c.
	 */
	smp_mb();
	if (ring->synchronous)
		kwt_sync_wake(ring);
	return n;
}

static bool ring_is_at_end(struct kwt_ring *ring)
{
	u64 pos;

	return kwt_ring_is_over(ring) && !kwt_ring_unread(ring, &pos);
}

/*
 * Returns the number of bytes, or 0 when everything was read and nothing
 * follows.
 */
ssize_t kwt_read(struct kwt_session *session, char __user *buf, size_t count,
		 bool nonblock)
{
	struct kwt_ring *ring = &session->ring;
	size_t room = count / sizeof(struct kvm_wtrack_record);
	int n;

	n = kwt_ring_check(session);
	if (n)
		return n;
	if (!room)
		return -EINVAL;
	for (;;) {
		if (mutex_lock_interruptible(&session->read_lock))
			return -EINTR;
		n = copy_records(ring, buf, room);
		mutex_unlock(&session->read_lock);
		if (n || ring_is_at_end(ring))
			break;
		if (nonblock)
			return -EAGAIN;
		if (signal_pending(current) ||
		    wait_event_interruptible(session->waitq,
					     kwt_wake_arm(session)))
			return -EINTR;
	}
	return n < 0 ? n : n * sizeof(struct kvm_wtrack_record);
}

static int ioctl_info(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_info *info = &arg->info;

	info->out_features = KVM_WTRACK_FEAT_FOREIGN_ATTACH |
			     KVM_WTRACK_FEAT_COALESCE |
			     KVM_WTRACK_FEAT_VCPU |
			     KVM_WTRACK_FEAT_RIP |
			     KVM_WTRACK_FEAT_RESTRICT |
			     KVM_WTRACK_FEAT_LONG_WRITES |
			     KVM_WTRACK_FEAT_GUARD |
			     KVM_WTRACK_FEAT_BUDGET |
			     KVM_WTRACK_FEAT_NATIVE |
			     KVM_WTRACK_FEAT_READ |
			     KVM_WTRACK_FEAT_REGIONS |
			     KVM_WTRACK_FEAT_STICKY |
			     KVM_WTRACK_FEAT_ONCE |
			     KVM_WTRACK_FEAT_SYNC |
			     KVM_WTRACK_FEAT_TUNE |
			     KVM_WTRACK_FEAT_CONTROL |
			     KVM_WTRACK_FEAT_MODES;
	info->out_max_pages = READ_ONCE(kwt_max_pages);
	info->out_min_records = KWT_MIN_RECORDS;
	info->out_max_records = READ_ONCE(kwt_max_records);
	info->out_max_sessions = READ_ONCE(kwt_max_sessions);
	info->out_max_users = READ_ONCE(kwt_max_users);
	info->out_max_ranges = KWT_MAX_RANGES;
	info->out_max_latency_us = KWT_MAX_LATENCY_US;
	info->out_record_bytes = sizeof(struct kvm_wtrack_record);
	info->out_data_bytes = KVM_WTRACK_DATA_BYTES;
	info->out_max_budget = KWT_MAX_BUDGET;
	info->out_max_period_ms = KWT_MAX_PERIOD_MS;
	info->out_backoff_max_ms = READ_ONCE(kwt_guard_max_ms);
	info->out_max_sync_us = KWT_MAX_SYNC_US;
	info->out_backoff_min_ms = min(READ_ONCE(kwt_guard_min_ms),
				       info->out_backoff_max_ms);
	info->out_max_read_bytes = KWT_MAX_READ_BYTES;
	info->out_read_bytes_per_s = kwt_read_bytes_per_s();
	return 0;
}

static int ioctl_attach(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_attach *attach = &arg->attach;
	int r;

	if (attach->__reserved0)
		return -EINVAL;
	r = kwt_session_attach(session, attach->vm_fd);
	if (r)
		return r;
	attach->out_vm_id = kwt_session_vm(session)->id;
	attach->out_session_id = session->id;
	return 0;
}

static int ioctl_status(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_status *status = &arg->status;
	u32 size = status->size;

	memset(status, 0, sizeof(*status));
	status->size = size;
	kwt_status(session, status);
	return 0;
}

static int ioctl_restrict(struct kwt_session *session, union kwt_arg *arg)
{
	if (arg->restrict_.__reserved0)
		return -EINVAL;
	return kwt_restrict(session, &arg->restrict_);
}

static int ioctl_ring(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_ring *ring = &arg->ring;
	int r;

	if (ring->__reserved0)
		return -EINVAL;
	r = kwt_ring_make(session, ring);
	if (r)
		return r;
	ring->out_record_bytes = sizeof(struct kvm_wtrack_record);
	ring->out_consumer_offset = KWT_CONSUMER_OFFSET;
	ring->out_consumer_bytes = PAGE_SIZE;
	ring->out_records_offset = KWT_RECORDS_OFFSET;
	ring->out_records_bytes = kwt_ring_records_bytes(session);
	return 0;
}

static int ioctl_tune(struct kwt_session *session, union kwt_arg *arg)
{
	if (arg->tune.__reserved0)
		return -EINVAL;
	return kwt_tune(session, &arg->tune);
}

static int ioctl_query_gfn(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_query_gfn *query = &arg->query_gfn;
	struct kwt_vm *vm = session->vm;
	int r;

	if (!kwt_gfns_valid(query->gfn, 1))
		return -EINVAL;
	r = kwt_restrict_check(session, query->gfn);
	if (r)
		return r;
	query->out_users = 0;
	query->out_state = 0;
	mutex_lock(&vm->lock);
	if (!vm->gone) {
		query->out_state = kwt_set_state(&session->set, query->gfn);
		if (session->limits.rights & KVM_WTRACK_RIGHT_OTHERS)
			query->out_users = kwt_space_users(&vm->space,
							   query->gfn);
		else if (query->out_state & KVM_WTRACK_GFN_TRACKED)
			query->out_users = 1;
	}
	mutex_unlock(&vm->lock);
	return 0;
}

/* The reader has set consumer->pos before the call. */
static int ioctl_release(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_release *release = &arg->release;

	if (!(release->flags & KVM_WTRACK_RELEASE_F_LOOK))
		kwt_sync_wake(&session->ring);
	kwt_sync_look(&session->ring, &release->out_waiters,
		      &release->out_signalled);
	return 0;
}

enum needs { NOTHING, NO_END, A_VM, A_RING, A_RING_OR_END };

/*
 * Which outputs are copied to the caller: none, those of a call that succeeds,
 * or also those of a call that fails half-way.
 */
enum returns { NO_OUTPUT, OUTPUT, PROGRESS };

static const struct call {
	u32 size;
	u32 min_size;
	u32 flags;
	enum needs needs;
	enum returns returns;
	int (*fn)(struct kwt_session *session, union kwt_arg *arg);
} calls[] = {
#define CALL(nr, name, flags_, needs_, returns_, fn_)			\
	[_IOC_NR(nr)] = {						\
		.size = sizeof(struct kvm_wtrack_ ## name),		\
		.min_size = offsetof(struct kvm_wtrack_ ## name,	\
				     __reserved),			\
		.flags = flags_, .needs = needs_,			\
		.returns = returns_, .fn = fn_,				\
	}
	CALL(KVM_WTRACK_INFO, info, 0, NOTHING, OUTPUT, ioctl_info),
	CALL(KVM_WTRACK_ATTACH, attach, 0, NO_END, OUTPUT, ioctl_attach),
	CALL(KVM_WTRACK_STATUS, status, 0, NOTHING, OUTPUT, ioctl_status),
	CALL(KVM_WTRACK_RESTRICT, restrict, 0, NO_END, NO_OUTPUT,
	     ioctl_restrict),
	CALL(KVM_WTRACK_RING, ring,
	     KVM_WTRACK_RING_F_COALESCE | KVM_WTRACK_RING_F_STOP |
	     KVM_WTRACK_RING_F_NATIVE | KVM_WTRACK_RING_F_STICKY |
	     KVM_WTRACK_RING_F_ONCE | KVM_WTRACK_RING_F_SYNC, A_VM, OUTPUT,
	     ioctl_ring),
	CALL(KVM_WTRACK_TUNE, tune,
	     KVM_WTRACK_TUNE_F_WAKEUP | KVM_WTRACK_TUNE_F_BUDGET |
	     KVM_WTRACK_TUNE_F_SYNC, A_RING, NO_OUTPUT, ioctl_tune),
	CALL(KVM_WTRACK_ADD, add,
	     KVM_WTRACK_ADD_F_NOWAIT | KVM_WTRACK_ADD_F_SKIP_HOLES, A_RING,
	     PROGRESS, ioctl_add),
	CALL(KVM_WTRACK_REMOVE, remove, KVM_WTRACK_REMOVE_F_FENCE, A_RING,
	     PROGRESS, ioctl_remove),
	CALL(KVM_WTRACK_QUERY, query, 0, A_RING, OUTPUT, ioctl_query),
	CALL(KVM_WTRACK_QUERY_GFN, query_gfn, 0, A_VM, OUTPUT, ioctl_query_gfn),
	CALL(KVM_WTRACK_RESYNC, resync, 0, A_RING_OR_END, OUTPUT,
	     ioctl_resync),
	CALL(KVM_WTRACK_FENCE, fence, 0, A_RING, OUTPUT, ioctl_fence),
	CALL(KVM_WTRACK_REGIONS, regions, 0, A_VM, OUTPUT, kwt_ioctl_regions),
	CALL(KVM_WTRACK_READ, read, KVM_WTRACK_READ_F_NOFAULT, A_VM, PROGRESS,
	     kwt_ioctl_read),
	CALL(KVM_WTRACK_REARM, rearm, KVM_WTRACK_REARM_F_NOWAIT, A_RING,
	     PROGRESS, ioctl_rearm),
	CALL(KVM_WTRACK_RELEASE, release, KVM_WTRACK_RELEASE_F_LOOK, A_RING,
	     OUTPUT, ioctl_release),
#undef CALL
};

static const struct call *find_call(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);
	const struct call *call;

	if (nr >= ARRAY_SIZE(calls) || cmd != _IO(KVM_WTRACK_MAGIC, nr))
		return NULL;
	call = &calls[array_index_nospec(nr, ARRAY_SIZE(calls))];
	/* Some numbers have no call. */
	return call->fn ? call : NULL;
}

/* Copy and check the argument by the size that the caller gives in it. */
static int load_arg(const struct call *call, union kwt_arg *arg,
		    void __user *user, u32 *size)
{
	int r;

	if (get_user(*size, (u32 __user *)user))
		return -EFAULT;
	if (*size < call->min_size || *size > PAGE_SIZE)
		return -EINVAL;
	r = copy_struct_from_user(arg, call->size, user, *size);
	if (r)
		return r;
	arg->head.size = *size;
	*size = min(*size, call->size);
	if (arg->head.flags & ~call->flags ||
	    memchr_inv((u8 *)arg + call->min_size, 0,
		       call->size - call->min_size))
		return -EINVAL;
	/*
	 * Refuse an argument that cannot be written before anything is changed.
	 */
	return call->returns != NO_OUTPUT &&
	       copy_to_user(user, arg, *size) ? -EFAULT : 0;
}

static int check_needs(struct kwt_session *session, enum needs needs)
{
	int r = 0;

	if (needs != NOTHING && needs != A_RING_OR_END)
		r = kwt_session_check(session);
	if (r)
		return r;
	switch (needs) {
	case A_VM:
		return kwt_session_vm(session) ? 0 : -ENOTCONN;
	case A_RING:
	case A_RING_OR_END:
		return kwt_ring_check(session);
	default:
		return 0;
	}
}

long kwt_ioctl(struct kwt_session *session, unsigned int cmd, void __user *user)
{
	const struct call *call = find_call(cmd);
	union kwt_arg arg;
	u32 size;
	int r;

	if (!call)
		return -ENOTTY;
	r = load_arg(call, &arg, user, &size);
	if (r)
		return r;
	r = check_needs(session, call->needs);
	if (r)
		return r;
	r = call->fn(session, &arg);
	if (call->returns == NO_OUTPUT || (r && call->returns != PROGRESS))
		return r;
	return copy_to_user(user, &arg, size) ? -EFAULT : r;
}
