/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the processes that have the device open, and so keep the module in use. */
#ifndef CTL_HOLDERS_H
#define CTL_HOLDERS_H

#include <stddef.h>

struct holder {
	int pid;
	char comm[16];		/* as the process calls itself: not trusted */
};

/*
 * Those whose descriptors the caller may see, which for root are all. The list is to be
 * freed. The kernel tells without waiting for a process.
 */
size_t holders_find(struct holder **ret);

/* References to the module, or -1 when it is not loaded, or does not tell. */
long holders_module_uses(void);

#endif
