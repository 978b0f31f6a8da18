// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel of a guest with CR4.UMIP stores with sgdt and sidt. Intel's
 * processors without UMIP leave the guest for each of them, and KVM emulates it:
 * nothing faults.
 */
#include <sys/ioctl.h>

#include "guard.h"

#define AT(offset)	(VM_DATA + (offset))

static void load_fs(struct vcpu *v, unsigned int round)
{
	struct kvm_sregs s;

	(void)round;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.fs.base = VM_DATA;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

#define UMIP(claim, before, insn, ...)					\
	GUARD_CASE(claim, "kernel with UMIP/" #claim, SEEN_CHANGED,	\
		   before, insn, __VA_ARGS__)				\

UMIP(sgdt, "", "sgdt 8(%rdi)")
UMIP(sidt, "", "sidt 8(%rdi)")
UMIP(sgdt_with_index, "mov $5, %rcx", "sgdt 8(%rdi,%rcx,8)")
UMIP(sgdt_with_32_bits, "bts $40, %rdi", "addr32 sgdt 8(%edi)")
UMIP(sgdt_at_an_absolute_address, "", "sgdt 0x200018")
UMIP(sgdt_in_a_segment, "xor %edi, %edi", "sgdt %fs:24(%rdi)", .load = load_fs)
UMIP(sgdt_to_two_pages, "", "sgdt 0xffc(%rdi)", .tracked = 3, .pages = 3)
UMIP(sgdt_to_the_second_page, "", "sgdt 0xffc(%rdi)", .tracked = 2, .pages = 3)
/* The kind that tells what it stores. */
GUARD_CASE(sldt, "kernel with UMIP/sldt", SEEN_EXACT, "", "sldt 8(%rdi)")
GUARD_CASE(smsw, "kernel with UMIP/smsw", SEEN_EXACT, "", "smsw 8(%rdi)")
