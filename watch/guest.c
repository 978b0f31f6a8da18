// SPDX-License-Identifier: GPL-2.0-or-later
/* What the main thread does with a guest: guest.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest.h"
#include "log.h"
#include "util.h"

/* Our own functions need little, libsystemd has messages on it. */
#define STACK_BYTES	(512 * 1024)

struct watch_counts *watch_counts_new(void)
{
	struct watch_counts *counts = calloc(1, sizeof(*counts));

	if (counts)
		counts->refs = 1;
	return counts;
}

struct watch_counts *watch_counts_ref(struct watch_counts *counts)
{
	if (counts)
		__atomic_add_fetch(&counts->refs, 1, __ATOMIC_RELAXED);
	return counts;
}

void watch_counts_unref(struct watch_counts *counts)
{
	if (counts && !__atomic_sub_fetch(&counts->refs, 1, __ATOMIC_ACQ_REL))
		free(counts);
}

void guest_orders_clear(struct guest_orders *orders)
{
	size_t i;

	for (i = 0; i < orders->nr_wanted; i++) {
		free(orders->wanted[i].name);
		watch_config_unref(orders->wanted[i].config);
		watch_counts_unref(orders->wanted[i].counts);
	}
	free(orders->wanted);
	free(orders->vm_name);
	*orders = (struct guest_orders) { 0 };
}

int guest_new(struct shared *shared, int vm_pid, struct guest **ret)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return -ENOMEM;
	guest->shared = shared;
	guest->vm_pid = vm_pid;
	guest->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (guest->wake_fd < 0) {
		free(guest);
		return -errno;
	}
	pthread_mutex_init(&guest->lock, NULL);
	journal_init(&guest->journal, JOURNAL_SOCKET);
	*ret = guest;
	return 0;
}

int guest_add_stored(struct guest *guest, const struct stored *stored)
{
	struct stored *grown;

	grown = reallocarray(guest->stored, guest->nr_stored + 1,
			     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	guest->stored = grown;
	grown[guest->nr_stored++] = *stored;
	return 0;
}

/* What it could not do is not tried again and again. */
static void mark_ended(struct guest *guest, bool orderly)
{
	pthread_mutex_lock(&guest->lock);
	guest->has_orders &= orderly;
	guest->ended = true;
	pthread_mutex_unlock(&guest->lock);
}

static void *run(void *argument)
{
	struct guest *guest = argument;
	int r;

	r = guest_begin(guest);
	if (r >= 0)
		r = sd_event_loop(guest->event);
	if (r < 0)
		log_errno(r, "VM %d is not watched", guest->vm_pid);
	guest_end(guest);
	mark_ended(guest, r >= 0);
	shared_tell(guest->shared);
	return NULL;
}

static int start(struct guest *guest)
{
	pthread_attr_t attributes;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	guest->ended = false;
	/* The new thread first looks at its orders, also at those of an earlier one. */
	(void)eventfd_write(guest->wake_fd, 1);
	r = pthread_create(&guest->thread, &attributes, run, guest);
	pthread_attr_destroy(&attributes);
	guest->has_thread = !r;
	if (r)
		mark_ended(guest, false);
	return -r;
}

static void join(struct guest *guest)
{
	if (guest->has_thread)
		pthread_join(guest->thread, NULL);
	guest->has_thread = false;
}

int guest_order(struct guest *guest, struct guest_orders *orders)
{
	struct guest_orders before;
	bool something = orders->nr_wanted || guest->nr_stored;

	pthread_mutex_lock(&guest->lock);
	before = guest->orders;
	/* One that the thread has not looked at. */
	if (before.retry > orders->retry)
		orders->retry = before.retry;
	if (!guest->has_orders && !guest->asked)
		guest->ordered_usec = now_usec();
	guest->orders = *orders;
	guest->has_orders = true;
	pthread_mutex_unlock(&guest->lock);
	*orders = (struct guest_orders) { 0 };
	guest_orders_clear(&before);
	(void)eventfd_write(guest->wake_fd, 1);
	if (guest_has_ended(guest))
		join(guest);
	return guest->has_thread || !something ? 0 : start(guest);
}

void guest_revive(struct guest *guest)
{
	bool needed;
	int r;

	pthread_mutex_lock(&guest->lock);
	needed = guest->ended && guest->has_orders;
	pthread_mutex_unlock(&guest->lock);
	if (!needed)
		return;
	join(guest);
	r = start(guest);
	if (r < 0)
		log_errno(r, "VM %d is not watched", guest->vm_pid);
}

bool guest_is_idle(struct guest *guest)
{
	bool idle;

	pthread_mutex_lock(&guest->lock);
	idle = !guest->nr_reports && !guest->nr_stored && !guest->obeying &&
	       (!guest->has_orders || guest->ended);
	pthread_mutex_unlock(&guest->lock);
	return idle;
}

bool guest_has_ended(struct guest *guest)
{
	bool ended;

	pthread_mutex_lock(&guest->lock);
	ended = guest->ended;
	pthread_mutex_unlock(&guest->lock);
	return ended || !guest->has_thread;
}

void guest_ask(struct guest *guest)
{
	pthread_mutex_lock(&guest->lock);
	if (!guest->has_orders && !guest->asked)
		guest->ordered_usec = now_usec();
	guest->asked = true;
	pthread_mutex_unlock(&guest->lock);
	(void)eventfd_write(guest->wake_fd, 1);
}

uint64_t guest_waits_usec(struct guest *guest)
{
	uint64_t usec = 0;

	pthread_mutex_lock(&guest->lock);
	if ((guest->has_orders || guest->asked) && !guest->ended &&
	    guest->has_thread)
		usec = now_usec() - guest->ordered_usec;
	pthread_mutex_unlock(&guest->lock);
	return usec;
}

int guest_each_report(struct guest *guest,
		      int (*fn)(const struct report *report, void *userdata),
		      void *userdata)
{
	size_t i;
	int r = 0;

	pthread_mutex_lock(&guest->lock);
	for (i = 0; r >= 0 && i < guest->nr_reports; i++)
		r = fn(&guest->reports[i], userdata);
	pthread_mutex_unlock(&guest->lock);
	return r;
}

static void clear_reports(struct guest *guest)
{
	while (guest->nr_reports)
		free(guest->reports[--guest->nr_reports].name);
	free(guest->reports);
	guest->reports = NULL;
}

void guest_free(struct guest *guest)
{
	size_t i;

	if (!guest)
		return;
	join(guest);
	guest_orders_clear(&guest->orders);
	for (i = 0; i < guest->nr_stored; i++) {
		free(guest->stored[i].store_name);
		free(guest->stored[i].name);
		safe_close(guest->stored[i].fd);
	}
	free(guest->stored);
	clear_reports(guest);
	safe_close(guest->wake_fd);
	pthread_mutex_destroy(&guest->lock);
	free(guest);
}
