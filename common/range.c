// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "common/number.h"
#include "common/range.h"

#define GPA_MAX	((GFN_MAX << PAGE_SHIFT) | (PAGE_BYTES - 1))

/* "+COUNT" or "-LAST" behind a first page. */
static int parse_end(const char *text, uint64_t first, uint64_t *ret_last)
{
	uint64_t second;
	int r;

	if (*text != '+' && *text != '-')
		return -EINVAL;
	r = number_parse(text + 1, 0, UINT64_MAX, &second);
	if (r)
		return r;
	if (*text == '-') {
		*ret_last = second;
		return second < first ? -EINVAL : 0;
	}
	if (!second)
		return -EINVAL;
	return __builtin_add_overflow(first, second - 1, ret_last) ? -ERANGE : 0;
}

int range_parse_gfns(const char *text, struct wtrack_range *ret)
{
	uint64_t first, last;
	int r, end = 0;

	r = number_scan(&text, &first);
	if (r == -EINVAL)
		return r;
	last = first;
	if (*text)
		end = parse_end(text, first, &last);
	if (end == -EINVAL)
		return end;
	if (r || end || last > GFN_MAX)
		return -ERANGE;
	*ret = (struct wtrack_range) { first, last - first + 1 };
	return 0;
}

int range_parse_bytes(const char *text, uint64_t *ret_gpa, uint64_t *ret_size)
{
	uint64_t gpa, size = 1;
	int r, more = 0;

	r = number_scan(&text, &gpa);
	if (r == -EINVAL || (*text && *text != '+'))
		return -EINVAL;
	if (*text)
		more = number_parse_size(text + 1, 0, UINT64_MAX, &size);
	if (more == -EINVAL || (!more && !size))
		return -EINVAL;
	if (r || more || gpa > GPA_MAX || size - 1 > GPA_MAX - gpa)
		return -ERANGE;
	*ret_gpa = gpa;
	*ret_size = size;
	return 0;
}

int range_parse_gpas(const char *text, struct wtrack_range *ret)
{
	uint64_t gpa, size, first;
	int r;

	r = range_parse_bytes(text, &gpa, &size);
	if (r)
		return r;
	first = gpa >> PAGE_SHIFT;
	*ret = (struct wtrack_range) {
		first, ((gpa + size - 1) >> PAGE_SHIFT) - first + 1
	};
	return 0;
}
