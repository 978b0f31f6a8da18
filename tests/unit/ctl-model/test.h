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

#include "event.h"
#include "rec_format.h"
#include "recording.h"

#define CASE(fn)	cmocka_unit_test(fn)
#define RUN(cases)	cmocka_run_group_tests(cases, NULL, NULL)

/* What every recording here says of itself. */
extern const struct rec_meta some_meta;

/* The nth of a stream of events of all types. */
struct event some_event(unsigned int n);
void assert_same_event(const struct event *a, const struct event *b);

/* A file in memory, with so many events in blocks of so many. */
int make_file(unsigned int nr_events, unsigned int per_block);
/* Bytes of a file, malloc'd; and a file of bytes. */
unsigned char *file_bytes(int fd, size_t *ret_size);
int file_of(const void *bytes, size_t size);
/* Where block @number begins. */
size_t find_block(const unsigned char *bytes, size_t size, unsigned int number);

/* Reads all that can be read; the events must be of the stream, in order. */
struct rec_reader *read_all(int fd, unsigned int *ret_events);

#endif
