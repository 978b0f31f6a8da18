// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stores that go across pages: those that are emulated, those that are not or
 * that nobody is told of, and locked ones, which KVM would make without the
 * lock.
 */
#include <string.h>

#include "guard.h"

#define BOTH	3
#define SECOND	2

#define CROSS(claim, mask, how, before, insn, ...)			\
	GUARD_CASE(claim, "across two pages/" #claim, how,		\
		   "add $4096, %rdi\n" before, insn,			\
		   .args = { VM_DATA, VM_DATA + 2 * PAGE }, .pages = 3,	\
		   .tracked = mask, __VA_ARGS__)

CROSS(mov_both, BOTH, SEEN_EXACT, "mov %rsi, %rax", "mov %rax, -3(%rdi)")
CROSS(mov_second, SECOND, SEEN_EXACT, "mov %rsi, %rax", "mov %rax, -3(%rdi)")
CROSS(movups_both, BOTH, SEEN_EXACT, "movups (%rsi), %xmm0",
      "movups %xmm0, -7(%rdi)")
CROSS(fstp_both, BOTH, SEEN_UNEMULATED, "fninit\n fldpi", "fstpl -3(%rdi)")
CROSS(fstp_second, SECOND, SEEN_UNEMULATED, "fninit\n fldpi",
      "fstpl -3(%rdi)")
CROSS(movlps_both, BOTH, SEEN_UNEMULATED, "movups (%rsi), %xmm0",
      "movlps %xmm0, -3(%rdi)")
CROSS(fnsave_both, BOTH, SEEN_UNEMULATED, GUARD_FPU_FORGETS,
      "fnsave -50(%rdi)")
CROSS(xsave_both, BOTH, SEEN_UNEMULATED,
      "mov $7, %eax\n xor %edx, %edx\n fninit", "xsave -64(%rdi)",
      .feature = CPU_XSAVE)
/* KVM would make it all at the fault on the first page. */
CROSS(sgdt_both, BOTH, SEEN_CHANGED, "", "sgdt -4(%rdi)")
CROSS(sgdt_second, SECOND, SEEN_CHANGED, "", "sgdt -4(%rdi)")

#define LOCK(claim, before, insn)					\
	CROSS(claim##_both, BOTH, SEEN_SPLIT_LOCK, before, insn)	\
	CROSS(claim##_second, SECOND, SEEN_SPLIT_LOCK, before, insn)

LOCK(lock_inc, "", "lock incq -4(%rdi)")
LOCK(lock_incw, "", "lock incw -1(%rdi)")
LOCK(lock_add_immediate, "", "lock addl $0x12345, -3(%rdi)")
LOCK(lock_with_index, "mov $-1, %rcx", "lock incq 4(%rdi,%rcx,8)")
LOCK(xchg, "mov %rsi, %rax", "xchg %rax, -5(%rdi)")
LOCK(lock_xadd, "mov %rsi, %rax", "lock xadd %eax, -2(%rdi)")
LOCK(lock_cmpxchg, "mov -4(%rdi), %rax", "lock cmpxchg %rsi, -4(%rdi)")
/* It leaves flags undefined. */
LOCK(lock_bts, "mov $1024, %rcx\n sub $128, %rdi",
     "lock bts %rcx, -2(%rdi)\n test %rdi, %rdi")

/* Locked, but within a page: from its beginning, and to its end. */
CROSS(lock_inc_at_the_beginning, SECOND, SEEN_EXACT, "", "lock incq (%rdi)")
CROSS(lock_inc_from_an_index, SECOND, SEEN_EXACT, "mov $1, %rcx",
      "lock incl -4(%rdi,%rcx,4)")
CROSS(xchg_at_the_beginning, SECOND, SEEN_EXACT, "mov %rsi, %rax",
      "xchg %ax, (%rdi)")
CROSS(lock_incb_at_the_end, BOTH, SEEN_EXACT, "", "lock incb -1(%rdi)")
CROSS(lock_inc_at_the_end, BOTH, SEEN_EXACT, "", "lock incq -8(%rdi)")
CROSS(inc_without_lock, BOTH, SEEN_EXACT, "", "incq -4(%rdi)")

GUEST_CODE(g_lock_inc, "1: lock incq (%rdi)\n dec %rsi\n jnz 1b\n hlt");

CASE_WITHIN(vcpus_that_count_across_pages_lose_none, 120)
{
	enum { COUNT = 3000, VCPUS = 2 };
	struct vm *vm = vm_new(2);
	struct wt *wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_COALESCE);
	struct vcpu *v[VCPUS];
	uint64_t counted;
	int i;

	for (i = 0; i < VCPUS; i++)
		v[i] = vcpu_new(vm);
	wt_add(wt->fd, VM_DATA_GFN, 2);
	for (i = 0; i < VCPUS; i++)
		vcpu_start(v[i], g_lock_inc, VM_DATA + PAGE - 4, COUNT);
	for (i = 0; i < VCPUS; i++)
		vcpu_join(v[i]);
	memcpy(&counted, vm->data + PAGE - 4, sizeof(counted));
	CHECK_EQ(counted, COUNT * VCPUS);
}
