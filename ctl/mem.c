// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "mem.h"

static void *check(void *mem)
{
	if (mem)
		return mem;
	fputs("wtrackctl: no memory; end other programs\n", stderr);
	exit(EXIT_FAILED);
}

void *mem_zalloc(size_t size)
{
	return check(calloc(1, size ? size : 1));
}

/* Full at 0 and at each power of two. */
void *mem_grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return check(reallocarray(array, nr ? nr * 2 : 1, size));
}

char *mem_strdup(const char *s)
{
	return check(strdup(s));
}
