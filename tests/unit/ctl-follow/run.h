/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command in this process, on a guest that is simulated. */
#ifndef RUN_H
#define RUN_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, run_setup, \
							run_teardown)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)
#define VM_PID		"4242"

int run_setup(void **state);
int run_teardown(void **state);
/* After fake_teardown(): another guest, the same files. */
void run_setup_guest(void **state);

/*
 * How often the guest looks for what the command does. A thread that looks and
 * sleeps leaves the processor to the other one each time, so this is no time: on
 * a busy machine the looks themselves are late.
 */
enum { MAX_LOOKS = 20000 };

/* What the guest does once its pages are tracked, in a thread of its own. */
typedef void (*guest_fn)(void);

/*
 * wtrackctl WORDS..., which end with NULL, while the guest runs. Returns the
 * exit code; what was printed is in run_output and run_errors until the next.
 */
int run_ctl(guest_fn guest, ...);
extern char run_output[1 << 16];
extern char run_errors[1 << 12];

/*
 * The same in a child, which prints to @out and @err; both may be pipes of
 * which nobody reads. Returns its process id.
 */
pid_t run_child(guest_fn guest, int out, int err, char **words);

/* For guests: wait until @text was printed @times times. */
void wait_for_output(const char *text, unsigned int times);

/* For guests: the module refuses to track these pages, or not if @err is 0. */
void refuse(uint64_t gfn, uint64_t nr_pages, int err);

/* How often @text is in what was printed. */
unsigned int run_count(const char *text);

/* A name for a file that does not exist; it is removed in the end. */
const char *run_file(void);

#endif
