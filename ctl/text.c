// SPDX-License-Identifier: GPL-2.0-or-later
#include <langinfo.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ctl.h"
#include "mem.h"
#include "text.h"

bool text_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* Neither longer than need be, nor half of a pair, nor beyond the end. */
static bool is_proper(uint32_t c, int length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return c >= least[length] && c <= 0x10ffff &&
	       (c < 0xd800 || c > 0xdfff);
}

int text_decode(const char *s, uint32_t *ret)
{
	const unsigned char *bytes = (const unsigned char *)s;
	int length, i;
	uint32_t c;

	if (bytes[0] < 0x80) {
		*ret = bytes[0];
		return bytes[0] ? 1 : 0;
	}
	length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	if (bytes[0] < 0xc0 || bytes[0] >= 0xf8)
		return -1;
	c = bytes[0] & (0x7fU >> length);
	for (i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (bytes[i] & 0x3f);
	}
	*ret = c;
	return is_proper(c, length) ? length : -1;
}

static bool locale_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static char *escape(const char *s, bool backslash)
{
	bool utf8 = locale_is_utf8();
	char *copy, *to;
	uint32_t c;
	int n;

	/* The longest is "\U0010ffff" for four bytes, "\xff" for one. */
	copy = to = mem_zalloc(strlen(s) * 4 + 1);
	while ((n = text_decode(s, &c))) {
		if (n < 0)
			to += sprintf(to, "\\x%02x", (unsigned char)*s);
		else if (c == '\\' && backslash)
			to = stpcpy(to, "\\\\");
		else if (n == 1 && text_is_unsafe(c))
			to += sprintf(to, "\\x%02x", c);
		else if (n > 1 && (!utf8 || text_is_unsafe(c) ||
				   wcwidth((wchar_t)c) < 0))
			to += sprintf(to, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
		else
			to = mempcpy(to, s, (size_t)n);
		s += n < 0 ? 1 : n;
	}
	return copy;
}

char *text_escape(const char *s)
{
	return escape(s, true);
}

char *text_escape_again(const char *s)
{
	return escape(s, false);
}

size_t text_width(const char *s)
{
	size_t width = 0;
	uint32_t c;
	int n;

	while ((n = text_decode(s, &c))) {
		int columns = n > 1 ? wcwidth((wchar_t)c) : 1;

		width += columns > 0 ? (size_t)columns : 0;
		s += n < 0 ? 1 : n;
	}
	return width;
}

char *text_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t i = 0;

	/* What would be rounded to 1024 is the next unit's. */
	while (value >= 1023.95 && units[i + 1]) {
		value /= 1024;
		i++;
	}
	if (!i)
		snprintf(buf, size, "%uB", (unsigned int)bytes);
	else
		snprintf(buf, size, "%.1f%c", value, units[i]);
	return buf;
}

char *text_user(uint32_t uid, char *buf, size_t size)
{
	struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, size, "%s", user->pw_name);
	else
		snprintf(buf, size, "%u", uid);
	return buf;
}

char *text_printf(const char *format, ...)
{
	va_list args;
	char *text;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? mem_strdup("") : text;
}
