/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BOOT_COMPARE_H
#define BOOT_COMPARE_H

#include "copy.h"

struct comparison {
	unsigned int compared;		/* pages */
	unsigned int different;		/* of these */
	unsigned int missing;		/* that the guest has, and the copy not */
};

/* The guest stands still. Prints what differs. */
void compare(struct comparison *result, const struct copy *copy);

#endif /* BOOT_COMPARE_H */
