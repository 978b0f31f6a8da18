// SPDX-License-Identifier: GPL-2.0-or-later
#include <sched.h>

#include "shim.h"
#include "team.h"

static void *run(void *arg)
{
	struct team *team = arg;
	u32 me = __atomic_fetch_add(&team->joined, 1, __ATOMIC_RELAXED);

	for (;;) {
		pthread_barrier_wait(&team->gate);
		if (team->ended)
			return NULL;
		team->work(team->arg, me);
		__atomic_fetch_sub(&team->busy, 1, __ATOMIC_RELEASE);
	}
}

void team_start(struct team *team, u32 size,
		void (*work)(void *arg, u32 member), void *arg)
{
	u32 i;

	shim_require(size <= TEAM_MAX);
	*team = (struct team){ .work = work, .arg = arg, .size = size };
	shim_require(!pthread_barrier_init(&team->gate, NULL, size + 1));
	for (i = 0; i < size; i++)
		shim_require(!pthread_create(&team->threads[i], NULL, run,
					     team));
}

void team_go(struct team *team)
{
	shim_require(!team_busy(team));
	__atomic_store_n(&team->busy, team->size, __ATOMIC_RELAXED);
	pthread_barrier_wait(&team->gate);
}

bool team_busy(struct team *team)
{
	return __atomic_load_n(&team->busy, __ATOMIC_ACQUIRE);
}

void team_end(struct team *team)
{
	u32 i;

	while (team_busy(team))
		sched_yield();
	team->ended = true;
	pthread_barrier_wait(&team->gate);
	for (i = 0; i < team->size; i++)
		pthread_join(team->threads[i], NULL);
	pthread_barrier_destroy(&team->gate);
}
