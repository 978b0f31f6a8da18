// SPDX-License-Identifier: GPL-2.0-or-later
/* Which records a store makes, for the instructions that programs store with. */
#include <string.h>

#include "stream.h"
#include "tap.h"

#define A	VM_DATA
#define B	(VM_DATA + PAGE)

GUEST_CODE(g_sizes,
	"movb $0x12, 1(%rdi)\n"
	"movw $0x3456, 2(%rdi)\n"
	"movl $0x789abcde, 4(%rdi)\n"
	"movabs $0x1122334455667788, %rax\n"
	"mov %rax, 8(%rdi)\n"
	"hlt");

CASE(stores_of_1_2_4_and_8_bytes_come_with_their_data)
{
	struct stream s;

	stream_init(&s, 1, 1);
	stream_run(&s, g_sizes, A);
	stream_expect_value(&s, A + 1, 0x12, 1);
	stream_expect_value(&s, A + 2, 0x3456, 2);
	stream_expect_value(&s, A + 4, 0x789abcde, 4);
	stream_expect_value(&s, A + 8, 0x1122334455667788, 8);
	stream_expect_end(&s);
}

CASE(stores_at_both_ends_of_a_page_are_seen)
{
	struct stream s;

	stream_init(&s, 3, 0);
	wt_add(s.wt->fd, VM_DATA_GFN + 1, 1);
	stream_run(&s, g_sizes, B - 1);
	stream_expect_value(&s, B, 0x12, 1);
	stream_expect_value(&s, B + 1, 0x3456, 2);
	stream_expect_value(&s, B + 3, 0x789abcde, 4);
	stream_expect_value(&s, B + 7, 0x1122334455667788, 8);
	stream_run(&s, g_sizes, B + PAGE - 16);
	stream_expect_value(&s, B + PAGE - 15, 0x12, 1);
	stream_expect_value(&s, B + PAGE - 14, 0x3456, 2);
	stream_expect_value(&s, B + PAGE - 12, 0x789abcde, 4);
	stream_expect_value(&s, B + PAGE - 8, 0x1122334455667788, 8);
	stream_expect_end(&s);
}

CASE(stores_to_the_pages_around_give_no_record)
{
	struct stream s;

	stream_init(&s, 3, 0);
	wt_add(s.wt->fd, VM_DATA_GFN + 1, 1);
	stream_run(&s, g_sizes, A);
	stream_run(&s, g_sizes, A + PAGE - 16);
	stream_run(&s, g_sizes, A + 2 * PAGE);
	stream_expect_end(&s);
	CHECK_EQ(s.vm->data[1], 0x12);
}

GUEST_CODE(g_sse,
	"movups (%rsi), %xmm0\n"
	"movups %xmm0, 3(%rdi)\n"
	"movaps %xmm0, 32(%rdi)\n"
	"movdqu %xmm0, 65(%rdi)\n"
	"hlt");

CASE(sixteen_bytes_of_sse_come_in_one_record)
{
	static const char text[] = "sixteen bytes ok";
	struct stream s;

	stream_init(&s, 2, 1);
	memcpy(s.vm->data + PAGE, text, 16);
	stream_run(&s, g_sse, A, B);
	stream_expect(&s, A + 3, text, 16);
	stream_expect(&s, A + 32, text, 16);
	stream_expect(&s, A + 65, text, 16);
	stream_expect_end(&s);
}

GUEST_CODE(g_push,
	"mov %rsp, %rbx\n"
	"lea 64(%rdi), %rsp\n"
	"push %rsi\n"
	"pushw $0x4321\n"
	"mov %rbx, %rsp\n"
	"hlt");

CASE(a_push_is_a_store)
{
	struct stream s;

	stream_init(&s, 1, 1);
	stream_run(&s, g_push, A, 0x123456789abcdefULL);
	stream_expect_value(&s, A + 56, 0x123456789abcdefULL, 8);
	stream_expect_value(&s, A + 54, 0x4321, 2);
	stream_expect_end(&s);
}

GUEST_CODE(g_modify,
	"movl $100, (%rdi)\n"
	"addl $5, (%rdi)\n"
	"lock addl $5, (%rdi)\n"
	"incl (%rdi)\n"
	"orl $0x1000, (%rdi)\n"
	"btsl $16, (%rdi)\n"
	"mov $7, %eax\n"
	"xaddl %eax, (%rdi)\n"
	"mov $0x55, %eax\n"
	"xchg %eax, (%rdi)\n"
	"notl (%rdi)\n"
	"hlt");

CASE(read_modify_write_instructions_come_with_their_result)
{
	static const uint32_t want[] = {
		100, 105, 110, 111, 0x106f, 0x1106f, 0x11076, 0x55, 0xffffffaa,
	};
	struct stream s;
	unsigned int i;

	stream_init(&s, 1, 1);
	stream_run(&s, g_modify, A);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		stream_expect_value(&s, A, want[i], 4);
	stream_expect_end(&s);
}

GUEST_CODE(g_cmpxchg,
	"mov %rsi, %rax\n"
	"lock cmpxchg %rdx, (%rdi)\n"
	"mov %rsi, %rax\n"
	"cmpxchg %rdx, 8(%rdi)\n"
	"hlt");

CASE(a_cmpxchg_that_is_taken_comes_with_the_new_value)
{
	struct stream s;
	uint64_t *word;

	stream_init(&s, 1, 1);
	word = (uint64_t *)s.vm->data;
	word[0] = word[1] = 10;
	stream_run(&s, g_cmpxchg, A, 10, 20);
	stream_expect_value(&s, A, 20, 8);
	stream_expect_value(&s, A + 8, 20, 8);
	stream_expect_end(&s);
	CHECK(word[0] == 20 && word[1] == 20);
}

/* The processor writes the old value back, and so does KVM. */
CASE(a_cmpxchg_that_fails_comes_with_the_old_value)
{
	struct stream s;
	uint64_t *word;

	stream_init(&s, 1, 1);
	word = (uint64_t *)s.vm->data;
	word[0] = word[1] = 11;
	stream_run(&s, g_cmpxchg, A, 10, 20);
	stream_expect_value(&s, A, 11, 8);
	stream_expect_value(&s, A + 8, 11, 8);
	stream_expect_end(&s);
	CHECK(word[0] == 11 && word[1] == 11);
}

GUEST_CODE(g_cross,
	"movabs $0x1122334455667788, %rax\n"
	"mov %rax, -3(%rdi)\n"
	"hlt");

CASE(a_store_across_two_tracked_pages_comes_as_two)
{
	struct stream s;

	stream_init(&s, 2, 2);
	stream_run(&s, g_cross, B);
	stream_expect(&s, B - 3, "\x88\x77\x66", 3);
	stream_expect(&s, B, "\x55\x44\x33\x22\x11", 5);
	stream_expect_end(&s);
}

CASE(of_a_store_across_pages_only_the_tracked_part_is_seen)
{
	struct stream s;

	stream_init(&s, 2, 1);
	stream_run(&s, g_cross, B);
	stream_expect(&s, B - 3, "\x88\x77\x66", 3);
	stream_expect_end(&s);
	wt_remove(s.wt->fd, VM_DATA_GFN, 1);
	wt_add(s.wt->fd, VM_DATA_GFN + 1, 1);
	stream_run(&s, g_cross, B);
	stream_expect(&s, B, "\x55\x44\x33\x22\x11", 5);
	stream_expect_end(&s);
}

GUEST_CODE(g_cross_sse,
	"movups (%rsi), %xmm0\n"
	"movups %xmm0, -11(%rdi)\n"
	"hlt");

CASE(sixteen_bytes_across_pages_come_as_two)
{
	static const char text[] = "sixteen bytes ok";
	struct stream s;

	stream_init(&s, 3, 2);
	memcpy(s.vm->data + 2 * PAGE, text, 16);
	stream_run(&s, g_cross_sse, B, B + PAGE);
	stream_expect(&s, B - 11, text, 11);
	stream_expect(&s, B, text + 11, 5);
	stream_expect_end(&s);
}
