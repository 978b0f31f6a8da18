/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family: what its files have in common. */
#ifndef KWT_NETLINK_H
#define KWT_NETLINK_H

#include <net/genetlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "kwt.h"

/* netlink.c */
extern struct genl_family kwt_family;

/* netlink_dump.c */
int kwt_dump_start(struct netlink_callback *cb);
int kwt_dump_done(struct netlink_callback *cb);
int kwt_dump_vms(struct sk_buff *skb, struct netlink_callback *cb);
int kwt_dump_sessions(struct sk_buff *skb, struct netlink_callback *cb);
int kwt_dump_ranges_start(struct netlink_callback *cb);
int kwt_dump_ranges(struct sk_buff *skb, struct netlink_callback *cb);

static inline int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KVM_WTRACK_A_PAD);
}

#endif /* KWT_NETLINK_H */
