// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts and exceptions whose delivery stores to a tracked stack, or reads
 * a tracked IDT, GDT or TSS.
 */
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"

/* In VM_DATA. */
enum { IDT, GDT, TSS, STACK, IST, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define STACK_TOP	(PAGE_AT(STACK) + 0x800)
#define IST_TOP		(PAGE_AT(IST) + 0x800)

enum { TSS_IST1 = 36, TSS_LIMIT = 103, VECTOR_INT = 0x40 };

/*
 * Handlers count in rbx and return behind the instruction in the frame if r12,
 * its length, is not 0.
 */
#define HANDLERS(name)							\
	"jmp 2f\n"							\
	".globl " #name "_handler_error, " #name "_handler\n"		\
	#name "_handler_error:\n"					\
	"add $8, %rsp\n"						\
	#name "_handler:\n"						\
	"inc %rbx\n"							\
	"add %r12, (%rsp)\n"						\
	"iretq\n"							\
	"2:\n"

#define EVENT_CODE(name, text)						\
	extern const unsigned char name##_handler[];			\
	extern const unsigned char name##_handler_error[];		\
	GUEST_CODE(name, HANDLERS(name) text "\n hlt")

EVENT_CODE(g_int3, "int3");
EVENT_CODE(g_int, "int $0x40");
EVENT_CODE(g_ud, "mov $2, %r12d\n ud2");
EVENT_CODE(g_de, "mov $2, %r12d\n xor %ecx, %ecx\n div %ecx");
/* Behind the last gigabyte that is mapped, and not canonical. */
EVENT_CODE(g_pf, "mov $3, %r12d\n mov $0x1234567890, %rax\n mov (%rax), %r8");
EVENT_CODE(g_gp, "mov $3, %r12d\n mov $0x800000000000, %rax\n mov (%rax), %r8");
/* Until the handler leads out of the loop, which is one instruction. */
EVENT_CODE(g_wait, "mov $2, %r12d\n sti\n 3: jmp 3b\n cli");
EVENT_CODE(g_nothing, "nop");

struct event {
	struct guest_code code;
	const unsigned char *handler, *handler_error;
	void (*run)(struct vcpu *v);
};

#define EVENT(name, how) { name, name##_handler, name##_handler_error, how }

static const struct event *event;
static unsigned int ist;

static bool has_error_code(unsigned int vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void fill(struct vcpu *v)
{
	uint64_t base = vcpu_code_rip(v) - (uintptr_t)event->code.start;
	struct vm *vm = v->vm;
	unsigned int i;

	for (i = 0; i < 256; i++)
		mode_set_gate(vm, PAGE_AT(IDT), i, base + (uintptr_t)
			      (has_error_code(i) ? event->handler_error :
			       event->handler), ist);
	mode_fill_gdt(vm, PAGE_AT(GDT), DESC_CODE64);
	*(uint64_t *)mode_data(vm, PAGE_AT(TSS) + TSS_IST1) = IST_TOP;
}

static void load(struct vcpu *v, unsigned int round)
{
	struct kvm_segment tr = {
		.base = PAGE_AT(TSS), .limit = TSS_LIMIT, .type = 11,
		.present = 1, .selector = SEL_TSS,
	};
	struct kvm_sregs s;
	struct kvm_regs r;

	(void)round;
	mode_load_gdt(v, PAGE_AT(GDT));
	mode_load_idt(v, PAGE_AT(IDT));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.tr = tr;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsp = STACK_TOP;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

static void run_interrupt(struct vcpu *v)
{
	struct kvm_interrupt irq = { .irq = VECTOR_INT };

	v->run->request_interrupt_window = 1;
	CHECK_EQ(vcpu_run(v), KVM_EXIT_IRQ_WINDOW_OPEN);
	v->run->request_interrupt_window = 0;
	CHECK_SYS(!ioctl(v->fd, KVM_INTERRUPT, &irq));
	vcpu_finish(v);
}

static void run_nmi(struct vcpu *v)
{
	CHECK_SYS(!ioctl(v->fd, KVM_NMI, 0));
	vcpu_finish(v);
}

static void try_event(const struct event *e, const char *name, uint64_t tracked,
		      unsigned int seen)
{
	struct guard_work w = {
		.name = name, .seen = seen, .code = e->code,
		.pages = PAGES, .tracked = tracked,
		.fill = fill, .load = load, .run = e->run,
	};

	event = e;
	guard_try(&w);
}

#define BIT(n)	(1ULL << (n))
#define ALL	(BIT(PAGES) - 1)

#define EVENT_CASES(claim, code, how)					\
	CASE(claim##_on_a_tracked_stack)				\
	{								\
		const struct event e = EVENT(code, how);		\
									\
		try_event(&e, "event, tracked stack/" #claim,		\
			  BIT(STACK), SEEN_EVENT);			\
	}								\
	CASE(claim##_on_a_tracked_stack_of_its_own)			\
	{								\
		const struct event e = EVENT(code, how);		\
									\
		ist = 1;						\
		try_event(&e, "event, tracked IST stack/" #claim,	\
			  BIT(IST), SEEN_EVENT);			\
	}								\
	CASE(claim##_through_tracked_tables)				\
	{								\
		const struct event e = EVENT(code, how);		\
									\
		ist = 1;						\
		try_event(&e, "event, tracked IDT, GDT and TSS/" #claim, \
			  BIT(IDT) | BIT(GDT) | BIT(TSS),		\
			  SEEN_NO_STORE);				\
	}								\
	CASE(claim##_with_all_of_it_tracked)				\
	{								\
		const struct event e = EVENT(code, how);		\
									\
		ist = 1;						\
		try_event(&e, "event, stack and tables tracked/" #claim, \
			  ALL, SEEN_EVENT);				\
	}

EVENT_CASES(breakpoint, g_int3, NULL)
EVENT_CASES(software_interrupt, g_int, NULL)
EVENT_CASES(invalid_opcode, g_ud, NULL)
EVENT_CASES(division_by_zero, g_de, NULL)
EVENT_CASES(page_fault, g_pf, NULL)
EVENT_CASES(protection_fault, g_gp, NULL)
EVENT_CASES(interrupt, g_wait, run_interrupt)
EVENT_CASES(nmi, g_nothing, run_nmi)
