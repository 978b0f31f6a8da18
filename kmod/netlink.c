// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: dumps of what is there, notices of what happens, and the end of
 * a session. For administrators; the events themselves do not come this way.
 */
#include <linux/module.h>

#include "netlink.h"

static const struct nla_policy session_policy[KVM_WTRACK_A_MAX + 1] = {
	[KVM_WTRACK_A_SESSION_ID] = { .type = NLA_U64 },
};

static int end_session(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[KVM_WTRACK_A_SESSION_ID];
	int r;

	if (!id)
		return -EINVAL;
	/* The session may be closed meanwhile: it is freed by our work queue. */
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
		.start = kwt_dump_start,
		.dumpit = kwt_dump_vms,
		.done = kwt_dump_done,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_SESSION,
		.flags = GENL_ADMIN_PERM,
		.start = kwt_dump_start,
		.dumpit = kwt_dump_sessions,
		.done = kwt_dump_done,
	},
	{
		.cmd = KVM_WTRACK_CMD_GET_RANGE,
		.flags = GENL_ADMIN_PERM,
		.start = kwt_dump_ranges_start,
		.dumpit = kwt_dump_ranges,
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

static const struct genl_multicast_group groups[] = {
	{
		.name = KVM_WTRACK_GENL_GROUP,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family kwt_family __ro_after_init = {
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

int __init kwt_netlink_register(void)
{
	return genl_register_family(&kwt_family);
}

void kwt_netlink_unregister(void)
{
	genl_unregister_family(&kwt_family);
}

MODULE_ALIAS_GENL_FAMILY(KVM_WTRACK_GENL_NAME);
