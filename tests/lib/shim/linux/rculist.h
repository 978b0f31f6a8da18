/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_RCULIST_H
#define SHIM_LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

static inline void hlist_add_head_rcu(struct hlist_node *node,
				      struct hlist_head *head)
{
	struct hlist_node *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	rcu_assign_pointer(head->first, node);
	if (first)
		first->pprev = &node->next;
}

/* Whoever stands on the node finds the way on from it. */
static inline void hlist_del_rcu(struct hlist_node *node)
{
	shim_require(node->pprev);
	WRITE_ONCE(*node->pprev, node->next);
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = NULL;
}

#define hlist_for_each_entry_rcu(pos, head, member, protected)		\
	for (shim_require(protected),					\
	     pos = hlist_entry_safe(rcu_dereference_raw((head)->first),	\
				    __typeof__(*(pos)), member);			\
	     pos;							\
	     pos = hlist_entry_safe(rcu_dereference_raw((pos)->member.next), \
				    __typeof__(*(pos)), member))

#endif
