// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink, for administrators: the family, and notices of what happens.
 * The requests are in netlink_dump.c. Events of pages are not sent this way.
 */
#include <linux/pid.h>

#include "compat/genl.h"
#include "netlink.h"

static const struct genl_multicast_group groups[] = {
	{
		.name = KVM_WTRACK_GENL_GROUP,
		.flags = KWT_GENL_GROUP_ADMIN,
	},
};

struct genl_family kwt_family __ro_after_init = {
	.name = KVM_WTRACK_GENL_NAME,
	.version = KVM_WTRACK_GENL_VERSION,
	.maxattr = KVM_WTRACK_A_MAX,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};


/*
 * Notices. All listeners get the same message, whatever pid namespace they are
 * in.
 */

static int fill_notice(struct sk_buff *skb, struct kwt_session *session,
		       u8 event, const struct kvm_wtrack_range *range,
		       u64 nr_tracked)
{
	/* Not from session->vm, which is put before the last notice is sent. */
	return nla_put_u8(skb, KVM_WTRACK_A_EVENT, event) ?:
	       put_u64(skb, KVM_WTRACK_A_SESSION_ID, session->id) ?:
	       put_u64(skb, KVM_WTRACK_A_VM_ID, session->vm_id) ?:
	       nla_put_u32(skb, KVM_WTRACK_A_VM_PID_INIT,
			   pid_nr(session->vm_pid)) ?:
	       (range ? (put_u64(skb, KVM_WTRACK_A_GFN, range->gfn) ?:
			 put_u64(skb, KVM_WTRACK_A_NR_PAGES, range->nr_pages) ?:
			 put_u64(skb, KVM_WTRACK_A_NR_TRACKED, nr_tracked)) : 0);
}

/*
 * Returns NULL when there is no listener; a listener that comes later asks for
 * a dump.
 */
static struct sk_buff *start_notice(void **head)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&kwt_family, &init_net, 0))
		return NULL;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	*head = genlmsg_put(skb, 0, 0, &kwt_family, 0, KVM_WTRACK_CMD_NOTICE);
	return skb;
}

static void finish_notice(struct sk_buff *skb, void *head, int r)
{
	if (!head || r) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&kwt_family, skb, 0, 0, GFP_KERNEL);
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

/* Called by the worker of rearm.c, so at most once each time that it runs. */
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
	    nla_put_u32(skb, KVM_WTRACK_A_VM_PID_INIT, pid_nr(vm->pid)) ?:
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
