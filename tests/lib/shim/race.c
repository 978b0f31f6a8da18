// SPDX-License-Identifier: GPL-2.0-or-later
/* What makes threads meet, what the time is, and what ends the program. */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/atomic.h>

#include "shim.h"

unsigned int shim_race_odds;
void (*shim_step)(void);
unsigned long long shim_now;
int shim_barrier_word;
__thread void (*shim_before_lock)(void);

void shim_broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("Bail out! ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
	abort();
}

static unsigned int next_random(void)
{
	static unsigned int seeds;
	static _Thread_local unsigned int state;

	if (!state)
		state = __atomic_add_fetch(&seeds, 1, __ATOMIC_RELAXED) *
			2654435761U | 1;
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

/*
 * Half of the times to whoever waits for this CPU, half of the times to those
 * who run on another.
 */
void shim_give_way(void)
{
	unsigned int spins;

	if (shim_step) {
		shim_step();
		return;
	}
	spins = next_random();
	if (next_random() % shim_race_odds)
		return;
	if (spins & 1) {
		sched_yield();
		return;
	}
	for (spins = spins >> 1 & 255; spins; spins--)
		__asm__ volatile("" ::: "memory");
}
