// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task switches in 32-bit mode: a store of almost all registers to a TSS, and
 * bits set in the GDT. Processors leave it to KVM, which then tells nobody; only
 * the emulated AMD processor does it itself. (Its flags are lazy there: the code
 * leaves them alone.)
 */
#include <string.h>
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"
#include "module.h"

/* In VM_DATA. */
enum { FIRST, SECOND, GDT, STACK, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define STACK_TOP	(PAGE_AT(STACK) + 0x400)

enum { SEL_FIRST = SEL_FREE, SEL_SECOND = SEL_FREE + 8 };

struct tss32 {
	uint32_t link, ring[6], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, trap;
} __attribute__((packed));

#define DESC_TSS32	0x0000890000000067ULL
#define DESC_BUSY	(2ULL << 40)

/* Selectors as text: 0x40 is the first task, 0x48 the second. */
extern const unsigned char g_switch_second[];
GUEST_CODE(g_switch,
	".code32\n"
	"mov $0x1234, %ebx\n"
	"ljmp $0x48, $0\n"
	"lea 1(%ebx), %ebx\n"
	"hlt\n"
	".globl g_switch_second\n"
	"g_switch_second:\n"
	"1: lea 1(%ecx), %ecx\n"
	"ljmp $0x40, $0\n"
	"jmp 1b");

static uint64_t tss_descriptor(uint64_t gpa)
{
	return DESC_TSS32 | (gpa & 0xffffff) << 16 | (gpa >> 24 & 0xff) << 56;
}

static void fill(struct vcpu *v)
{
	uint64_t *gdt = mode_data(v->vm, PAGE_AT(GDT));
	struct tss32 *second = mode_data(v->vm, PAGE_AT(SECOND));

	mode_fill_gdt(v->vm, PAGE_AT(GDT), DESC_CODE32);
	gdt[SEL_FIRST / 8] = tss_descriptor(PAGE_AT(FIRST)) | DESC_BUSY;
	gdt[SEL_SECOND / 8] = tss_descriptor(PAGE_AT(SECOND));
	second->eip = vcpu_code_rip(v) + (g_switch_second - g_switch.start);
	second->eflags = 2;
	second->esp = STACK_TOP - 0x100;
	second->cs = SEL_CODE;
	second->es = second->ss = second->ds = SEL_DATA;
	second->fs = second->gs = SEL_DATA;
}

static void load(struct vcpu *v, unsigned int round)
{
	struct kvm_segment tr = {
		.base = PAGE_AT(FIRST), .limit = 0x67, .type = 11,
		.present = 1, .selector = SEL_FIRST,
	};
	struct kvm_segment none = { .unusable = 1 };
	struct kvm_sregs s;

	mode_32(v, round);
	mode_load_gdt(v, PAGE_AT(GDT));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.tr = tr;
	s.ldt = none;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

static void try_switch(const char *name, uint64_t tracked)
{
	const struct guard_work w = {
		.name = name,
		/* In the GDT it is as before at the end. */
		.seen = SEEN_NOT | SEEN_UNEMULATED | SEEN_NO_STORE,
		.code = g_switch, .args = { STACK_TOP },
		.pages = PAGES, .tracked = tracked,
		.fill = fill, .load = load,
	};

	/*
	 * Without nested paging the emulated AMD processor would take CR3 from
	 * the TSS, although it is KVM's, and be lost; whether tracked or not.
	 */
	if (paging_is_nested() || !strcmp(module_vendor(), "kvm_intel"))
		guard_try(&w);
	else
		tap_note("class %s: absent", name);
}

CASE(a_task_switch_with_both_tss_tracked)
{
	try_switch("task switch/TSS", 1 << FIRST | 1 << SECOND);
}

CASE(a_task_switch_with_the_gdt_tracked)
{
	try_switch("task switch/GDT", 1 << GDT);
}
