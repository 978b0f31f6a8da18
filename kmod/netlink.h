/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family: what its files have in common. */
#ifndef KWT_NETLINK_H
#define KWT_NETLINK_H

#include <net/genetlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "kwt.h"

/* netlink.c */
extern struct genl_family kwt_family;

static inline int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KVM_WTRACK_A_PAD);
}

#endif /* KWT_NETLINK_H */
