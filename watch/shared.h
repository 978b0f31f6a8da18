/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the threads share: how many entries a user's VMs may cause, how many
 * sessions the service manager keeps, and how many are being opened.
 */
#ifndef WATCH_SHARED_H
#define WATCH_SHARED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

LIST_HEAD(watch_user_list, watch_user);

/*
 * Sessions that wtrackd is asked for at the same time, and those of them on VMs of
 * one user. wtrackd serves 16 of ours at a time, and each may take ten seconds if
 * the VMM does not let itself be attached to: no user's VMs take all of them.
 */
#define OPENINGS_MAX		10
#define OPENINGS_PER_USER	2

struct opening {
	bool active;
	uid_t uid;
};

struct shared {
	int changes_fd;		/* an eventfd: a guest has reported something */
	pthread_mutex_t lock;
	/* (lock) Whose VMs have caused entries: watch_budget.c. */
	struct watch_user_list users;
	uint32_t user_burst;
	/* (lock) What the service manager keeps, UINT32_MAX when not known. */
	uint32_t store_max;
	uint32_t nr_stored;
	/* (lock) */
	struct opening openings[OPENINGS_MAX];
};

int shared_init(struct shared *shared);
void shared_done(struct shared *shared);

/* Has the main thread look at reports. */
void shared_tell(struct shared *shared);

/* A place in the service manager's store. False: it has none. */
bool shared_store_take(struct shared *shared);
void shared_store_give(struct shared *shared);
/* For one that is in it already. */
void shared_store_count(struct shared *shared);
void shared_store_limit(struct shared *shared, uint32_t max);

/* A place among those that ask wtrackd, or NULL: later. */
struct opening *shared_open_begin(struct shared *shared, uid_t uid);
void shared_open_end(struct shared *shared, struct opening **opening);

#endif
