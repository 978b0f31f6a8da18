/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each of the test programs needs. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wtrack/wtrack.h>

#include "fake.h"

/* Each case has a machine of its own, and must leave nothing open. */
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, fake_setup, \
							fake_teardown)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)

/* What no function may store when it fails. */
#define UNTOUCHED	((void *)(uintptr_t)0x5a5a)

#endif
