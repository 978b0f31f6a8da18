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

enum {
	TSS_RSP0 = 4, TSS_LIMIT = 103,
	SEL_USER_CODE = SEL_FREE | 3, SEL_USER_DATA = (SEL_FREE + 8) | 3,
	VECTOR_END = 0x40, DPL_USER = 3,
};

#define DESC_USER	(3ULL << 45)
#define PTE_USER	4ULL

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

static void open_tables(struct vm *vm)
{
	uint64_t gpa, *entry;

	for (gpa = LOW_PML4; gpa < LOW_PD + 4 * PAGE; gpa += 8) {
		entry = (uint64_t *)(vm->low + gpa);
		if (*entry)
			*entry |= PTE_USER;
	}
}

static void fill(struct vcpu *v)
{
	struct vm *vm = v->vm;
	uint64_t *gdt = mode_data(vm, PAGE_AT(TABLES));
	uint64_t *gate = (uint64_t *)mode_data(vm, IDT) + 2 * VECTOR_END;

	open_tables(vm);
	mode_fill_gdt(vm, PAGE_AT(TABLES), DESC_CODE64);
	gdt[SEL_USER_CODE / 8] = DESC_CODE64 | DESC_USER;
	gdt[SEL_USER_DATA / 8] = DESC_DATA | DESC_USER;
	mode_set_gate(vm, IDT, VECTOR_END,
		      vcpu_code_rip(v) + (handler - code.start), 0);
	*gate |= (uint64_t)DPL_USER << 45;
	*(uint64_t *)mode_data(vm, TSS + TSS_RSP0) = PAGE_AT(STACK) + 0x800;
}

static void load(struct vcpu *v, unsigned int round)
{
	struct kvm_segment tr = {
		.base = TSS, .limit = TSS_LIMIT, .type = 11, .present = 1,
		.selector = SEL_TSS,
	};
	struct kvm_sregs s;

	(void)round;
	mode_load_gdt(v, PAGE_AT(TABLES));
	mode_load_idt(v, IDT);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.tr = tr;
	s.cs.dpl = s.ss.dpl = s.ds.dpl = s.es.dpl = DPL_USER;
	s.cs.selector = SEL_USER_CODE;
	s.ss.selector = s.ds.selector = s.es.selector = SEL_USER_DATA;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

#define USER(claim, page, how, before, insn)				\
	USER_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	{								\
		struct guard_work w = {					\
			.name = "user space/" #claim, .seen = how,	\
			.code = g_##claim, .at = g_##claim##_at,	\
			.anywhere = (page) != DATA, .pages = PAGES,	\
			.tracked = 1 << (page),				\
			.fill = fill, .load = load,			\
		};							\
									\
		handler = g_##claim##_handler;				\
		code = g_##claim;					\
		guard_try(&w);						\
	}

USER(user_mov, DATA, SEEN_EXACT, "mov $7, %rax", "mov %rax, 8(%rdi)")
USER(user_movups, DATA, SEEN_EXACT, "movups (%rsi), %xmm0",
     "movups %xmm0, 7(%rdi)")
USER(user_fstp, DATA, SEEN_UNEMULATED, "fninit\n fldpi", "fstpl 8(%rdi)")
USER(user_movsd, DATA, SEEN_UNEMULATED, "movups (%rsi), %xmm0",
     "movsd %xmm0, 8(%rdi)")
USER(user_cmpxchg16b, DATA, SEEN_UNEMULATED, "", "lock cmpxchg16b 16(%rdi)")
USER(user_sgdt, DATA, SEEN_CHANGED, "", "sgdt 8(%rdi)")
USER(interrupt_to_the_kernels_stack, STACK, SEEN_EVENT, "", "nop")
