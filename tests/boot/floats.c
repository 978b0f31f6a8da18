// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work.h"

enum { PROCESSES = 4, TURNS = 100, ROUNDS = 50 };

/* In memory as little as can be: the x87 stack and the SSE registers. */
struct state {
	long double x87;
	double sse[4];
};

/* As sched_yield(), but the compiler leaves x87 and SSE registers in use. */
static inline void give_turn(void)
{
	long r = SYS_sched_yield;

	asm volatile("syscall" : "+a" (r) : : "rcx", "r11", "memory");
}

static void compute(struct state *s, unsigned int seed, bool turns)
{
	long double x = 1.0L + seed / 7.0L;
	double a = seed + 0.5, b = seed * 3.0, c = 1.0 / (seed + 1), d = 2.0;

	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < ROUNDS; i++) {
			x = x * 1.0000001L + 1.0L / (i + 3);
			a = a * 0.999 + b;
			b = b * 0.5 + c;
			c = c + d * 1e-3;
			d = d * 0.9999 + 1e-6 * i;
		}
		if (turns)
			give_turn();
	}
	s->x87 = x;
	s->sse[0] = a;
	s->sse[1] = b;
	s->sse[2] = c;
	s->sse[3] = d;
}

static bool same(const struct state *a, const struct state *b)
{
	return a->x87 == b->x87 && !memcmp(a->sse, b->sse, sizeof(a->sse));
}

static int child(unsigned int seed, const struct state *want)
{
	struct state got;

	compute(&got, seed, true);
	return !same(&got, want);
}

bool floats_are_right(void)
{
	struct state want[PROCESSES];
	bool good = true;
	int status;

	for (int i = 0; i < PROCESSES; i++)
		compute(&want[i], i, false);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(child(i, &want[i]));
		good &= pid > 0;
	}
	for (int i = 0; i < PROCESSES; i++)
		good &= wait(&status) > 0 && !status;
	return good;
}
