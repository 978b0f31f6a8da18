/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the events said, and whether it agrees with everybody else. */
#ifndef DEMO_ACCOUNT_H
#define DEMO_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

struct wtrack_event;

struct account {
	uint64_t gpa;			/* of the page */
	uint8_t copy[PAGE_BYTES];	/* kept from events alone */
	struct stores seen;
	unsigned int odd;		/* events that should not be */
	uint64_t last_seq;
};

/* What the account is held against. */
struct claim {
	struct stores made;		/* by the guest */
	uint64_t guest_sum;		/* of the page, as the guest reads it */
	const uint8_t *memory;		/* the page, as the VMM has it */
	uint64_t overflows;		/* as the module counts them */
	uint64_t resync_writes;
	bool vm_gone;			/* was told so after the VMM had ended */
};

/* Takes an event into the account. */
void account_event(struct account *account, const struct wtrack_event *event);

/* Prints everything, and the verdict as TAP. True when it adds up. */
bool account_close(const struct account *account, const struct claim *claim);

#endif
