// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/number.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/*
 * strtoull() is not used: it takes signs, blanks, octal numbers and a second
 * 0x, none of which is meant by whoever writes the number of a page.
 */
static int scan_digits(const char **text, unsigned int base, uint64_t *ret)
{
	const char *at = *text;
	uint64_t value = 0;
	bool wraps = false;
	int digit;

	for (; (digit = digit_of(*at)) < (int)base; at++)
		wraps |= __builtin_mul_overflow(value, base, &value) ||
			 __builtin_add_overflow(value, digit, &value);
	if (at == *text)
		return -EINVAL;
	*text = at;
	*ret = wraps ? UINT64_MAX : value;
	return wraps ? -ERANGE : 0;
}

int number_scan_decimal(const char **text, uint64_t *ret)
{
	return scan_digits(text, 10, ret);
}

int number_scan(const char **text, uint64_t *ret)
{
	const char *at = *text;
	bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
	int r;

	if (hex)
		at += 2;
	r = scan_digits(&at, hex ? 16 : 10, ret);
	if (r != -EINVAL)
		*text = at;
	return r;
}

static int check(uint64_t value, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* What is too large for 64 bits is a number all the same, if it ends well. */
static int finish(int r, const char *rest, uint64_t value, uint64_t min,
		  uint64_t max, uint64_t *ret)
{
	if (r == -EINVAL || *rest)
		return -EINVAL;
	return r ? r : check(value, min, max, ret);
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	int r = number_scan(&text, &value);

	return finish(r, text, value, min, max, ret);
}

int number_parse_decimal(const char *text, uint64_t min, uint64_t max,
			 uint64_t *ret)
{
	uint64_t value;
	int r = number_scan_decimal(&text, &value);

	return finish(r, text, value, min, max, ret);
}

/* The unit that @text is, with blanks in front of it. */
static const struct unit *find_unit(const char *text, const struct unit *units,
				    int (*compare)(const char *, const char *))
{
	text += strspn(text, " \t");
	for (; units->name; units++)
		if (!compare(text, units->name))
			return units;
	return NULL;
}

int number_parse_size(const char *text, uint64_t min, uint64_t max,
		      uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
		{ "T", UINT64_C(1) << 40 },
		{ 0 },
	};
	const struct unit *unit;
	uint64_t value;
	int r = number_scan(&text, &value);

	if (r == -EINVAL)
		return r;
	unit = find_unit(text, units, strcasecmp);
	if (!unit || (*text && !*unit->name))
		return -EINVAL;
	if (r || __builtin_mul_overflow(value, unit->factor, &value))
		return -ERANGE;
	return check(value, min, max, ret);
}

/* Digits behind a point: *@ret of 10^18, rounded up. */
static int scan_fraction(const char **text, uint64_t *ret)
{
	uint64_t value = 0;
	bool more = false;
	const char *at;
	int i;

	*ret = 0;
	if (**text != '.')
		return 0;
	at = ++*text;
	for (i = 0; digit_of(*at) < 10; i++, at++) {
		if (i < 18)
			value = value * 10 + (uint64_t)digit_of(*at);
		else
			more |= *at != '0';
	}
	if (at == *text)
		return -EINVAL;
	for (; i < 18; i++)
		value *= 10;
	*text = at;
	*ret = value + more;
	return 0;
}

#define FRACTION	UINT64_C(1000000000000000000)

/* No floating point: the result is exact, in any locale. */
int number_parse_time(const char *text, uint64_t unit_ns, uint64_t min,
		      uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", NUMBER_SEC },
		{ "us", NUMBER_US },
		{ "ms", NUMBER_MS },
		{ "s", NUMBER_SEC },
		{ "min", 60 * NUMBER_SEC },
		{ "h", 3600 * NUMBER_SEC },
		{ 0 },
	};
	const struct unit *unit;
	uint64_t whole, fraction;
	unsigned __int128 ns;
	int r = number_scan_decimal(&text, &whole);

	if (r == -EINVAL || scan_fraction(&text, &fraction))
		return -EINVAL;
	unit = find_unit(text, units, strcmp);
	if (!unit || (*text && !*unit->name))
		return -EINVAL;
	if (r)
		return r;
	ns = (unsigned __int128)fraction * unit->factor;
	ns = (ns + FRACTION - 1) / FRACTION;
	ns += (unsigned __int128)whole * unit->factor;
	ns = (ns + unit_ns - 1) / unit_ns;
	return ns > UINT64_MAX ? -ERANGE : check((uint64_t)ns, min, max, ret);
}
