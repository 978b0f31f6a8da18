/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_LIST_H
#define SHIM_LINUX_LIST_H

#include <linux/compiler.h>
#include <linux/types.h>

/* next may be looked at without a lock, as in the kernel. */
struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	WRITE_ONCE(head->next, head);
	head->prev = head;
}

static inline void list_add_tail(struct list_head *entry,
				 struct list_head *head)
{
	entry->prev = head->prev;
	entry->next = head;
	WRITE_ONCE(head->prev->next, entry);
	head->prev = entry;
}

static inline void list_del_init(struct list_head *entry)
{
	WRITE_ONCE(entry->prev->next, entry->next);
	entry->next->prev = entry->prev;
	INIT_LIST_HEAD(entry);
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	list_add_tail(entry, head->next);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add(entry, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline void list_del(struct list_head *entry)
{
	list_del_init(entry);
}

#define list_for_each_entry(pos, head, member)				\
	for (pos = container_of((head)->next, __typeof__(*(pos)), member); \
	     &(pos)->member != (head);					\
	     pos = container_of((pos)->member.next, __typeof__(*(pos)),	\
				member))

#define list_first_entry_or_null(head, type, member)			\
	(list_empty(head) ? NULL : container_of((head)->next, type, member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define hlist_entry_safe(node, type, member)				\
({									\
	struct hlist_node *shim_node = (node);				\
									\
	shim_node ? container_of(shim_node, type, member) : NULL;	\
})

#define hlist_for_each_entry(pos, head, member)				\
	for (pos = hlist_entry_safe((head)->first, __typeof__(*(pos)),	\
				    member);				\
	     pos;							\
	     pos = hlist_entry_safe((pos)->member.next,			\
				    __typeof__(*(pos)), member))

#define hlist_first_rcu(head)	((head)->first)

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !READ_ONCE(head->first);
}

#endif
