/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the emulated processor can do, and so its guests' vCPUs. */
#ifndef GUEST_CPUID_H
#define GUEST_CPUID_H

#include "vm.h"

enum cpu_feature {
	CPU_ANY,
	CPU_SSE3, CPU_SSE41, CPU_MOVBE,
	CPU_XSAVE, CPU_XSAVEOPT, CPU_XSAVEC,
	CPU_AVX, CPU_AVX2, CPU_AVX512F, CPU_MOVDIRI, CPU_MOVDIR64B,
	CPU_SMEP, CPU_SMAP, CPU_UMIP, CPU_PKU, CPU_LA57,
};

/*
 * All that KVM can give to a guest, and XCR0 with all of its states. In v->cr4
 * is what today's guests switch on of it.
 */
void cpuid_set(struct vcpu *v);
bool cpuid_has(struct vcpu *v, enum cpu_feature feature);

#endif /* GUEST_CPUID_H */
