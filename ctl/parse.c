// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

/*
 * strtoull() takes signs, spaces and octal numbers: none of them is meant by
 * who writes a page's number.
 */
static int parse_prefix(const char *text, uint64_t *ret, const char **ret_end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned char first = hex ? text[2] : text[0];
	unsigned long long value;
	char *end;

	if (hex ? !isxdigit(first) : !isdigit(first))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	*ret = value;
	*ret_end = end;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_prefix(text, &value, &end);

	if (!r && *end)
		r = -EINVAL;
	if (!r)
		*ret = value;
	return r;
}

static int apply_suffix(uint64_t value, const char *suffix, uint64_t *ret)
{
	static const char letters[] = "KMGT";
	const char *letter;
	unsigned int shift = 0;

	if (*suffix) {
		letter = strchr(letters, toupper((unsigned char)*suffix));
		if (!letter || suffix[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(letter - letters + 1);
	}
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

int parse_size(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_prefix(text, &value, &end);

	return r ? r : apply_suffix(value, end, ret);
}

static int seconds_unit(const char *suffix, double *ret)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = {
		{ "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "us", 1e-6 },
		{ "min", 60 }, { "h", 3600 },
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(suffix, units[i].suffix)) {
			*ret = units[i].seconds;
			return 0;
		}
	}
	return -EINVAL;
}

/* Digits and a point: no exponent, no "inf", in any locale. */
static size_t decimal_length(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	size_t more = 0;

	if (text[digits] == '.')
		more = strspn(text + digits + 1, "0123456789");
	if (!digits || (text[digits] == '.' && !more))
		return 0;
	return text[digits] == '.' ? digits + 1 + more : digits;
}

int parse_seconds(const char *text, uint64_t *ret_ns)
{
	size_t length = decimal_length(text);
	double seconds, unit;

	if (!length || seconds_unit(text + length, &unit) < 0)
		return -EINVAL;
	seconds = strtod(text, NULL) * unit;
	/* A hundred years are enough, and far from what overflows. */
	if (seconds > 3.2e9)
		return -ERANGE;
	*ret_ns = (uint64_t)llround(seconds * 1e9);
	return 0;
}

static int check_range(uint64_t gfn, uint64_t nr_pages,
		       struct wtrack_range *ret)
{
	if (!nr_pages)
		return -EINVAL;
	if (gfn >= GFN_LIMIT || nr_pages > GFN_LIMIT - gfn)
		return -ERANGE;
	*ret = (struct wtrack_range) { gfn, nr_pages };
	return 0;
}

int parse_gfns(const char *text, struct wtrack_range *ret)
{
	uint64_t first, second = 1;
	const char *end;
	int r;

	r = parse_prefix(text, &first, &end);
	if (r || !*end)
		return r ? r : check_range(first, 1, ret);
	if (*end != '+' && *end != '-')
		return -EINVAL;
	r = parse_u64(end + 1, &second);
	if (r || *end == '+')
		return r ? r : check_range(first, second, ret);
	if (second < first)
		return -EINVAL;
	return second >= GFN_LIMIT ? -ERANGE :
		check_range(first, second - first + 1, ret);
}

int parse_gpas(const char *text, struct wtrack_range *ret)
{
	uint64_t gpa, size = 1, first;
	const char *end;
	int r;

	r = parse_prefix(text, &gpa, &end);
	if (!r && *end)
		r = *end == '+' ? parse_size(end + 1, &size) : -EINVAL;
	if (r || !size)
		return r ? r : -EINVAL;
	if (size - 1 > UINT64_MAX - gpa)
		return -ERANGE;
	first = gpa >> PAGE_SHIFT;
	return check_range(first, ((gpa + (size - 1)) >> PAGE_SHIFT) - first + 1,
			   ret);
}
