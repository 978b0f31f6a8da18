/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for people. Each function fills in @buf and returns it. */
#ifndef CTL_UNITS_H
#define CTL_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_SIZE	32

/* "999", "1.2k", "35M": in at most 4 columns up to 999T. */
char *units_count(uint64_t count, char *buf);
/* "12,345,678" */
char *units_exact(uint64_t count, char *buf);
/* "850 ns", "1.25 ms", "12.5 s", "3 min 20 s", "2 h 05 min" */
char *units_time(uint64_t ns, char *buf);
/* "1.2k", with a decimal below 10: "0.5". */
char *units_rate(double per_second, char *buf);

/**
 * struct units_axis - how to write times along an axis
 * @unit: "s"
 * @unit_ns: nanoseconds of it
 * @step_ns: between ticks: 1, 2 or 5 times a power of ten, or parts of an hour
 * @decimals: that labels need
 */
struct units_axis {
	const char *unit;
	uint64_t unit_ns;
	uint64_t step_ns;
	int decimals;
};

/* At most @max ticks for a time from 0 to @span_ns. */
struct units_axis units_axis(uint64_t span_ns, unsigned int max);

#endif
