// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages as people write them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

#define PAGE_SHIFT	12

/* A number without sign or blank, and where it ends. */
static int parse_number(const char **text, uint64_t *ret)
{
	bool hex = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x';
	const char *digits = hex ? *text + 2 : *text;
	unsigned long long value;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) :
		    isdigit((unsigned char)*digits)))
		return -EINVAL;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	*text = end;
	*ret = value;
	return 0;
}

static int parse_size(const char **text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t size;
	int r, shift;

	r = parse_number(text, &size);
	if (r < 0)
		return r;
	unit = **text ? strchr(units, **text) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		if (size > UINT64_MAX >> shift)
			return -ERANGE;
		size <<= shift;
		++*text;
	}
	*ret = size;
	return 0;
}

static int range_between(uint64_t first, uint64_t last,
			 struct wtrack_range *ret)
{
	if (last < first)
		return -EINVAL;
	if (last > RANGES_MAX_GFN)
		return -ERANGE;
	*ret = (struct wtrack_range){ first, last - first + 1 };
	return 0;
}

int range_parse_gfn(const char *text, struct wtrack_range *ret)
{
	uint64_t first, second;
	char separator;
	int r;

	r = parse_number(&text, &first);
	if (r < 0)
		return r;
	if (!*text)
		return range_between(first, first, ret);
	separator = *text++;
	if (separator != '+' && separator != '-')
		return -EINVAL;
	r = parse_number(&text, &second);
	if (r < 0)
		return r;
	if (*text || (separator == '+' && !second))
		return -EINVAL;
	if (separator == '-')
		return range_between(first, second, ret);
	if (second - 1 > UINT64_MAX - first)
		return -ERANGE;
	return range_between(first, first + second - 1, ret);
}

int range_parse_gpa(const char *text, struct wtrack_range *ret)
{
	uint64_t address, size;
	int r;

	r = parse_number(&text, &address);
	if (r < 0)
		return r;
	if (*text++ != '+')
		return -EINVAL;
	r = parse_size(&text, &size);
	if (r < 0)
		return r;
	if (*text || !size)
		return -EINVAL;
	if (size - 1 > UINT64_MAX - address)
		return -ERANGE;
	return range_between(address >> PAGE_SHIFT,
			     (address + size - 1) >> PAGE_SHIFT, ret);
}
