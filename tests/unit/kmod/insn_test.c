// SPDX-License-Identifier: GPL-2.0-or-later
/* Which instructions read an operand and store elsewhere by the way. */
#include "operand.h"
#include "test.h"

struct insn {
	const char *text;
	u32 len;
	u8 bytes[KWT_INSN_BYTES];
};

/* As in operand.c. */
u32 kwt_lock_line = 4096;

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define INSN(text, ...) \
	{ text, sizeof((u8[]){ __VA_ARGS__ }), { __VA_ARGS__ } }

static const struct insn risky[] = {
	INSN("call *(%rax)", 0xff, 0x10),
	INSN("call *0x10(%rax)", 0xff, 0x50, 0x10),
	INSN("call *%fs:(%r8)", 0x64, 0x41, 0xff, 0x10),
	INSN("lcall *(%rax)", 0xff, 0x18),
	INSN("rex.w lcall *(%rax)", 0x48, 0xff, 0x18),
	INSN("ljmp *(%rax)", 0xff, 0x28),
	INSN("mov (%rax),%ds", 0x8e, 0x18),
	INSN("pop %fs", 0x0f, 0xa1),
	INSN("pop %gs", 0x0f, 0xa9),
	INSN("lss (%rax),%ebx", 0x0f, 0xb2, 0x18),
	INSN("lfs (%rax),%ebx", 0x0f, 0xb4, 0x18),
	INSN("lgs (%rax),%rbx", 0x48, 0x0f, 0xb5, 0x18),
	INSN("lldt (%rax)", 0x0f, 0x00, 0x10),
	INSN("ltr (%rax)", 0x0f, 0x00, 0x18),
	INSN("lret", 0xcb),
	INSN("lret $8", 0xca, 0x08, 0x00),
	INSN("iretq", 0x48, 0xcf),
};

static const struct insn risky_in_32_bits[] = {
	INSN("pop %es", 0x07),
	INSN("pop %ss", 0x17),
	INSN("pop %ds", 0x1f),
	INSN("les (%eax),%ebx", 0xc4, 0x18),
	INSN("lds (%eax),%ebx", 0xc5, 0x18),
};

static const struct insn harmless[] = {
	INSN("call *%rax", 0xff, 0xd0),
	INSN("jmp *(%rax)", 0xff, 0x20),
	INSN("push (%rax)", 0xff, 0x30),
	INSN("incl (%rax)", 0xff, 0x00),
	INSN("call .", 0xe8, 0xfb, 0xff, 0xff, 0xff),
	INSN("push %rax", 0x50),
	INSN("push %r8", 0x41, 0x50),
	INSN("mov %eax,%ds", 0x8e, 0xd8),
	INSN("mov %ds,(%rax)", 0x8c, 0x18),
	INSN("mov %rax,(%rbx)", 0x48, 0x89, 0x03),
	INSN("rep stosb", 0xf3, 0xaa),
	INSN("lock xadd %eax,(%rbx)", 0xf0, 0x0f, 0xc1, 0x03),
	INSN("ltr %ax", 0x0f, 0x00, 0xd8),
	INSN("str (%rax)", 0x0f, 0x00, 0x08),
	INSN("sldt (%rax)", 0x0f, 0x00, 0x00),
	INSN("fxsave (%rax)", 0x0f, 0xae, 0x00),
	INSN("fstpl (%rax)", 0xdd, 0x18),
	INSN("push %fs", 0x0f, 0xa0),
	INSN("ret", 0xc3),
};

static const struct insn silent[] = {
	INSN("sgdt (%rax)", 0x0f, 0x01, 0x00),
	INSN("sidt 8(%r8)", 0x41, 0x0f, 0x01, 0x48, 0x08),
	INSN("fxsave (%rax)", 0x0f, 0xae, 0x00),
};

static void check(const struct insn *insn, bool mode64, bool expected)
{
	u8 padded[KWT_INSN_BYTES];

	if (kwt_insn_has_operand(insn->bytes, insn->len, mode64) != expected)
		shim_broken("%s alone, 64 bits: %d", insn->text, mode64);
	/* Behind it is the next one. */
	memset(padded, 0x90, sizeof(padded));
	memcpy(padded, insn->bytes, insn->len);
	if (kwt_insn_has_operand(padded, sizeof(padded), mode64) != expected)
		shim_broken("%s, 64 bits: %d", insn->text, mode64);
}

static void what_reads_and_stores_elsewhere_is_known(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(risky); i++)
		check(&risky[i], true, true);
}

static void what_only_32_bit_code_has_is_known_there(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(risky_in_32_bits); i++)
		check(&risky_in_32_bits[i], false, true);
}

/* In 64-bit code these bytes begin VEX prefixes, or nothing. */
static void in_64_bit_code_it_is_something_else(void **state)
{
	const struct insn vex[] = {
		INSN("vmovups %ymm0,(%rax)", 0xc5, 0xfc, 0x11, 0x00),
		INSN("vmovss %xmm0,(%r8)", 0xc4, 0xc1, 0x7a, 0x11, 0x00),
	};
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(vex); i++)
		check(&vex[i], true, false);
}

static void others_are_left_alone(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(harmless); i++)
		check(&harmless[i], true, false);
}

static void what_kvm_does_not_report_is_known(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(silent); i++)
		assert_true(kwt_insn_is_silent(silent[i].bytes, silent[i].len,
					       true));
	for (i = 0; i < COUNT(risky); i++)
		assert_false(kwt_insn_is_silent(risky[i].bytes, risky[i].len,
						true));
	assert_false(kwt_insn_is_silent((u8[]){ 0x0f, 0x01, 0xd9 }, 3, true));
}

static void what_cannot_be_read_is_taken_for_the_worst(void **state)
{
	const u8 prefixes[KWT_INSN_BYTES] = { [0 ... 14] = 0x66 };
	const u8 escape[] = { 0x0f };
	const u8 half[] = { 0x0f, 0x00 };

	(void)state;
	assert_true(kwt_insn_has_operand(NULL, 0, true));
	assert_true(kwt_insn_is_silent(NULL, 0, true));
	assert_true(kwt_insn_has_operand(prefixes, sizeof(prefixes), true));
	assert_true(kwt_insn_has_operand(escape, sizeof(escape), true));
	assert_true(kwt_insn_has_operand(half, sizeof(half), true));
}

static const struct {
	struct insn insn;
	u32 locked;
} locks[] = {
	{ INSN("lock incq (%rdi)", 0xf0, 0x48, 0xff, 0x07), 8 },
	{ INSN("lock incl (%rdi)", 0xf0, 0xff, 0x07), 4 },
	{ INSN("lock incw (%rdi)", 0xf0, 0x66, 0xff, 0x07), 2 },
	{ INSN("lock incw (%rdi)", 0x66, 0xf0, 0xff, 0x07), 2 },
	{ INSN("lock incb (%rdi)", 0xf0, 0xfe, 0x07), 1 },
	{ INSN("lock add %rax,8(%rdi)", 0xf0, 0x48, 0x01, 0x47, 0x08), 8 },
	{ INSN("lock add %al,(%rdi)", 0xf0, 0x00, 0x07), 1 },
	{ INSN("lock addq $1,(%rdi)", 0xf0, 0x48, 0x83, 0x07, 0x01), 8 },
	{ INSN("xchg %rax,(%rdi)", 0x48, 0x87, 0x07), 8 },
	{ INSN("xchg %ax,(%rdi)", 0x66, 0x87, 0x07), 2 },
	{ INSN("xchg %al,(%rdi)", 0x86, 0x07), 1 },
	{ INSN("xchg %rax,%rdi", 0x48, 0x87, 0xc7), 0 },
	{ INSN("lock cmpxchg %ecx,(%rdi)", 0xf0, 0x0f, 0xb1, 0x0f), 4 },
	{ INSN("lock cmpxchg %cl,(%rdi)", 0xf0, 0x0f, 0xb0, 0x0f), 1 },
	{ INSN("lock cmpxchg8b (%rdi)", 0xf0, 0x0f, 0xc7, 0x0f), 8 },
	{ INSN("lock xadd %rax,(%rdi)", 0xf0, 0x48, 0x0f, 0xc1, 0x07), 8 },
	{ INSN("lock xadd %al,(%rdi)", 0xf0, 0x0f, 0xc0, 0x07), 1 },
	{ INSN("lock btsq $3,(%rdi)", 0xf0, 0x48, 0x0f, 0xba, 0x2f, 3), 8 },
	{ INSN("lock bts %eax,(%rdi)", 0xf0, 0x0f, 0xab, 0x07), 4 },
	{ INSN("mov %rax,(%rdi)", 0x48, 0x89, 0x07), 0 },
	{ INSN("cmpxchg %rcx,(%rdi)", 0x48, 0x0f, 0xb1, 0x0f), 0 },
};

static void the_bytes_of_a_locked_store_are_known(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(locks); i++) {
		const struct insn *insn = &locks[i].insn;

		if (kwt_insn_locked_bytes(insn->bytes, insn->len, true) !=
		    locks[i].locked)
			shim_broken("%s", insn->text);
	}
	assert_int_equal(kwt_insn_locked_bytes(NULL, 0, true), 8);
	assert_int_equal(kwt_insn_locked_bytes((u8[]){ 0xf0 }, 1, true), 8);
}

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R12 = 12, R13 };

/* What is not said is no register and 0; not known, nothing is. */
static const struct {
	struct insn insn;
	bool known;
	int base, index;
	u32 scale;
	s64 disp;
	bool from_rip;
} operands[] = {
	{ .insn = INSN("(%rdi)", 0xf0, 0xff, 0x07),
	  .known = true, .base = RDI, .index = -1 },
	{ .insn = INSN("8(%rdi)", 0xf0, 0xff, 0x47, 0x08),
	  .known = true, .base = RDI, .index = -1, .disp = 8 },
	{ .insn = INSN("-8(%rbp)", 0xf0, 0xff, 0x45, 0xf8),
	  .known = true, .base = RBP, .index = -1, .disp = -8 },
	{ .insn = INSN("-4096(%r8)", 0xf0, 0x41, 0xff, 0x80, 0x00, 0xf0, 0xff, 0xff),
	  .known = true, .base = R8, .index = -1, .disp = -4096 },
	{ .insn = INSN("(%rsp)", 0xf0, 0xff, 0x04, 0x24),
	  .known = true, .base = RSP, .index = -1 },
	{ .insn = INSN("4(%r12)", 0xf0, 0x41, 0xff, 0x44, 0x24, 0x04),
	  .known = true, .base = R12, .index = -1, .disp = 4 },
	{ .insn = INSN("0(%r13)", 0xf0, 0x41, 0xff, 0x45, 0x00),
	  .known = true, .base = R13, .index = -1 },
	{ .insn = INSN("(%rdi,%rcx,8)", 0xf0, 0xff, 0x04, 0xcf),
	  .known = true, .base = RDI, .index = RCX, .scale = 3 },
	{ .insn = INSN("16(%rdi,%r12,2)", 0xf0, 0x42, 0xff, 0x44, 0x67, 0x10),
	  .known = true, .base = RDI, .index = R12, .scale = 1, .disp = 16 },
	{ .insn = INSN("0x1000(,%rax,4)", 0xf0, 0xff, 0x04, 0x85, 0x00, 0x10, 0, 0),
	  .known = true, .base = -1, .index = RAX, .scale = 2, .disp = 0x1000 },
	{ .insn = INSN("0x1000", 0xf0, 0xff, 0x04, 0x25, 0x00, 0x10, 0, 0),
	  .known = true, .base = -1, .index = -1, .disp = 0x1000 },
	{ .insn = INSN("16(%rip)", 0xf0, 0xff, 0x05, 0x10, 0, 0, 0),
	  .known = true, .base = -1, .index = -1, .disp = 16, .from_rip = true },
	{ .insn = INSN("%gs:(%rdi)", 0x65, 0xf0, 0xff, 0x07) },
	{ .insn = INSN("%fs:(%rdi)", 0xf0, 0x64, 0xff, 0x07) },
	{ .insn = INSN("(%edi)", 0xf0, 0x67, 0xff, 0x07) },
	{ .insn = INSN("half a displacement", 0xf0, 0xff, 0x87, 0x00, 0x10) },
	{ .insn = INSN("no SIB byte", 0xf0, 0xff, 0x04) },
	{ .insn = INSN("no ModRM byte", 0xf0, 0xff) },
	{ .insn = INSN("a bit that a register names", 0xf0, 0x0f, 0xab, 0x07) },
};

static void where_an_operand_is_is_known(void **state)
{
	struct kwt_insn got;
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(operands); i++) {
		const struct insn *insn = &operands[i].insn;

		assert_true(kwt_insn_decode(&got, insn->bytes, insn->len, true));
		if (got.known != operands[i].known)
			shim_broken("%s: known %d", insn->text, got.known);
		if (!got.known)
			continue;
		if (got.base != operands[i].base ||
		    got.index != operands[i].index ||
		    got.scale != operands[i].scale ||
		    got.disp != operands[i].disp ||
		    got.from_rip != operands[i].from_rip ||
		    got.len != insn->len)
			shim_broken("%s: %d %d %u %lld %d %u", insn->text,
				    got.base, got.index, got.scale,
				    (long long)got.disp, got.from_rip, got.len);
		/* The same in 32 bits has a segment with a base. */
		assert_true(kwt_insn_decode(&got, insn->bytes, insn->len,
					    false));
		assert_false(got.known);
	}
}

/* Its length counts for what is addressed from behind it. */
static void an_operand_behind_the_displacement_counts(void **state)
{
	static const struct insn insns[] = {
		INSN("lock addl $1,16(%rip)", 0xf0, 0x83, 0x05, 0x10, 0, 0, 0, 1),
		INSN("lock addl $256,16(%rip)", 0xf0, 0x81, 0x05, 0x10, 0, 0, 0,
		     0, 1, 0, 0),
		INSN("lock addw $256,16(%rip)", 0x66, 0xf0, 0x81, 0x05, 0x10, 0,
		     0, 0, 0, 1),
		INSN("lock btsl $1,16(%rip)", 0xf0, 0x0f, 0xba, 0x2d, 0x10, 0, 0,
		     0, 1),
	};
	struct kwt_insn got;
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(insns); i++) {
		assert_true(kwt_insn_decode(&got, insns[i].bytes, insns[i].len,
					    true));
		assert_true(got.known && got.from_rip);
		assert_int_equal(got.len, insns[i].len);
	}
}

static void locks_are_suspect_at_both_ends(void **state)
{
	(void)state;
	kwt_lock_line = 4096;
	assert_true(kwt_lock_suspect(0x5ff9));
	assert_true(kwt_lock_suspect(0x5fff));
	assert_true(kwt_lock_suspect(0x6000));
	assert_false(kwt_lock_suspect(0x5ff8));
	assert_false(kwt_lock_suspect(0x6001));
	assert_false(kwt_lock_suspect(0x5039));
	kwt_lock_line = 64;
	assert_true(kwt_lock_suspect(0x5039));
	assert_true(kwt_lock_suspect(0x503f));
	assert_true(kwt_lock_suspect(0x5040));
	assert_false(kwt_lock_suspect(0x5038));
	assert_false(kwt_lock_suspect(0x5041));
	kwt_lock_line = 4096;
}

static void only_stores_by_the_way_are_suspect(void **state)
{
	const u64 rsp = 0x7ffff000;

	(void)state;
	assert_true(kwt_operand_suspect(0x5ff8, rsp, true));
	assert_true(kwt_operand_suspect(0x5ff0, rsp, true));
	assert_false(kwt_operand_suspect(0x5fe8, rsp, true));
	assert_true(kwt_operand_suspect(0x5000, rsp, true));
	assert_false(kwt_operand_suspect(0x5008, rsp, true));
	/* A segment may have any base. */
	assert_true(kwt_operand_suspect(0x5008, rsp, false));
	/* The part of a push that is in the next page. */
	assert_true(kwt_operand_suspect(0x6000, rsp + 4, true));
	assert_true(kwt_operand_suspect(0x5104, rsp, true));
	assert_true(kwt_operand_suspect(0x5105, rsp, true));
	assert_false(kwt_operand_suspect(0x5106, rsp, true));
	assert_false(kwt_operand_suspect(0x5100, rsp, true));
	/* The end of a page. */
	assert_true(kwt_operand_suspect(0x5ff8, rsp + 0x100, true));
	assert_true(kwt_operand_suspect(0x5ff7, rsp + 0x100, true));
	assert_false(kwt_operand_suspect(0x5ff6, rsp + 0x100, true));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_reads_and_stores_elsewhere_is_known),
		CASE(what_only_32_bit_code_has_is_known_there),
		CASE(in_64_bit_code_it_is_something_else),
		CASE(others_are_left_alone),
		CASE(what_kvm_does_not_report_is_known),
		CASE(what_cannot_be_read_is_taken_for_the_worst),
		CASE(the_bytes_of_a_locked_store_are_known),
		CASE(where_an_operand_is_is_known),
		CASE(an_operand_behind_the_displacement_counts),
		CASE(locks_are_suspect_at_both_ends),
		CASE(only_stores_by_the_way_are_suspect),
	};

	return RUN(cases);
}
