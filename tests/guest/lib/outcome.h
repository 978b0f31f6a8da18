/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest has come to: to be compared with another one. */
#ifndef GUEST_OUTCOME_H
#define GUEST_OUTCOME_H

#include "vm.h"

struct outcome {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_fpu fpu;
	unsigned char *data, *low;
};

/* Registers of the vCPU, and all memory of its VM. */
void outcome_take(struct outcome *o, struct vcpu *v);
/* The tracked guest has come to the same as the other one. */
void outcome_compare(const struct outcome *tracked,
		     const struct outcome *plain, uint64_t data_pages);

#endif /* GUEST_OUTCOME_H */
