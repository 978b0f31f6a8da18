/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for a short run: without it the program ends. */
#ifndef CTL_MEM_H
#define CTL_MEM_H

#include <stddef.h>

void *mem_zalloc(size_t size);
/* An array of @nr elements made room for one more; grows by doubling. */
void *mem_grow(void *array, size_t nr, size_t size);
char *mem_strdup(const char *s);

#endif
