// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <sys/ioctl.h>

#include "cpuid.h"
#include "tap.h"

enum { MAX_CPUID = 100 };

enum reg { EAX, EBX, ECX, EDX };

static const struct {
	uint32_t leaf, subleaf;
	enum reg reg;
	unsigned int bit;
} features[] = {
	[CPU_SSE3] = { 1, 0, ECX, 0 },
	[CPU_SSE41] = { 1, 0, ECX, 19 },
	[CPU_MOVBE] = { 1, 0, ECX, 22 },
	[CPU_XSAVE] = { 1, 0, ECX, 26 },
	[CPU_XSAVEOPT] = { 0xd, 1, EAX, 0 },
	[CPU_XSAVEC] = { 0xd, 1, EAX, 1 },
	[CPU_AVX] = { 1, 0, ECX, 28 },
	[CPU_AVX2] = { 7, 0, EBX, 5 },
	[CPU_AVX512F] = { 7, 0, EBX, 16 },
	[CPU_MOVDIRI] = { 7, 0, ECX, 27 },
	[CPU_MOVDIR64B] = { 7, 0, ECX, 28 },
	[CPU_SMEP] = { 7, 0, EBX, 7 },
	[CPU_SMAP] = { 7, 0, EBX, 20 },
	[CPU_UMIP] = { 7, 0, ECX, 2 },
	[CPU_PKU] = { 7, 0, ECX, 3 },
	[CPU_LA57] = { 7, 0, ECX, 16 },
};

/* What a system switches on at its start, where the processor has it. */
static const struct {
	enum cpu_feature feature;
	uint64_t cr4;
} switches[] = {
	{ CPU_XSAVE, CR4_OSXSAVE },
	{ CPU_SMEP, CR4_SMEP },
	{ CPU_SMAP, CR4_SMAP },
	{ CPU_UMIP, CR4_UMIP },
	{ CPU_PKU, CR4_PKE },
	{ CPU_LA57, CR4_LA57 },
};

static struct kvm_cpuid2 *cpuid_get(struct vcpu *v)
{
	struct kvm_cpuid2 *c;

	c = calloc(1, sizeof(*c) + MAX_CPUID * sizeof(c->entries[0]));
	CHECK(c);
	c->nent = MAX_CPUID;
	CHECK_SYS(!ioctl(v->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, c));
	return c;
}

static const struct kvm_cpuid_entry2 *
find_leaf(const struct kvm_cpuid2 *c, uint32_t leaf, uint32_t subleaf)
{
	const struct kvm_cpuid_entry2 *e;

	for (e = c->entries; e < c->entries + c->nent; e++)
		if (e->function == leaf && e->index == subleaf)
			return e;
	return NULL;
}

static bool has(const struct kvm_cpuid2 *c, enum cpu_feature feature)
{
	const struct kvm_cpuid_entry2 *e;
	uint32_t regs[4];

	if (feature == CPU_ANY)
		return true;
	e = find_leaf(c, features[feature].leaf, features[feature].subleaf);
	if (!e)
		return false;
	regs[EAX] = e->eax;
	regs[EBX] = e->ebx;
	regs[ECX] = e->ecx;
	regs[EDX] = e->edx;
	return regs[features[feature].reg] >> features[feature].bit & 1;
}

bool cpuid_has(struct vcpu *v, enum cpu_feature feature)
{
	struct kvm_cpuid2 *c = cpuid_get(v);
	bool ret = has(c, feature);

	free(c);
	return ret;
}

static void set_xcr0(struct vcpu *v, const struct kvm_cpuid2 *c)
{
	const struct kvm_cpuid_entry2 *e = find_leaf(c, 0xd, 0);
	struct kvm_xcrs x = { .nr_xcrs = 1 };

	CHECK(e);
	x.xcrs[0].value = e->eax | (uint64_t)e->edx << 32;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_XCRS, &x));
}

void cpuid_set(struct vcpu *v)
{
	struct kvm_cpuid2 *c = cpuid_get(v);
	unsigned int i;

	CHECK_SYS(!ioctl(v->fd, KVM_SET_CPUID2, c));
	v->cr4 = 0;
	for (i = 0; i < ARRAY_SIZE(switches); i++)
		if (has(c, switches[i].feature))
			v->cr4 |= switches[i].cr4;
	if (v->cr4 & CR4_OSXSAVE)
		set_xcr0(v, c);
	free(c);
}
