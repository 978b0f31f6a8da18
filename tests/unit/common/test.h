/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each of the test programs needs. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CASE(fn)	cmocka_unit_test(fn)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

#endif
