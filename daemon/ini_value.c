// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of keys. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ini.h"
#include "util.h"

int ini_value_bool(const char *value, bool *ret)
{
	static const char *const words[2][5] = {
		{ "no", "false", "off", "0", "n" },
		{ "yes", "true", "on", "1", "y" },
	};
	size_t i;

	for (i = 0; i < 10; i++) {
		if (strcasecmp(value, words[i / 5][i % 5]))
			continue;
		*ret = i / 5;
		return 0;
	}
	return -EINVAL;
}

/* The number at the beginning; *rest is what follows it. */
static int leading_number(const char *value, uint64_t *ret, const char **rest)
{
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	const char *digits = hex ? value + 2 : value;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) :
		    isdigit((unsigned char)*digits)))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	while (isspace((unsigned char)*end))
		end++;
	*rest = end;
	return 0;
}

int ini_value_u64(const char *value, uint64_t max, uint64_t *ret)
{
	const char *rest;
	uint64_t number;
	int r;

	r = leading_number(value, &number, &rest);
	if (r < 0)
		return r;
	if (*rest)
		return -EINVAL;
	if (number > max)
		return -ERANGE;
	*ret = number;
	return 0;
}

int ini_value_u32(const char *value, uint32_t max, uint32_t *ret)
{
	uint64_t number;
	int r = ini_value_u64(value, max, &number);

	if (r < 0)
		return r;
	*ret = (uint32_t)number;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int with_unit(const char *value, const struct unit *units,
		     uint64_t *ret)
{
	const char *rest;
	uint64_t number;
	int r;

	r = leading_number(value, &number, &rest);
	if (r < 0)
		return r;
	for (; units->name; units++) {
		if (strcmp(units->name, rest))
			continue;
		if (number > UINT64_MAX / units->factor)
			return -ERANGE;
		*ret = number * units->factor;
		return 0;
	}
	return -EINVAL;
}

int ini_value_size(const char *value, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
		{ "T", UINT64_C(1) << 40 },
		{ },
	};

	return with_unit(value, units, ret);
}

int ini_value_usec(const char *value, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1000000 },
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", 1000000 },
		{ "min", UINT64_C(60) * 1000000 },
		{ "h", UINT64_C(3600) * 1000000 },
		{ },
	};

	return with_unit(value, units, ret);
}
