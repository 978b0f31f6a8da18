/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of the test's guest, by AMD's VMRUN or Intel's VMLAUNCH: the same
 * processor once more, at other code, with page tables of the guest's. Its HLT
 * leaves it.
 */
#ifndef GUEST_INNER_H
#define GUEST_INNER_H

#include "vm.h"

/* Pages in VM_DATA, the first of which is the caller's. */
enum {
	INNER_DATA, INNER_CONTROL, INNER_STATE, INNER_WRITES, INNER_PML4,
	INNER_PDPT, INNER_PD, INNER_PML5, INNER_PAGES
};

#define INNER_AT(page)	(VM_DATA + (page) * PAGE)

/* What the third and the fourth argument, rdx and rcx, have to be. */
#define INNER_RDX(vmx)	INNER_AT((vmx) ? INNER_WRITES : INNER_CONTROL)
#define INNER_RCX(vmx)	(vmx)

/*
 * Guest code that enters it at name_inner, and comes to its HLT afterwards;
 * name_at is the instruction that is looked at. VMRUN leaves interrupts off
 * until STGI. The page of VMWRITEs begins with the addresses of the state and of
 * the VMCS, and the number of fields.
 */
#define INNER_CODE(name, before, insn)					\
	extern const unsigned char name##_at[], name##_inner[];		\
	extern const unsigned char name##_left[];			\
	GUEST_CODE(name, "jrcxz 2f\n"					\
		   "vmxon (%rdx)\n"					\
		   "vmclear 8(%rdx)\n"					\
		   "vmptrld 8(%rdx)\n"					\
		   "mov 16(%rdx), %rcx\n"				\
		   "1: mov 24(%rdx), %r8\n"				\
		   "mov 32(%rdx), %r9\n"				\
		   "vmwrite %r9, %r8\n"					\
		   "lea 16(%rdx), %rdx\n"				\
		   "loop 1b\n"						\
		   "vmlaunch\n"						\
		   "hlt\n"						\
		   ".globl " #name "_left\n"				\
		   #name "_left:\n"					\
		   "vmxoff\n"						\
		   "hlt\n"						\
		   "2: mov %rdx, %rax\n"				\
		   "vmrun\n"						\
		   "stgi\n"						\
		   "hlt\n"						\
		   ".globl " #name "_at, " #name "_inner\n"		\
		   #name "_inner:\n" before "\n"			\
		   #name "_at:\n" insn "\n"				\
		   "hlt")

/**
 * struct inner - where it runs, in guest addresses, and how
 * @rip: where it starts
 * @left: where Intel's processors go on when it is left
 * @nested: with nested paging of the guest's
 */
struct inner {
	uint64_t rip, left;
	bool nested;
};

/* Its nested page tables, once: bits are set in them. */
void inner_fill(struct vcpu *v);
/* Before it is entered; the registers of the vCPU are already loaded. */
void inner_load(struct vcpu *v, const struct inner *inner);
bool inner_is_vmx(void);

/* Of one vendor each. */
void inner_load_svm(struct vcpu *v, const struct inner *inner);
void inner_load_vmx(struct vcpu *v, const struct inner *inner);

#endif /* GUEST_INNER_H */
