// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stores of a guest of the guest, with page tables of the guest's and with
 * nested paging in the guest. Each enters it, and is left by its HLT.
 */
#include <string.h>

#include "guard.h"
#include "inner.h"
#include "module.h"

static struct guest_code code;
static const unsigned char *start, *left;
static bool nested;

static void fill(struct vcpu *v)
{
	memset(v->vm->data, 0x5a, PAGE);
	inner_fill(v);
}

static void load(struct vcpu *v, unsigned int round)
{
	uint64_t rip = vcpu_code_rip(v);
	struct inner inner = {
		.rip = rip + (start - code.start),
		.left = rip + (left - code.start),
		.nested = nested,
	};

	(void)round;
	inner_load(v, &inner);
}

static void try_inner(const char *name, const unsigned char *at)
{
	bool vmx = inner_is_vmx();
	const struct guard_work w = {
		.name = name, .seen = SEEN_NESTED, .code = code, .at = at,
		.args = { VM_DATA, VM_LOW_BYTES - PAGE, INNER_RDX(vmx),
			  INNER_RCX(vmx) },
		.pages = INNER_PAGES, .tracked = 1 << INNER_DATA,
		.fill = fill, .load = load,
	};

	/* Who has no nested paging does not offer it, either. */
	if (nested && !paging_is_nested())
		tap_note("class %s: absent", name);
	else
		guard_try(&w);
}

static void set_code(struct guest_code text, const unsigned char *inner,
		     const unsigned char *behind)
{
	code = text;
	start = inner;
	left = behind;
}

#define INNER(claim, class, before, insn)				\
	INNER_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	{								\
		set_code(g_##claim, g_##claim##_inner, g_##claim##_left); \
		try_inner("guest of the guest/" class, g_##claim##_at);	\
	}								\
	CASE(claim##_with_nested_paging)				\
	{								\
		set_code(g_##claim, g_##claim##_inner, g_##claim##_left); \
		nested = true;						\
		try_inner("guest of the guest, nested paging/" class,	\
			  g_##claim##_at);				\
	}

INNER(inner_mov, "mov", "mov $7, %rax", "mov %rax, 8(%rdi)")
INNER(inner_add, "lock add", "mov $7, %rax", "lock add %rax, 8(%rdi)")
INNER(inner_fstp, "fstp", "fninit\n fldpi", "fstpl 8(%rdi)")
INNER(inner_sgdt, "sgdt", "", "sgdt 8(%rdi)")
