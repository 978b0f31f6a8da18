// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starts the threads that look into processes, limits their number, and hands their
 * results to the event loop.
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "look.h"
#include "look_internal.h"
#include "manager.h"
#include "util.h"

/* For paths, and what libc needs for folders. */
#define STACK_SIZE	(256 * 1024)

struct look {
	LIST_ENTRY(look) link;		/* in looks->all */
	SLIST_ENTRY(look) over;		/* in looks->over; looks->lock */
	struct looks *looks;
	uid_t uid;
	look_fn fn;			/* NULL when nobody waits */
	void *userdata;
	struct look_at at;		/* the thread's, until it is over */
};

/* All but the lock and what it protects is the event loop's. */
struct looks {
	LIST_HEAD(, look) all;
	sd_event_source *source;	/* of event_fd */

	pthread_mutex_t lock;
	SLIST_HEAD(, look) over;	/* their threads are done */
	int event_fd;			/* readable when there are such */
	unsigned int nr_threads;
	bool closed;			/* the last thread frees everything */
};

static void result_done(struct look_result *result)
{
	result->pidfd = safe_close(result->pidfd);
	proc_info_done(&result->info);
	free(TAKE_PTR(result->found));
}

static void look_free(struct look *look)
{
	result_done(&look->at.result);
	free(look->at.known);
	free(look);
}

static void looks_destroy(struct looks *looks)
{
	safe_close(looks->event_fd);
	pthread_mutex_destroy(&looks->lock);
	free(looks);
}

/* The end of a thread. Nobody frees looks before the lock is given up. */
static void hand_over(struct look *look)
{
	struct looks *looks = look->looks;
	const uint64_t one = 1;
	bool last;

	pthread_mutex_lock(&looks->lock);
	last = !--looks->nr_threads && looks->closed;
	if (looks->closed) {
		look_free(look);
	} else {
		SLIST_INSERT_HEAD(&looks->over, look, over);
		/* It fails when it is readable for four billion others. */
		if (write(looks->event_fd, &one, sizeof(one)) < 0)
			(void)errno;
	}
	pthread_mutex_unlock(&looks->lock);
	if (last)
		looks_destroy(looks);
}

/* Of the calling thread, which has it or not in what it may use. */
static void use_capability(bool use)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	const uint32_t mask = CAP_TO_MASK(CAP_DAC_READ_SEARCH);
	struct __user_cap_data_struct *of = &data[CAP_TO_INDEX(CAP_DAC_READ_SEARCH)];

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	of->effective &= ~mask;
	if (use)
		of->effective |= of->permitted & mask;
	/* Without it, other users' processes cannot be looked at, and say so. */
	if (syscall(SYS_capset, &header, data) < 0)
		(void)errno;
}

void looks_have_capability_alone(void)
{
	use_capability(false);
}

static void *look_into_process(void *arg)
{
	struct look *look = arg;

	use_capability(true);
	look->at.result.error = look_at_process(&look->at);
	hand_over(look);
	return NULL;
}

static struct look *take_one_over(struct looks *looks)
{
	struct look *look;

	pthread_mutex_lock(&looks->lock);
	look = SLIST_FIRST(&looks->over);
	if (look)
		SLIST_REMOVE_HEAD(&looks->over, over);
	pthread_mutex_unlock(&looks->lock);
	return look;
}

static int on_over(sd_event_source *source, int fd, uint32_t revents,
		   void *userdata)
{
	struct looks *looks = userdata;
	struct look *look;
	uint64_t nr;

	(void)source;
	(void)revents;
	if (read(fd, &nr, sizeof(nr)) < 0)
		return 0;
	while ((look = take_one_over(looks))) {
		LIST_REMOVE(look, link);
		if (look->fn)
			look->fn(look->userdata, &look->at.result);
		look_free(look);
	}
	return 0;
}

static bool has_room(const struct looks *looks, uid_t uid)
{
	unsigned int nr = 0, of_user = 0;
	const struct look *look;

	LIST_FOREACH(look, &looks->all, link) {
		nr++;
		of_user += look->uid == uid;
	}
	return nr < LOOKS && of_user < LOOKS_PER_USER;
}

/* No signal is a thread's: the event loop has them all. */
static int start_thread(struct look *look)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (!r)
		r = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!r)
		r = pthread_create(&thread, &attr, look_into_process, look);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

static void count_threads(struct looks *looks, int more)
{
	pthread_mutex_lock(&looks->lock);
	looks->nr_threads += (unsigned int)more;
	pthread_mutex_unlock(&looks->lock);
}

int look_start(struct looks *looks, pid_t pid, uid_t uid, int *known,
	       unsigned int nr_known, look_fn fn, void *userdata,
	       struct look **ret)
{
	struct look *look;
	int r;

	if (!has_room(looks, uid))
		return -EBUSY;
	look = calloc(1, sizeof(*look));
	if (!look)
		return -ENOMEM;
	*look = (struct look) {
		.looks = looks, .uid = uid, .fn = fn, .userdata = userdata,
		.at = {
			.pid = pid, .known = known, .nr_known = nr_known,
			.result = { .pidfd = -1 },
		},
	};
	count_threads(looks, 1);
	LIST_INSERT_HEAD(&looks->all, look, link);
	r = start_thread(look);
	if (r < 0) {
		LIST_REMOVE(look, link);
		count_threads(looks, -1);
		free(look);
		return r == -EAGAIN ? -ENOMEM : r;
	}
	*ret = look;
	return 0;
}

void look_forget(struct look *look)
{
	if (look)
		look->fn = NULL;
}

int looks_new(struct manager *m, struct looks **ret)
{
	struct looks *looks = calloc(1, sizeof(*looks));
	int r;

	if (!looks)
		return -ENOMEM;
	pthread_mutex_init(&looks->lock, NULL);
	LIST_INIT(&looks->all);
	SLIST_INIT(&looks->over);
	looks->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = looks->event_fd < 0 ? -errno : 0;
	if (r >= 0)
		r = sd_event_add_io(m->event, &looks->source, looks->event_fd,
				    EPOLLIN, on_over, looks);
	if (r < 0) {
		looks_free(looks);
		return r;
	}
	*ret = looks;
	return 0;
}

void looks_free(struct looks *looks)
{
	struct look *look;
	bool last;

	if (!looks)
		return;
	looks->source = sd_event_source_disable_unref(looks->source);
	pthread_mutex_lock(&looks->lock);
	/* In one step: a thread hands its look over before, or frees it after. */
	looks->closed = true;
	while ((look = SLIST_FIRST(&looks->over))) {
		SLIST_REMOVE_HEAD(&looks->over, over);
		look_free(look);
	}
	last = !looks->nr_threads;
	pthread_mutex_unlock(&looks->lock);
	if (last)
		looks_destroy(looks);
}
