/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of guest memory that is not there: what faults on it waits, with
 * userfaultfd, until the test gives it back.
 */
#ifndef GUEST_SLOW_H
#define GUEST_SLOW_H

#include "vm.h"

struct slow {
	int fd;
	unsigned char *at;
	unsigned char contents[PAGE];
};

/* Takes a page of mem_shared() away; its contents are kept. */
void slow_take(struct slow *s, void *page);
/* The same with private anonymous memory. */
void slow_take_anonymous(struct slow *s, void *page);
/* Waits until something faults on it. */
void slow_wait(struct slow *s);
/* Gives it back as it was. */
void slow_give(struct slow *s);

#endif /* GUEST_SLOW_H */
