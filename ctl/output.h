/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a stream prints and records, to whoever takes it or does not. A reader
 * that is stopped makes a write sleep, and the signals that end a stream are
 * blocked: so no write sleeps here, but a poll for room, for these signals and
 * for the time of --timeout. When the stream is to end and there is no room for
 * a while, what is left is thrown away.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * From now on stdout and stderr are written to so. @signal_fd is readable when
 * the stream is to end, as it is from @deadline_ns of CLOCK_MONOTONIC on, if
 * that is not 0.
 */
void output_begin(int signal_fd, uint64_t deadline_ns);
/* All is printed: @signal_fd may be closed, and writes sleep as they used to. */
void output_end(void);

/* Writes all of it. 0, or a negative errno; 0 as well for what is cut off. */
int output_write(int fd, const void *data, size_t size);
/* Was anything thrown away? */
bool output_was_cut(void);

/*
 * Would what is written to one be among what is written to the other? Not so of
 * terminals and /dev/null.
 */
bool output_is_same(int fd, int other_fd);

/* What stdout was, for those who write to the terminal themselves. */
FILE *output_terminal(void);

#endif
