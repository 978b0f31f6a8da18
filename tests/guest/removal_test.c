// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the guest uses as page tables and as a stack for interrupts are
 * added and removed over and over, by REMOVE, by closing the session and by
 * RING_F_STOP. KVM must not protect such a page at an instant at which the
 * guard takes it for untracked: it would emulate an instruction into the page
 * table, or never deliver the event.
 */
#include <pthread.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "mode.h"
#include "tap.h"
#include "wt.h"

/* In VM_DATA. The tables lie in a row, and map the pages of the arena. */
enum { PML4, PDPT, PD, IDT, GDT, TSS, STACK, PT, TABLES = 32, ARENA = PT + TABLES,
       ARENA_PAGES = 64, PAGES = ARENA + ARENA_PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define WINDOW		0x400000ULL
#define LARGE		(2ULL << 20)
/* Present, writable, accessed and dirty. */
#define TABLE_BITS	0x23ULL
#define LEAF_BITS	0x63ULL
#define LARGE_BITS	0xe3ULL
#define STACK_TOP	(PAGE_AT(STACK) + 0x800)
#define TSS_LIMIT	103
#define VECTOR		0x40

/*
 * (window, tables, seed, mask): stores of 4 bytes through random entries, each
 * to the offset in its page that the entry has in its table. Ends when an entry
 * has changed, rbx being its index. r12 counts.
 */
GUEST_CODE(g_walk_forever,
	"1: mov %rdx, %rax\n"
	"shl $13, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %rax\n"
	"shr $7, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %rax\n"
	"shl $17, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %rbx\n"
	"shr $20, %rbx\n"
	"and %rcx, %rbx\n"
	"mov %rbx, %r8\n"
	"shl $12, %r8\n"
	"add %rdi, %r8\n"
	"mov %rbx, %r9\n"
	"and $511, %r9\n"
	"lea (%r8, %r9, 8), %r8\n"
	"mov (%rsi, %rbx, 8), %r10\n"
	"invlpg (%r8)\n"
	"movl $0x5a5a5a5a, (%r8)\n"
	"cmp (%rsi, %rbx, 8), %r10\n"
	"jne 2f\n"
	"inc %r12\n"
	"jmp 1b\n"
	"2: hlt");

/* rbx counts the interrupts. */
extern const unsigned char g_interrupts_handler[];
GUEST_CODE(g_interrupts,
	"sti\n"
	"1: jmp 1b\n"
	".globl g_interrupts_handler\n"
	"g_interrupts_handler: inc %rbx\n"
	"iretq");

static uint64_t interrupts;

static uint64_t *table(struct vm *vm, unsigned int page)
{
	return mode_data(vm, PAGE_AT(page));
}

static uint64_t entry(unsigned int index)
{
	return PAGE_AT(ARENA + index % ARENA_PAGES) | LEAF_BITS;
}

static void fill_tables(struct vm *vm)
{
	unsigned int i;

	table(vm, PML4)[0] = PAGE_AT(PDPT) | TABLE_BITS;
	table(vm, PDPT)[0] = PAGE_AT(PD) | TABLE_BITS;
	table(vm, PD)[0] = 0 | LARGE_BITS;
	table(vm, PD)[1] = LARGE | LARGE_BITS;
	for (i = 0; i < TABLES; i++)
		table(vm, PD)[2 + i] = PAGE_AT(PT + i) | TABLE_BITS;
	for (i = 0; i < TABLES * 512; i++)
		table(vm, PT)[i] = entry(i);
}

static void fill_interrupts(struct vcpu *v)
{
	mode_set_gate(v->vm, PAGE_AT(IDT), VECTOR, vcpu_code_rip(v) +
		      (g_interrupts_handler - g_interrupts.start), 0);
	mode_fill_gdt(v->vm, PAGE_AT(GDT), DESC_CODE64);
}

static void load_tables(struct vcpu *v)
{
	struct kvm_sregs s;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.cr3 = PAGE_AT(PML4);
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

static void load_interrupts(struct vcpu *v)
{
	struct kvm_segment tr = {
		.base = PAGE_AT(TSS), .limit = TSS_LIMIT, .type = 11,
		.present = 1, .selector = SEL_TSS,
	};
	struct kvm_sregs s;
	struct kvm_regs r;

	mode_load_gdt(v, PAGE_AT(GDT));
	mode_load_idt(v, PAGE_AT(IDT));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.tr = tr;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsp = STACK_TOP;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

static struct kvm_regs regs_of(struct vcpu *v)
{
	struct kvm_regs r;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	return r;
}

/* One turn of the way in which the pages come and go. */
typedef void (*turn_fn)(struct vm *vm, struct wt **wt, uint64_t gfn,
			uint64_t nr_pages);

static void by_remove(struct vm *vm, struct wt **wt, uint64_t gfn,
		      uint64_t nr_pages)
{
	(void)vm;
	wt_add((*wt)->fd, gfn, nr_pages);
	wt_remove((*wt)->fd, gfn, nr_pages);
}

static void by_close(struct vm *vm, struct wt **wt, uint64_t gfn,
		     uint64_t nr_pages)
{
	wt_add((*wt)->fd, gfn, nr_pages);
	wt_close(*wt);
	*wt = wt_session(vm->fd, 64, 0);
}

/* What the guard has stopped is not tracked any more, and may be added. */
static void by_stop(struct vm *vm, struct wt **wt, uint64_t gfn,
		    uint64_t nr_pages)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = nr_pages };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	(void)vm;
	CHECK_ERRNO(__wt_add((*wt)->fd, &a), 0);
	CHECK_EQ(c.out_failed, 0);
	wt_drain(*wt);
}

/* A session takes much longer to come and go than a page. */
static unsigned int nr_turns(turn_fn turn)
{
	return (turn == by_close ? 60 : 6000) / (host_is_debug() ? 60 : 1) + 10;
}

/* The vCPU runs meanwhile, until it is stopped or something went wrong. */
static void come_and_go(struct vcpu *v, turn_fn turn, uint32_t flags,
			uint64_t gfn, uint64_t nr_pages)
{
	struct wt *wt = wt_session(v->vm->fd, 64, flags);
	unsigned int i;

	for (i = 0; i < nr_turns(turn); i++) {
		turn(v->vm, &wt, gfn, nr_pages);
		wt_drain(wt);
		if (__atomic_load_n(&v->run->exit_reason, __ATOMIC_ACQUIRE) ==
		    KVM_EXIT_HLT)
			break;
	}
	wt_close(wt);
}

static void check_tables(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < TABLES * 512; i++)
		if (table(vm, PT)[i] != entry(i))
			tap_fail(__FILE__, __LINE__,
				 "entry %u is %#llx, was %#llx", i,
				 (unsigned long long)table(vm, PT)[i],
				 (unsigned long long)entry(i));
}

static void tables_come_and_go(turn_fn turn, uint32_t flags)
{
	const uint64_t args[6] = { WINDOW, PAGE_AT(PT), 4711, TABLES * 512 - 1 };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);

	fill_tables(vm);
	vcpu_load(v, g_walk_forever, args);
	load_tables(v);
	vcpu_go(v);
	come_and_go(v, turn, flags, VM_DATA_GFN + PT, TABLES);
	vcpu_stop(v);
	check_tables(vm);
	tap_note("%llu stores through the tables",
		 (unsigned long long)regs_of(v).r12);
	CHECK(regs_of(v).r12 > 100);
}

/* Interrupts the guest whenever it may be interrupted; counts. */
static void *interrupt_forever(void *arg)
{
	const struct kvm_interrupt irq = { .irq = VECTOR };
	struct vcpu *v = arg;
	uint64_t nr = 0;

	v->run->request_interrupt_window = 1;
	while (!__atomic_load_n(&v->stop, __ATOMIC_SEQ_CST)) {
		CHECK_EQ(vcpu_run(v), KVM_EXIT_IRQ_WINDOW_OPEN);
		CHECK_SYS(!ioctl(v->fd, KVM_INTERRUPT, &irq));
		__atomic_store_n(&interrupts, ++nr, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static uint64_t interrupts_now(void)
{
	return __atomic_load_n(&interrupts, __ATOMIC_SEQ_CST);
}

static void stack_comes_and_goes(turn_fn turn, uint32_t flags)
{
	const uint64_t args[6] = { 0 };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	uint64_t nr;

	vcpu_load(v, g_interrupts, args);
	fill_interrupts(v);
	load_interrupts(v);
	CHECK(!pthread_create(&v->thread, NULL, interrupt_forever, v));
	come_and_go(v, turn, flags, VM_DATA_GFN + STACK, 1);
	/* It is still interrupted. */
	nr = interrupts_now();
	CHECK_SOON(interrupts_now() > nr + 10);
	__atomic_store_n(&v->stop, 1, __ATOMIC_SEQ_CST);
	CHECK(!pthread_join(v->thread, NULL));
	tap_note("%llu interrupts", (unsigned long long)interrupts_now());
	CHECK(interrupts_now() - regs_of(v).rbx <= 1);
}

CASE_WITHIN(page_tables_are_added_and_removed, 120)
{
	tables_come_and_go(by_remove, 0);
}

CASE_WITHIN(page_tables_are_added_and_the_session_closed, 120)
{
	tables_come_and_go(by_close, 0);
}

CASE_WITHIN(page_tables_are_added_and_stopped, 120)
{
	tables_come_and_go(by_stop, KVM_WTRACK_RING_F_STOP);
}

CASE_WITHIN(a_stack_is_added_and_removed, 120)
{
	stack_comes_and_goes(by_remove, 0);
}

CASE_WITHIN(a_stack_is_added_and_the_session_closed, 120)
{
	stack_comes_and_goes(by_close, 0);
}

CASE_WITHIN(a_stack_is_added_and_stopped, 120)
{
	stack_comes_and_goes(by_stop, KVM_WTRACK_RING_F_STOP);
}
