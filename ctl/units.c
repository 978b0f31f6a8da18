// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "units.h"

#define US	UINT64_C(1000)
#define MS	(1000 * US)
#define SEC	(1000 * MS)
#define MIN	(60 * SEC)
#define HOUR	(60 * MIN)

char *units_count(uint64_t count, char *buf)
{
	static const char suffixes[] = "kMGTPE";
	const char *suffix = suffixes;
	uint64_t unit = 1000;

	if (count < 1000) {
		snprintf(buf, UNITS_SIZE, "%" PRIu64, count);
		return buf;
	}
	while (count / unit >= 1000 && suffix[1]) {
		unit *= 1000;
		suffix++;
	}
	if (count / unit < 10)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 ".%" PRIu64 "%c",
			 count / unit, count % unit / (unit / 10), *suffix);
	else
		snprintf(buf, UNITS_SIZE, "%" PRIu64 "%c", count / unit,
			 *suffix);
	return buf;
}

char *units_exact(uint64_t count, char *buf)
{
	char *at = buf + UNITS_SIZE - 1, *to = buf;
	int digits = 0;

	*at = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--at = ',';
		*--at = (char)('0' + count % 10);
		count /= 10;
		digits++;
	} while (count);
	while ((*to++ = *at++))
		;
	return buf;
}

static void with_decimals(uint64_t ns, uint64_t unit_ns, const char *unit,
			  char *buf)
{
	double value = (double)ns / (double)unit_ns;

	snprintf(buf, UNITS_SIZE, "%.*f %s",
		 value < 10 ? 2 : value < 100 ? 1 : 0, value, unit);
}

char *units_time(uint64_t ns, char *buf)
{
	if (ns < US)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " ns", ns);
	else if (ns < MS)
		with_decimals(ns, US, "us", buf);
	else if (ns < SEC)
		with_decimals(ns, MS, "ms", buf);
	else if (ns < 2 * MIN)
		with_decimals(ns, SEC, "s", buf);
	else if (ns < 2 * HOUR)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " min %02" PRIu64 " s",
			 ns / MIN, ns % MIN / SEC);
	else
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " h %02" PRIu64 " min",
			 ns / HOUR, ns % HOUR / MIN);
	return buf;
}

char *units_rate(double per_second, char *buf)
{
	if (per_second > 0 && per_second < 10)
		snprintf(buf, UNITS_SIZE, "%.1f", per_second);
	else if (per_second < 1e18)
		units_count((uint64_t)(per_second + 0.5), buf);
	else
		snprintf(buf, UNITS_SIZE, "%.0e", per_second);
	return buf;
}

static const struct {
	const char *name;
	uint64_t ns;
	uint64_t span_ns;	/* from which on it is used */
} axis_units[] = {
	{ "h", HOUR, 5 * HOUR },
	{ "min", MIN, 5 * MIN },
	{ "s", SEC, SEC },
	{ "ms", MS, MS },
	{ "us", US, US },
	{ "ns", 1, 0 },
};

/* The least of 1, 2, 5, 10 ... units that is long enough, or a decimal one. */
static uint64_t nice_step(uint64_t least_ns, uint64_t unit_ns)
{
	static const uint64_t steps[] = { 1, 2, 5 };
	uint64_t power = unit_ns;
	size_t i;

	while (power % 10 == 0 && power / 10 * 5 >= least_ns)
		power /= 10;
	for (;; power *= 10)
		for (i = 0; i < 3; i++)
			if (steps[i] * power >= least_ns ||
			    power > UINT64_MAX / 50)
				return steps[i] * power;
}

struct units_axis units_axis(uint64_t span_ns, unsigned int max)
{
	struct units_axis axis = { 0 };
	uint64_t step;
	size_t i = 0;

	while (axis_units[i].span_ns > span_ns)
		i++;
	axis.unit = axis_units[i].name;
	axis.unit_ns = axis_units[i].ns;
	axis.step_ns = nice_step(span_ns / max + 1, axis.unit_ns);
	for (step = axis.step_ns; step % axis.unit_ns && axis.decimals < 9;
	     step *= 10)
		axis.decimals++;
	return axis;
}
