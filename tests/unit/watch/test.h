/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)
#define ARRAY(...)	((struct wtrack_range[]){ __VA_ARGS__ })

#endif
