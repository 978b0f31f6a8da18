// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grace periods. Readers count themselves in one of two counters; a grace
 * period has new ones use the other and waits for those in the first, twice
 * over, since a reader may be late in counting itself.
 *
 * What is given to call_rcu() stays until rcu_barrier(), so that a test can
 * look at it, and the sanitizers find what was freed without it.
 */
#include <pthread.h>
#include <sched.h>

#include <linux/rcupdate.h>

#include "shim.h"

bool shim_nothing_goes;

static unsigned int phase;
static long readers[2];
static _Thread_local unsigned int depth, my_phase;
static _Thread_local bool counted;

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rcu_head *queue;

/* No acquire: a kernel's read side orders no more than this either. */
void rcu_read_lock(void)
{
	if (depth++ || shim_nothing_goes)
		return;
	counted = true;
	my_phase = __atomic_load_n(&phase, __ATOMIC_RELAXED);
	__atomic_fetch_add(&readers[my_phase], 1, __ATOMIC_RELAXED);
	/* Pairs with the fence in synchronize_rcu(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void rcu_read_unlock(void)
{
	shim_require(depth);
	if (--depth || !counted)
		return;
	counted = false;
	__atomic_fetch_sub(&readers[my_phase], 1, __ATOMIC_RELEASE);
}

int rcu_read_lock_sched_held(void)
{
	return depth != 0;
}

void synchronize_rcu(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	unsigned int i, old;

	shim_require(!depth);
	pthread_mutex_lock(&lock);
	for (i = 0; i < 2; i++) {
		old = phase;
		__atomic_store_n(&phase, !old, __ATOMIC_RELAXED);
		/* What was taken out before is taken out for new readers. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		while (__atomic_load_n(&readers[old], __ATOMIC_ACQUIRE))
			sched_yield();
	}
	pthread_mutex_unlock(&lock);
}

/* A head has what is left in it of a union, so it cannot say it itself. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	const struct rcu_head *other;

	shim_require(!shim_nothing_goes);
	pthread_mutex_lock(&queue_lock);
	for (other = queue; other; other = other->next)
		if (other == head)
			shim_broken("given to call_rcu() twice");
	head->func = func;
	head->next = queue;
	queue = head;
	pthread_mutex_unlock(&queue_lock);
}

static struct rcu_head *take_queue(void)
{
	struct rcu_head *head;

	pthread_mutex_lock(&queue_lock);
	head = queue;
	queue = NULL;
	pthread_mutex_unlock(&queue_lock);
	return head;
}

void rcu_barrier(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct rcu_head *head, *next;

	pthread_mutex_lock(&lock);
	head = take_queue();
	if (head)
		synchronize_rcu();
	for (; head; head = next) {
		next = head->next;
		head->func(head);
	}
	pthread_mutex_unlock(&lock);
}
