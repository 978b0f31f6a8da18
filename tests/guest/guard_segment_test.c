// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptor tables that are tracked: to load a segment register sets a bit in
 * its descriptor. Where the selector comes from matters: KVM may have it from
 * the page that is tracked when both are at the same offset.
 */
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"

#define OPERANDS	(VM_DATA + PAGE)
#define TSS_BYTES	104
/* Of the word of a descriptor that has the bit in it. */
#define DESC_HIGH	4

#define DESC_TSS	(0x0000890000000000ULL | (TSS_BYTES - 1))
#define DESC_LDT	(0x0000820000000000ULL | 0xff)

static uint64_t descriptor;
static unsigned int operand_offset;

/* A descriptor for each round, of 16 bytes, at SEL_FREE. */
static void fill(struct vcpu *v)
{
	uint64_t *gdt = mode_data(v->vm, VM_DATA);
	unsigned int i;

	mode_fill_gdt(v->vm, VM_DATA, DESC_CODE64);
	for (i = 0; i < 4; i++)
		gdt[SEL_FREE / 8 + 2 * i] = descriptor;
}

/* rsi is the selector, rdx where it is in memory, as a far pointer too. */
static void load(struct vcpu *v, unsigned int round)
{
	uint64_t selector = SEL_FREE + 16 * round;
	uint64_t gpa = OPERANDS + (operand_offset ?: selector + DESC_HIGH);
	struct kvm_regs r;

	mode_load_gdt(v, VM_DATA);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsi = selector;
	r.rdx = gpa;
	r.rsp = gpa;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

#define SEGMENT(claim, desc, offset, class, how, before, insn)		\
	GUARD_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	{								\
		struct guard_work w = {					\
			.name = class "/" #claim, .seen = how,		\
			.code = g_##claim, .at = g_##claim##_at,	\
			.args = { VM_DATA }, .fill = fill, .load = load, \
		};							\
									\
		descriptor = desc;					\
		operand_offset = offset;				\
		guard_try(&w);						\
	}

#define ACCESSED(claim, before, insn)					\
	SEGMENT(claim, DESC_DATA & ~DESC_ACCESSED, 0x800,		\
		"segment load, tracked GDT", SEEN_CHANGED | SEEN_OPERAND, \
		before, insn)
#define SAME_OFFSET(claim, before, insn)				\
	SEGMENT(claim##_same_offset, DESC_DATA & ~DESC_ACCESSED, 0,	\
		"segment load, tracked GDT, operand at the same offset", \
		SEEN_CHANGED | SEEN_OPERAND, before, insn)

ACCESSED(mov_register_to_ds, "", "mov %esi, %ds")
ACCESSED(mov_memory_to_ds, "mov %esi, (%rdx)", "mov (%rdx), %ds")
ACCESSED(pop_fs, "mov %rsi, (%rdx)", "pop %fs")
ACCESSED(lgs, "mov %esi, 4(%rdx)", "lgs (%rdx), %eax")
SAME_OFFSET(mov_memory_to_ds, "mov %esi, (%rdx)", "mov (%rdx), %ds")
SAME_OFFSET(pop_fs, "mov %rsi, (%rdx)", "pop %fs")
SAME_OFFSET(lgs, "mov %esi, 4(%rdx)", "lgs (%rdx), %eax")

SEGMENT(lldt, DESC_LDT, 0x800, "segment load, tracked GDT", SEEN_NO_STORE, "",
	"lldt %si")
SEGMENT(ltr, DESC_TSS, 0x800, "segment load, tracked GDT",
	SEEN_EXACT | SEEN_CHANGED, "", "ltr %si")
