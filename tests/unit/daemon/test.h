/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each of the test programs needs. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, tree_setup, \
							tree_teardown)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)

/* Each case has a directory of its own, which is gone afterwards. */
extern char tree[];
int tree_setup(void **state);
int tree_teardown(void **state);
/* A path in it; its directories are made. */
const char *tree_path(const char *name);
void tree_write(const char *name, const char *text);
void tree_write_bytes(const char *name, const void *bytes, size_t size);
bool tree_has(const char *name);

/* Numbers that look random and are the same each time. */
uint32_t noise(void);
/* Bytes of which many mean something to a parser. */
void noise_fill(char *bytes, size_t size, const char *alphabet);

#endif
