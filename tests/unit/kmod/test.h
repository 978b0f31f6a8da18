/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each of the test programs needs.
 *
 *	SEED=n		other random numbers
 *	ROUNDS=n	n times as many rounds of everything random
 */
#ifndef TEST_H
#define TEST_H

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "session.h"
#include "shim.h"
#include "track.h"

/* Each case has caches of its own, and must leave nothing behind. */
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, test_setup, \
							test_teardown)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)

int test_setup(void **state);
int test_teardown(void **state);

/* Memory held since the case began. */
size_t test_bytes(void);

u32 test_rounds(u32 n);

/* What each test makes of its random numbers begins with one of these. */
struct test_random {
	u64 state;
};

struct test_random test_random(u64 salt);
u64 test_next(struct test_random *r);

/* Less than n, which is not 0. */
static inline u64 test_below(struct test_random *r, u64 n)
{
	return test_next(r) % n;
}

static inline bool test_one_in(struct test_random *r, u64 n)
{
	return !test_below(r, n);
}

#endif
