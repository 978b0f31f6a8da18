/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard's claim for one kind of store: a guest that makes it to a tracked
 * page ends with the same registers and memory as one whose pages nobody
 * tracks, and a reader of the records has the memory.
 *
 * The work is done in rounds, in a VM of its own each time it is tried. What
 * was seen of it is printed as "# class NAME: ...", which docs/ has a table of.
 */
#ifndef GUEST_GUARD_H
#define GUEST_GUARD_H

#include "cpuid.h"
#include "mirror.h"
#include "tap.h"
#include "vm.h"

/*
 * GUARD_CODE(fst, "fld1", "fsts (%rdi)"): guest code whose one store to a
 * tracked page is made by the instruction at fst_at.
 */
#define GUARD_CODE(name, before, insn)					\
	extern const unsigned char name##_at[];				\
	GUEST_CODE(name, before "\n"					\
		   ".globl " #name "_at\n"				\
		   #name "_at:\n"					\
		   insn "\n"						\
		   "hlt")

/* What the reader is told of a store; a claim may allow several. */
enum {
	SEEN_EXACT	= 1 << 0,	/* what was stored, and where */
	SEEN_UNEMULATED	= 1 << 1,	/* the page was disarmed, for this */
	SEEN_PAGE_WALK	= 1 << 2,
	SEEN_EVENT	= 1 << 3,
	SEEN_OPERAND	= 1 << 4,
	SEEN_CHANGED	= 1 << 5,	/* that the page changed */
	SEEN_NOT	= 1 << 6,	/* nothing: the copy is wrong */
	SEEN_NO_STORE	= 1 << 7,	/* nothing, and nothing was stored */
	SEEN_NESTED	= 1 << 8,	/* the page was disarmed, for this */
	SEEN_SPLIT_LOCK	= 1 << 9,
};

struct guard_work {
	const char *name;		/* of its class, "x87/fst m32" */
	unsigned int seen;		/* SEEN_*, one of them at least */
	unsigned int later;		/* after the first round, if other */
	struct guest_code code;
	const unsigned char *at;	/* the instruction that stores */
	bool anywhere;			/* or there are more of them */
	uint64_t args[6];		/* VM_DATA, VM_DATA + PAGE if 0 */
	uint64_t pages;			/* at VM_DATA, 2 if 0 */
	uint64_t tracked;		/* bit for each, the first if 0 */
	enum cpu_feature feature;	/* that it needs */
	bool optional;			/* the processor may lack it */
	bool real_mode;
	uint64_t cr4_off;		/* not in v->cr4 */
	/* Fills memory once; sets registers before each round, from 0. */
	void (*fill)(struct vcpu *v);
	void (*load)(struct vcpu *v, unsigned int round);
	/* Runs a round, if there is more to do than to run it to the HLT. */
	void (*run)(struct vcpu *v);
};

void guard_try(const struct guard_work *w);

/*
 * Something in a register, and no last instruction: where that was, and its
 * operand, get lost when another thread runs on the processor meanwhile.
 */
#define GUARD_FPU_FORGETS	"fninit\n fldpi\n fninit"

/* CASE of one instruction. */
#define GUARD_CASE(claim, class, how, before, insn, ...)		\
	GUARD_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	{								\
		static const struct guard_work w = {			\
			.name = class, .seen = how,			\
			.code = { g_##claim##_start, g_##claim##_end },	\
			.at = g_##claim##_at,				\
			__VA_ARGS__					\
		};							\
									\
		guard_try(&w);						\
	}

#endif /* GUEST_GUARD_H */
