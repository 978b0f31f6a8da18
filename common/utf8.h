/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that others wrote, as it may be on the bus and on a terminal. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>

#define UTF8_MAX	255	/* bytes of a text that utf8_clean() makes */

/* Replaces what is not printable UTF-8, and cuts at UTF8_MAX bytes. */
int utf8_clean(const char *text, size_t size, char **ret);

#endif
