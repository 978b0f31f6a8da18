/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work in rounds, while the test's own thread does something. */
#ifndef TEAM_H
#define TEAM_H

#include <pthread.h>

#include <linux/types.h>

#define TEAM_MAX	8

struct team {
	pthread_t threads[TEAM_MAX];
	pthread_barrier_t gate;
	void (*work)(void *arg, u32 member);
	void *arg;
	u32 size;
	u32 joined;
	u32 busy;
	bool ended;
};

/* They begin with nothing to do. */
void team_start(struct team *team, u32 size,
		void (*work)(void *arg, u32 member), void *arg);

/* One round: each does its work once. */
void team_go(struct team *team);

/* Is anybody still at it? If not, all they did can be seen. */
bool team_busy(struct team *team);

/* Waits for the round to end, and for the threads. */
void team_end(struct team *team);

#endif
