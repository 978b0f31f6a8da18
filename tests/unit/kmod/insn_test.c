// SPDX-License-Identifier: GPL-2.0-or-later
/* Which instructions read an operand and store elsewhere by the way. */
#include "operand.h"
#include "test.h"

struct insn {
	const char *text;
	u32 len;
	u8 bytes[KWT_INSN_BYTES];
};

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

static void only_stores_by_the_way_are_suspect(void **state)
{
	const u64 rsp = 0x7ffff000;

	(void)state;
	assert_true(kwt_operand_suspect(0x5ff8, rsp));
	assert_true(kwt_operand_suspect(0x5ff0, rsp));
	assert_false(kwt_operand_suspect(0x5fe8, rsp));
	assert_false(kwt_operand_suspect(0x5000, rsp));
	/* The part of a push that is in the next page. */
	assert_true(kwt_operand_suspect(0x6000, rsp + 4));
	assert_true(kwt_operand_suspect(0x5104, rsp));
	assert_true(kwt_operand_suspect(0x5105, rsp));
	assert_false(kwt_operand_suspect(0x5106, rsp));
	assert_false(kwt_operand_suspect(0x5100, rsp));
	/* The end of a page. */
	assert_true(kwt_operand_suspect(0x5ff8, rsp + 0x100));
	assert_true(kwt_operand_suspect(0x5ff7, rsp + 0x100));
	assert_false(kwt_operand_suspect(0x5ff6, rsp + 0x100));
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
		CASE(only_stores_by_the_way_are_suspect),
	};

	return RUN(cases);
}
