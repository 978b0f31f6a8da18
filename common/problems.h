/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is not as the administrator wants it, as long as it is so: for the
 * property Problems of the manager, which wtrackctl doctor shows, and for STATUS=.
 * The journal has each of them once.
 */
#ifndef COMMON_PROBLEMS_H
#define COMMON_PROBLEMS_H

#include <stddef.h>

/* Texts that are kept; others are counted. */
#define PROBLEMS_MAX	32

struct problems {
	char *of_config[PROBLEMS_MAX];
	size_t nr_of_config;
	size_t nr_more;		/* of the configuration, beyond that */
};

/* Of the configuration, until it is read again. */
__attribute__((format(printf, 2, 3)))
void problems_add(struct problems *problems, const char *format, ...);
void problems_clear(struct problems *problems);

/*
 * To a list that ends with NULL, for strv_free(): one, in the words of printf(3);
 * those of the configuration.
 */
__attribute__((format(printf, 2, 3)))
int problems_append(char ***list, const char *format, ...);
int problems_append_config(const struct problems *problems, char ***list);

#endif
