// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: dumps of what is there, notices of what happens. For
 * administrators; the events themselves do not come this way.
 *
 * A dump goes on, message by message, behind the ids that the one before ended
 * with; ids only grow. It never holds the list of VMs while it looks at one.
 */
#include <linux/module.h>
#include <linux/pid.h>
#include <net/genetlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "kwt.h"

static struct genl_family family;

/* Kept between two messages: what was dumped last. */
struct cursor {
	u64 vm;		/* done with */
	u64 inside;	/* VM that session and gfn belong to */
	u64 session;
	u64 gfn;
};

static struct cursor *cursor_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct cursor) > sizeof(cb->ctx));
	return (struct cursor *)cb->ctx;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KVM_WTRACK_A_PAD);
}

static void *start(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &family, NLM_F_MULTI, cmd);
}

static int finish(struct sk_buff *skb, void *head, int r)
{
	if (r) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int fill_vm(struct sk_buff *skb, struct netlink_callback *cb,
		   struct kwt_vm *vm)
{
	void *head = start(skb, cb, KVM_WTRACK_CMD_GET_VM);
	int r;

	if (!head)
		return -EMSGSIZE;
	mutex_lock(&vm->lock);
	r = put_u64(skb, KVM_WTRACK_A_VM_ID, vm->id) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_VM_PID, pid_nr(vm->pid)) ?:
	    (vm->gone ? nla_put_flag(skb, KVM_WTRACK_A_VM_GONE) : 0) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_SESSIONS, vm->nr_sessions) ?:
	    put_u64(skb, KVM_WTRACK_A_MEMORY_BYTES,
		    sizeof(*vm) + vm->space.bytes);
	mutex_unlock(&vm->lock);
	return finish(skb, head, r);
}

static int dump_vms(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);
	struct kwt_vm *vm;
	int r = 0;

	while (!r && (vm = kwt_vm_next(cursor->vm))) {
		r = fill_vm(skb, cb, vm);
		if (!r)
			cursor->vm = vm->id;
		kwt_vm_put(vm);
	}
	return skb->len;
}

/* A VM that went between two messages leaves nothing to go on from. */
static void cursor_enter(struct cursor *cursor, const struct kwt_vm *vm)
{
	if (cursor->inside == vm->id)
		return;
	cursor->inside = vm->id;
	cursor->session = 0;
	cursor->gfn = 0;
}

/* The VM's first session behind the cursor. Under vm->lock. */
static struct kwt_session *next_session(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;

	list_for_each_entry(session, &vm->sessions, in_vm)
		if (session->id > id)
			return session;
	return NULL;
}

static int put_counters(struct sk_buff *skb,
			const struct kvm_wtrack_status *status)
{
	return nla_put_u32(skb, KVM_WTRACK_A_STATE, status->out_state) ?:
	       nla_put_u32(skb, KVM_WTRACK_A_RECORDS, status->out_records) ?:
	       nla_put_u32(skb, KVM_WTRACK_A_UNREAD, status->out_unread) ?:
	       put_u64(skb, KVM_WTRACK_A_PAGES, status->out_pages) ?:
	       put_u64(skb, KVM_WTRACK_A_EVENTS, status->out_events) ?:
	       put_u64(skb, KVM_WTRACK_A_MERGED, status->out_merged) ?:
	       put_u64(skb, KVM_WTRACK_A_OVERFLOWS, status->out_overflows) ?:
	       put_u64(skb, KVM_WTRACK_A_RESYNC_WRITES,
		       status->out_resync_writes) ?:
	       put_u64(skb, KVM_WTRACK_A_REGIONS_REMOVED,
		       status->out_regions_removed) ?:
	       put_u64(skb, KVM_WTRACK_A_WAKEUPS, status->out_wakeups) ?:
	       put_u64(skb, KVM_WTRACK_A_MEMORY_BYTES,
		       status->out_memory_bytes) ?:
	       put_u64(skb, KVM_WTRACK_A_DISARMS, status->out_disarms) ?:
	       put_u64(skb, KVM_WTRACK_A_OVER_BUDGET,
		       status->out_over_budget) ?:
	       put_u64(skb, KVM_WTRACK_A_REARMS, status->out_rearms) ?:
	       put_u64(skb, KVM_WTRACK_A_UNREPORTED, status->out_unreported);
}

static int fill_session(struct sk_buff *skb, struct netlink_callback *cb,
			struct kwt_vm *vm, struct kwt_session *session)
{
	void *head = start(skb, cb, KVM_WTRACK_CMD_GET_SESSION);
	struct kvm_wtrack_status status = {};
	int r;

	if (!head)
		return -EMSGSIZE;
	kwt_status_locked(session, vm, &status);
	r = put_u64(skb, KVM_WTRACK_A_SESSION_ID, session->id) ?:
	    put_u64(skb, KVM_WTRACK_A_VM_ID, vm->id) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_OPENER_PID, pid_nr(session->opener)) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_OPENER_UID,
			from_kuid_munged(&init_user_ns, session->opener_uid)) ?:
	    put_counters(skb, &status);
	return finish(skb, head, r);
}

static int dump_sessions_of(struct sk_buff *skb, struct netlink_callback *cb,
			    struct kwt_vm *vm)
{
	struct cursor *cursor = cursor_of(cb);
	struct kwt_session *session;
	int r = 0;

	cursor_enter(cursor, vm);
	mutex_lock(&vm->lock);
	while (!r && (session = next_session(vm, cursor->session))) {
		r = fill_session(skb, cb, vm, session);
		if (!r)
			cursor->session = session->id;
	}
	mutex_unlock(&vm->lock);
	return r;
}

static int dump_sessions(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);
	struct kwt_vm *vm;
	int r = 0;

	while (!r && (vm = kwt_vm_next(cursor->vm))) {
		r = dump_sessions_of(skb, cb, vm);
		if (!r)
			cursor->vm = vm->id;
		kwt_vm_put(vm);
	}
	return skb->len;
}

static int fill_range(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct kvm_wtrack_range *range)
{
	void *head = start(skb, cb, KVM_WTRACK_CMD_GET_RANGE);
	int r;

	if (!head)
		return -EMSGSIZE;
	r = put_u64(skb, KVM_WTRACK_A_GFN, range->gfn) ?:
	    put_u64(skb, KVM_WTRACK_A_NR_PAGES, range->nr_pages);
	return finish(skb, head, r);
}

/* The ranges of session @id, if it is on this VM. Under vm->lock. */
static int dump_ranges_of(struct sk_buff *skb, struct netlink_callback *cb,
			  struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session = next_session(vm, id - 1);
	struct cursor *cursor = cursor_of(cb);
	struct kvm_wtrack_range range;
	int r = 0;
	u64 gfn;

	if (!session || session->id != id)
		return 0;
	cursor_enter(cursor, vm);
	gfn = cursor->gfn;
	while (!r && gfn != U64_MAX && !vm->gone) {
		if (kwt_set_query(&session->set, &gfn, &range, 1))
			r = fill_range(skb, cb, &range);
		if (!r)
			cursor->gfn = gfn;
	}
	return r;
}

/* Checked against the policy by generic netlink; 0 names no session. */
static u64 asked_session(struct netlink_callback *cb)
{
	struct nlattr *id = nlmsg_find_attr(cb->nlh, GENL_HDRLEN,
					    KVM_WTRACK_A_SESSION_ID);

	return id ? nla_get_u64(id) : 0;
}

static int start_ranges(struct netlink_callback *cb)
{
	return asked_session(cb) ? 0 : -EINVAL;
}

static int dump_ranges(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);
	struct kwt_vm *vm;
	int r = 0;

	while (!r && (vm = kwt_vm_next(cursor->vm))) {
		mutex_lock(&vm->lock);
		r = dump_ranges_of(skb, cb, vm, asked_session(cb));
		mutex_unlock(&vm->lock);
		if (!r)
			cursor->vm = vm->id;
		kwt_vm_put(vm);
	}
	return skb->len;
}

static const struct nla_policy range_policy[KVM_WTRACK_A_MAX + 1] = {
	[KVM_WTRACK_A_SESSION_ID] = { .type = NLA_U64 },
};

static const struct genl_ops ops[] = {
	{
		.cmd = KVM_WTRACK_CMD_GET_VM,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_vms,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_SESSION,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_sessions,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_RANGE,
		.flags = GENL_ADMIN_PERM,
		.start = start_ranges,
		.dumpit = dump_ranges,
		.policy = range_policy,
		.maxattr = KVM_WTRACK_A_MAX,
	},
};

static const struct genl_multicast_group groups[] = {
	{
		.name = KVM_WTRACK_GENL_GROUP,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

static struct genl_family family __ro_after_init = {
	.name = KVM_WTRACK_GENL_NAME,
	.version = KVM_WTRACK_GENL_VERSION,
	.maxattr = KVM_WTRACK_A_MAX,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.parallel_ops = true,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

static int fill_notice(struct sk_buff *skb, struct kwt_session *session,
		       u8 event, const struct kvm_wtrack_range *range,
		       u64 nr_tracked)
{
	/* Not session->vm, which is gone before the last notice is sent. */
	return nla_put_u8(skb, KVM_WTRACK_A_EVENT, event) ?:
	       put_u64(skb, KVM_WTRACK_A_SESSION_ID, session->id) ?:
	       put_u64(skb, KVM_WTRACK_A_VM_ID, session->vm_id) ?:
	       nla_put_u32(skb, KVM_WTRACK_A_VM_PID, pid_nr(session->vm_pid)) ?:
	       (range ? (put_u64(skb, KVM_WTRACK_A_GFN, range->gfn) ?:
			 put_u64(skb, KVM_WTRACK_A_NR_PAGES, range->nr_pages) ?:
			 put_u64(skb, KVM_WTRACK_A_NR_TRACKED, nr_tracked)) : 0);
}

/* Whoever does not listen misses it; a dump tells what is. */
static struct sk_buff *start_notice(void **head)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&family, &init_net, 0))
		return NULL;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	*head = genlmsg_put(skb, 0, 0, &family, 0, KVM_WTRACK_CMD_NOTICE);
	return skb;
}

static void finish_notice(struct sk_buff *skb, void *head, int r)
{
	if (!head || r) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&family, skb, 0, 0, GFP_KERNEL);
}

static void send_notice(struct kwt_session *session, u8 event,
			const struct kvm_wtrack_range *range, u64 nr_tracked)
{
	void *head;
	struct sk_buff *skb = start_notice(&head);

	if (skb)
		finish_notice(skb, head, head ? fill_notice(skb, session, event,
							    range, nr_tracked) :
						-EMSGSIZE);
}

/* By the worker that arms again, so not more often than it runs. */
void kwt_notice_guard(struct kwt_vm *vm)
{
	u64 disarms = atomic64_read(&vm->disarms), new = disarms - vm->noticed;
	struct sk_buff *skb;
	void *head;
	int r;

	vm->noticed = disarms;
	skb = new ? start_notice(&head) : NULL;
	if (!skb)
		return;
	r = !head ? -EMSGSIZE :
	    nla_put_u8(skb, KVM_WTRACK_A_EVENT, KVM_WTRACK_EVENT_GUARD) ?:
	    put_u64(skb, KVM_WTRACK_A_VM_ID, vm->id) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_VM_PID, pid_nr(vm->pid)) ?:
	    put_u64(skb, KVM_WTRACK_A_GFN,
		    READ_ONCE(vm->last_gpa) >> KWT_PAGE_SHIFT) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_CAUSE, READ_ONCE(vm->last_cause)) ?:
	    put_u64(skb, KVM_WTRACK_A_DISARMS, new);
	finish_notice(skb, head, r);
}

void kwt_notice_session(struct kwt_session *session, u8 event)
{
	send_notice(session, event, NULL, 0);
}

void kwt_notice_region(struct kwt_session *session, u64 gfn, u64 nr_pages,
		       u64 nr_tracked)
{
	const struct kvm_wtrack_range range = { gfn, nr_pages };

	send_notice(session, KVM_WTRACK_EVENT_REGION_REMOVED, &range,
		    nr_tracked);
}

static void notice_overflow(struct work_struct *work)
{
	struct kwt_session *session =
		container_of(work, struct kwt_session, notice_work);

	kwt_notice_session(session, KVM_WTRACK_EVENT_OVERFLOW);
}

void kwt_notice_init(struct kwt_session *session)
{
	INIT_WORK(&session->notice_work, notice_overflow);
}

/* From a write hook, which cannot allocate. */
void kwt_notice_overflow(struct kwt_ring *ring)
{
	struct kwt_session *session =
		container_of(ring, struct kwt_session, ring);

	queue_work(kwt_wq, &session->notice_work);
}

int __init kwt_netlink_register(void)
{
	return genl_register_family(&family);
}

void kwt_netlink_unregister(void)
{
	genl_unregister_family(&family);
}

MODULE_ALIAS_GENL_FAMILY(KVM_WTRACK_GENL_NAME);
