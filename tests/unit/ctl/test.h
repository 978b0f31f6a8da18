/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each of the test programs needs. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"

#define CASE(fn)	cmocka_unit_test(fn)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)

/*
 * What is printed to stdout and stderr between the two; captured() frees what
 * it returned before.
 */
void capture(void);
const char *captured(void);

/* Reads a command line of words that are separated by spaces. */
int parse_line(struct ctl *ctl, const char *line);

#endif
