// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests of administrators by generic netlink: dumps of VMs, sessions and
 * ranges, and the end of a session.
 *
 * Each message of a dump continues after the ids with which the message before
 * ended; ids only grow. A dump does not hold the lock of the list of VMs while
 * it looks at a VM.
 */
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

#include "netlink.h"
#include "vcpu.h"

/* Where the dump continues, kept between two messages. */
struct cursor {
	u64 vm;		/* the last VM that is complete */
	u64 inside;	/* the VM that @session and @gfn belong to */
	u64 session;
	u64 gfn;
	u64 waiting;	/* session without a VM */
	struct pid_namespace *pids;	/* of the process that made the request */
};

static struct cursor *cursor_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct cursor) > sizeof(cb->ctx));
	return (struct cursor *)cb->ctx;
}

/*
 * Runs in the process that made the request. Another process may read the
 * answer.
 */
static int dump_start(struct netlink_callback *cb)
{
	cursor_of(cb)->pids = get_pid_ns(task_active_pid_ns(current));
	return 0;
}

static int dump_done(struct netlink_callback *cb)
{
	put_pid_ns(cursor_of(cb)->pids);
	return 0;
}

static u32 pid_for(struct netlink_callback *cb, struct pid *pid)
{
	return pid_nr_ns(pid, cursor_of(cb)->pids);
}

static void *start_message(struct sk_buff *skb, struct netlink_callback *cb,
			   u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &kwt_family, NLM_F_MULTI, cmd);
}

static int finish_message(struct sk_buff *skb, void *head, int r)
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
	void *head = start_message(skb, cb, KVM_WTRACK_CMD_GET_VM);
	int r;

	if (!head)
		return -EMSGSIZE;
	mutex_lock(&vm->lock);
	r = put_u64(skb, KVM_WTRACK_A_VM_ID, vm->id) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_VM_PID, pid_for(cb, vm->pid)) ?:
	    (vm->gone && !vm->deserted ?
	     nla_put_flag(skb, KVM_WTRACK_A_VM_GONE) : 0) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_SESSIONS, vm->nr_sessions) ?:
	    put_u64(skb, KVM_WTRACK_A_PAGES,
		    vm->gone ? 0 : READ_ONCE(vm->space.pages)) ?:
	    put_u64(skb, KVM_WTRACK_A_WRITES, kwt_vcpus_writes(&vm->space)) ?:
	    put_u64(skb, KVM_WTRACK_A_MEMORY_BYTES,
		    sizeof(*vm) + vm->space.bytes);
	mutex_unlock(&vm->lock);
	return finish_message(skb, head, r);
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

/*
 * Start with this VM. If the VM of @inside was freed between two messages, its
 * place is void.
 */
static void cursor_enter(struct cursor *cursor, const struct kwt_vm *vm)
{
	if (cursor->inside == vm->id)
		return;
	cursor->inside = vm->id;
	cursor->session = 0;
	cursor->gfn = 0;
}

/*
 * Returns the VM's first session with an id above @id. The caller holds
 * vm->lock.
 */
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

/* @vm is NULL for a session that waits for one. */
static int fill_session(struct sk_buff *skb, struct netlink_callback *cb,
			struct kwt_vm *vm, struct kwt_session *session)
{
	void *head = start_message(skb, cb, KVM_WTRACK_CMD_GET_SESSION);
	struct kvm_wtrack_status status = {};
	int r;

	if (!head)
		return -EMSGSIZE;
	kwt_status_locked(session, vm, &status);
	r = put_u64(skb, KVM_WTRACK_A_SESSION_ID, session->id) ?:
	    put_u64(skb, KVM_WTRACK_A_VM_ID, vm ? vm->id : 0) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_OPENER_PID,
			pid_for(cb, session->opener)) ?:
	    nla_put_u32(skb, KVM_WTRACK_A_OPENER_UID,
			from_kuid_munged(&init_user_ns, session->opener_uid)) ?:
	    put_counters(skb, &status);
	return finish_message(skb, head, r);
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

struct message {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

static int fill_waiting(struct kwt_session *session, void *arg)
{
	struct message *message = arg;

	return fill_session(message->skb, message->cb, NULL, session);
}

/*
 * Sessions that wait for a VM come first: a session that attaches meanwhile is
 * dumped once or twice, and never left out, whatever its id.
 */
static int dump_sessions(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *cursor = cursor_of(cb);
	struct message message = { skb, cb };
	struct kwt_vm *vm;
	int r;

	r = kwt_session_each_waiting(&cursor->waiting, fill_waiting, &message);

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
	void *head = start_message(skb, cb, KVM_WTRACK_CMD_GET_RANGE);
	int r;

	if (!head)
		return -EMSGSIZE;
	r = put_u64(skb, KVM_WTRACK_A_GFN, range->gfn) ?:
	    put_u64(skb, KVM_WTRACK_A_NR_PAGES, range->nr_pages);
	return finish_message(skb, head, r);
}

/*
 * Dump the ranges of session @id, if it is on this VM. The caller holds
 * vm->lock.
 */
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

/*
 * The session that the request names, or 0. Generic netlink has checked the
 * attribute against the policy.
 */
static u64 asked_session(struct netlink_callback *cb)
{
	struct nlattr *id = nlmsg_find_attr(cb->nlh, GENL_HDRLEN,
					    KVM_WTRACK_A_SESSION_ID);

	return id ? nla_get_u64(id) : 0;
}

static int dump_ranges_start(struct netlink_callback *cb)
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

static const struct nla_policy session_policy[KVM_WTRACK_A_MAX + 1] = {
	[KVM_WTRACK_A_SESSION_ID] = { .type = NLA_U64 },
};

static int end_session(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[KVM_WTRACK_A_SESSION_ID];
	int r;

	if (!id)
		return -EINVAL;
	/*
	 * The session may be closed meanwhile, and is then freed by this
	 * module's work queue.
	 */
	if (!try_module_get(THIS_MODULE))
		return -ENOENT;
	r = kwt_session_end(nla_get_u64(id));
	module_put(THIS_MODULE);
	return r;
}

static const struct genl_ops ops[] = {
	{
		.cmd = KVM_WTRACK_CMD_GET_VM,
		.flags = GENL_ADMIN_PERM,
		.start = dump_start,
		.dumpit = dump_vms,
		.done = dump_done,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_SESSION,
		.flags = GENL_ADMIN_PERM,
		.start = dump_start,
		.dumpit = dump_sessions,
		.done = dump_done,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_RANGE,
		.flags = GENL_ADMIN_PERM,
		.start = dump_ranges_start,
		.dumpit = dump_ranges,
		.policy = session_policy,
		.maxattr = KVM_WTRACK_A_MAX,
	},
	{
		.cmd = KVM_WTRACK_CMD_END_SESSION,
		.flags = GENL_ADMIN_PERM,
		.doit = end_session,
		.policy = session_policy,
		.maxattr = KVM_WTRACK_A_MAX,
	},
};

int __init kwt_netlink_register(void)
{
	kwt_family.ops = ops;
	kwt_family.n_ops = ARRAY_SIZE(ops);
	return genl_register_family(&kwt_family);
}

void kwt_netlink_unregister(void)
{
	genl_unregister_family(&kwt_family);
}

MODULE_ALIAS_GENL_FAMILY(KVM_WTRACK_GENL_NAME);
