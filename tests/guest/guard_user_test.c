// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stores of user space. Without the guard KVM would fault the program; and
 * interrupts change to the stack that the TSS names.
 */
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"
#include "vm_internal.h"

/* In VM_DATA. */
enum { DATA, STACK, TABLES, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define IDT		(PAGE_AT(TABLES) + 0x800)
#define TSS		(PAGE_AT(TABLES) + 0x400)

enum { TSS_RSP0 = 4, TSS_LIMIT = 103, VECTOR_END = 0x40, DPL_USER = 3 };

/* The gate that the program ends through; in the handler is the HLT. */
#define USER_CODE(name, before, insn)					\
	extern const unsigned char name##_at[], name##_handler[];	\
	GUEST_CODE(name, before "\n"					\
		   ".globl " #name "_at, " #name "_handler\n"		\
		   #name "_at:\n" insn "\n"				\
		   "int $0x40\n"					\
		   #name "_handler:\n hlt")

static const unsigned char *handler;
static struct guest_code code;

static void fill(struct vcpu *v)
{
	struct vm *vm = v->vm;
	uint64_t *gdt = mode_data(vm, PAGE_AT(TABLES));
	uint64_t *gate = (uint64_t *)mode_data(vm, IDT) + 2 * VECTOR_END;

	mode_fill_user(vm, MODE_USER, MODE_USER | PTE_NX);
	mode_fill_gdt(vm, PAGE_AT(TABLES), DESC_CODE64);
	gdt[SEL_USER_CODE / 8] = DESC_CODE64 | DESC_USER;
	gdt[SEL_USER_DATA / 8] = DESC_DATA | DESC_USER;
	mode_set_gate(vm, IDT, VECTOR_END,
		      MODE_KERNEL + vcpu_code_rip(v) + (handler - code.start),
		      0);
	*gate |= (uint64_t)DPL_USER << 45;
	*(uint64_t *)mode_data(vm, TSS + TSS_RSP0) = MODE_KERNEL +
						   PAGE_AT(STACK) + 0x800;
}

static void load(struct vcpu *v, unsigned int round)
{
	struct kvm_segment tr = {
		.base = MODE_KERNEL + TSS, .limit = TSS_LIMIT, .type = 11,
		.present = 1, .selector = SEL_TSS,
	};
	struct kvm_sregs s;

	(void)round;
	mode_load_gdt(v, MODE_KERNEL + PAGE_AT(TABLES));
	mode_load_idt(v, MODE_KERNEL + IDT);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.tr = tr;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	mode_load_user(v, DPL_USER);
}

/*
 * With all protection of user space from the kernel that there is, and without:
 * KVM resolves the user's addresses either way.
 */
#define USER_WITH(claim, page, how, off)				\
	{								\
		struct guard_work w = {					\
			.name = "user space/" #claim, .seen = how,	\
			.code = g_##claim, .at = g_##claim##_at,	\
			.anywhere = (page) != DATA, .pages = PAGES,	\
			.tracked = 1 << (page), .cr4_off = off,		\
			.fill = fill, .load = load,			\
		};							\
									\
		handler = g_##claim##_handler;				\
		code = g_##claim;					\
		guard_try(&w);						\
	}
#define USER_BUT(off, claim, page, how, before, insn)			\
	USER_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	USER_WITH(claim, page, how, off)				\
	CASE(claim##_without_protection)				\
	USER_WITH(claim, page, how, CR4_SMEP | CR4_SMAP | CR4_UMIP | CR4_PKE)
#define USER(...) USER_BUT(0, __VA_ARGS__)

USER(user_mov, DATA, SEEN_EXACT, "mov $7, %rax", "mov %rax, 8(%rdi)")
USER(user_mov_to_the_end, DATA, SEEN_EXACT, "mov $7, %rax",
     "mov %rax, 0xff8(%rdi)")
USER(user_push, DATA, SEEN_EXACT, "lea 64(%rdi), %rsp", "push %rdi")
USER(user_lock_add, DATA, SEEN_EXACT, "mov $7, %rax", "lock add %rax, 8(%rdi)")
USER(user_movups, DATA, SEEN_EXACT, "movups (%rsi), %xmm0",
     "movups %xmm0, 7(%rdi)")
USER(user_fstp, DATA, SEEN_UNEMULATED, "fninit\n fldpi", "fstpl 8(%rdi)")
USER(user_movsd, DATA, SEEN_UNEMULATED, "movups (%rsi), %xmm0",
     "movsd %xmm0, 8(%rdi)")
USER(user_cmpxchg16b, DATA, SEEN_UNEMULATED, "", "lock cmpxchg16b 16(%rdi)")
/* UMIP refuses it to users. */
USER_BUT(CR4_UMIP, user_sgdt, DATA, SEEN_CHANGED, "", "sgdt 8(%rdi)")
USER(interrupt_to_the_kernels_stack, STACK, SEEN_EVENT, "", "nop")
