// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock and the kernel that the tests run on. */
#define _GNU_SOURCE
#include <time.h>
#include <unistd.h>

#include "tap.h"

enum { SOON_S = 10, SOON_DEBUG_S = 60 };

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

uint64_t clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t tick_clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC_COARSE);
}

void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t))
		;
}

bool host_is_debug(void)
{
	static int debug = -1;

	/* Asked for each record by those that wait for many. */
	if (debug < 0)
		debug = !access("/proc/lockdep", F_OK);
	return debug;
}

uint64_t soon_ns(void)
{
	return (host_is_debug() ? SOON_DEBUG_S : SOON_S) * 1000000000ULL;
}
