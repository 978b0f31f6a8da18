/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BOOT_REPORT_H
#define BOOT_REPORT_H

#include "compare.h"
#include "copy.h"
#include "vm.h"

enum { NR_FAULTS = 5, LOOKS = 20 };

struct outcome {
	struct vm vm;
	struct copy copy;
	struct comparison comparison;
	unsigned int looks;		/* comparisons on the way */
	unsigned int wrong;		/* pages that differed or were missing */
	uint64_t paused_ns;		/* by them, since Linux started */
	uint64_t faults[NR_FAULTS];	/* KVM's own counters */
};

/* As long as the VM is there. */
void report_faults(struct outcome *outcome);
/* Lines "# boot NAME VALUE". */
void report(const struct outcome *untracked, const struct outcome *tracked);
/* The cases; true when all are well. */
bool verdict(const struct outcome *untracked, const struct outcome *tracked);

#endif /* BOOT_REPORT_H */
