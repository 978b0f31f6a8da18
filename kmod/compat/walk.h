/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM's own tracepoints, which it does not export, say of its page tables
 * and of the guest's:
 *
 *	kwt_walk_is_present	is the guest's entry in use?
 *	kwt_walk_is_last	does it lead to a page?
 *	kwt_walk_gfn		to which gfn does that entry lead an address?
 *	kwt_mmio_gfn		which gfn stands in KVM's entry for a hole?
 *
 * The prototypes of the tracepoints are the same on all kernels from 6.1 on.
 */
#ifndef KWT_COMPAT_WALK_H
#define KWT_COMPAT_WALK_H

#include <linux/kvm_host.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

/* In entries of all formats but that of the last level. */
#define KWT_PTE_LARGE	BIT_ULL(7)

/* In KVM's own entries of any format, EPT included. */
#define KWT_ENTRY_WRITABLE	BIT_ULL(1)

/* KVM puts the upper bits of a hole's gfn this much higher, see below. */
#define KWT_MMIO_SHIFT	5

/* Does the processor use entries of 4 bytes here? Then a large page has 4 MiB. */
static inline bool kwt_walk_is_short(const struct kvm_vcpu *vcpu)
{
	const struct kvm_mmu *mmu = vcpu->arch.mmu;

#ifdef KWT_HAVE_PAGEWALK
	return mmu->w->cpu_role.base.has_4_byte_gpte;
#else
	return mmu->cpu_role.base.has_4_byte_gpte;
#endif
}

static inline bool kwt_walk_has_pse(const struct kvm_vcpu *vcpu)
{
	const struct kvm_mmu *mmu = vcpu->arch.mmu;

#ifdef KWT_HAVE_PAGEWALK
	return mmu->w->cpu_role.ext.cr4_pse;
#else
	return mmu->cpu_role.ext.cr4_pse;
#endif
}

/* The lowest bit, but with EPT any of the permissions. */
static inline bool kwt_walk_is_present(u64 pte)
{
	return pte & (boot_cpu_has(X86_FEATURE_VMX) ? 7 : 1);
}

static inline bool kwt_walk_is_last(const struct kvm_vcpu *vcpu, u64 pte,
				    int level)
{
	if (level == PG_LEVEL_4K)
		return true;
	return pte & KWT_PTE_LARGE &&
	       (!kwt_walk_is_short(vcpu) || kwt_walk_has_pse(vcpu));
}

/* An entry for 4 MiB has the bits of its address from the 32nd on in 20..13. */
static inline u64 kwt_walk_gfn_short(u64 pte, int level, u64 address)
{
	if (level == PG_LEVEL_4K)
		return (u32)pte >> PAGE_SHIFT;
	return ((pte & GENMASK_ULL(31, 22)) | (pte & GENMASK_ULL(20, 13)) << 19 |
		(address & GENMASK_ULL(21, 12))) >> PAGE_SHIFT;
}

static inline u64 kwt_walk_gfn(const struct kvm_vcpu *vcpu, u64 pte, int level,
			       u64 address)
{
	u64 offset = GENMASK_ULL(PAGE_SHIFT + 9 * (level - 1) - 1, 0);

	if (kwt_walk_is_short(vcpu))
		return kwt_walk_gfn_short(pte, level, address);
	return ((pte & GENMASK_ULL(51, PAGE_SHIFT) & ~offset) |
		(address & offset)) >> PAGE_SHIFT;
}

/*
 * On processors with L1TF, KVM inverts some upper bits of the address by setting
 * them, and has what they were five bits further up.
 */
static inline u64 kwt_mmio_gfn(u64 spte)
{
	u64 moved = 0;
	u8 bits = boot_cpu_data.x86_phys_bits;

	if (boot_cpu_has_bug(X86_BUG_L1TF) &&
	    boot_cpu_data.x86_cache_bits < 52 - KWT_MMIO_SHIFT) {
		bits = boot_cpu_data.x86_cache_bits - KWT_MMIO_SHIFT;
		moved = GENMASK_ULL(boot_cpu_data.x86_cache_bits - 1, bits);
	}
	return ((spte & GENMASK_ULL(bits - 1, PAGE_SHIFT)) |
		(spte >> KWT_MMIO_SHIFT & moved)) >> PAGE_SHIFT;
}

#endif /* KWT_COMPAT_WALK_H */
