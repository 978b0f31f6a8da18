// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Bytes of the UTF-8 character at the beginning, 0 when it is none. */
static size_t utf8_length(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t length, i;

	if (c[0] < 0x80)
		return c[0] >= 0x20 && c[0] != 0x7f;
	length = c[0] >= 0xc2 && c[0] <= 0xdf ? 2 :
		 c[0] >= 0xe0 && c[0] <= 0xef ? 3 :
		 c[0] >= 0xf0 && c[0] <= 0xf4 ? 4 : 0;
	if (!length || length > size)
		return 0;
	for (i = 1; i < length; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogate, beyond the last, C1 control. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f) ||
	    (c[0] == 0xc2 && c[1] < 0xa0))
		return 0;
	return length;
}

int utf8_clean(const char *text, size_t size, char **ret)
{
	size_t in = 0, out = 0, length;
	char *clean;

	clean = malloc(UTF8_MAX + 1);
	if (!clean)
		return -ENOMEM;
	while (in < size && text[in]) {
		length = utf8_length(text + in, size - in);
		if (out + (length ? length : 1) > UTF8_MAX)
			break;
		if (length)
			memcpy(clean + out, text + in, length);
		else
			clean[out] = '?';
		out += length ? length : 1;
		in += length ? length : 1;
	}
	clean[out] = '\0';
	*ret = clean;
	return 0;
}
