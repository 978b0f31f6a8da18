// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

enum { ROOM = 2 << 20, GUARD = 64 };

/* Through here the compiler does not see which copy it is. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static uint8_t pattern(size_t i)
{
	return i * 37 + (i >> 8) * 11 + (i >> 16);
}

static bool is_pattern(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != pattern(i))
			return false;
	return true;
}

static bool is_clear(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* Nothing in front of it and nothing behind it may change. */
static bool copy_is_right(uint8_t *to, const uint8_t *from, size_t len)
{
	memset(to - GUARD, 0, GUARD);
	memset(to, 0xff, len);
	memset(to + len, 0, GUARD);
	copy(to, from, len);
	return is_pattern(to, len) && is_clear(to - GUARD, GUARD) &&
	       is_clear(to + len, GUARD);
}

bool copies_are_right(void)
{
	static const size_t large[] = { 100, 500, 1000, 3000, 4096, 5000,
		20000, 65536, 200000, 1 << 20 };
	uint8_t *from = malloc(ROOM), *to = malloc(ROOM);
	bool good = from && to;

	for (size_t i = 0; good && i < ROOM; i++)
		from[i] = pattern(i);
	for (size_t len = 0; good && len <= 80; len++)
		good = copy_is_right(to + GUARD + len % 23, from, len);
	for (size_t i = 0; good && i < sizeof(large) / sizeof(*large); i++)
		good = copy_is_right(to + GUARD + i, from, large[i]);
	free(from);
	free(to);
	return good;
}
