// SPDX-License-Identifier: GPL-2.0-or-later
/* String instructions: each element a record, and long ones in parts. */
#include <string.h>

#include "stream.h"
#include "tap.h"

#define A	VM_DATA
#define B	(VM_DATA + PAGE)

GUEST_CODE(g_stos,
	"cld\n"
	"mov %rsi, %rax\n"
	"mov $5, %ecx\n"
	"rep stosb\n"
	"mov $3, %ecx\n"
	"rep stosw\n"
	"mov $3, %ecx\n"
	"rep stosl\n"
	"mov $3, %ecx\n"
	"rep stosq\n"
	"hlt");

CASE(each_element_of_rep_stos_is_a_record)
{
	static const unsigned int nr[] = { 5, 3, 3, 3 };
	struct stream s;
	unsigned int i, j;
	uint64_t gpa = A;

	stream_init(&s, 1, 1);
	stream_run(&s, g_stos, A, 0x8877665544332211ULL);
	for (i = 0; i < 4; i++)
		for (j = 0; j < nr[i]; j++, gpa += 1U << i)
			stream_expect(&s, gpa,
				      "\x11\x22\x33\x44\x55\x66\x77\x88", 1 << i);
	stream_expect_end(&s);
}

GUEST_CODE(g_stos_down,
	"std\n"
	"mov %rsi, %rax\n"
	"mov $4, %ecx\n"
	"rep stosq\n"
	"cld\n"
	"hlt");

CASE(a_string_store_downwards_comes_in_its_order)
{
	struct stream s;
	unsigned int i;

	stream_init(&s, 2, 2);
	stream_run(&s, g_stos_down, B + 8, 0x8877665544332211ULL);
	for (i = 0; i < 4; i++)
		stream_expect_value(&s, B + 8 - 8 * i, 0x8877665544332211ULL,
				    8);
	stream_expect_end(&s);
}

GUEST_CODE(g_movs,
	"cld\n"
	"mov %rdx, %rcx\n"
	"rep movsb\n"
	"hlt");

CASE(each_element_of_rep_movs_is_a_record)
{
	struct stream s;
	unsigned int i;

	stream_init(&s, 2, 1);
	for (i = 0; i < 1500; i++)
		s.vm->data[PAGE + i] = i * 7;
	stream_run(&s, g_movs, A, B, 1500);
	for (i = 0; i < 1500; i++)
		stream_expect_value(&s, A + i, i * 7 & 0xff, 1);
	stream_expect_end(&s);
}

CASE(a_string_store_that_leaves_the_page_is_seen_up_to_there)
{
	struct stream s;
	unsigned int i;

	stream_init(&s, 3, 1);
	memset(s.vm->data + 2 * PAGE, 'x', 100);
	stream_run(&s, g_movs, B - 10, B + PAGE, 100);
	for (i = 0; i < 10; i++)
		stream_expect_value(&s, B - 10 + i, 'x', 1);
	stream_expect_end(&s);
	CHECK_EQ(s.vm->data[PAGE + 89], 'x');
	CHECK_EQ(s.vm->data[PAGE + 90], 0);
}

GUEST_CODE(g_ins,
	"cld\n"
	"mov %rsi, %rcx\n"
	"mov $0x77, %edx\n"
	"rep insb\n"
	"hlt");

static unsigned char port_byte(unsigned int i)
{
	return i * 31 + (i >> 8);
}

/* Answers the guest's reads from the port with port_byte(0), (1), ... */
static void run_ins(struct stream *s, uint64_t gpa, unsigned int bytes)
{
	const uint64_t args[6] = { gpa, bytes };
	struct kvm_run *run = s->vcpu->run;
	unsigned int i, at = 0;

	s->began_ns = clock_ns();
	vcpu_load(s->vcpu, g_ins, args);
	while (vcpu_run(s->vcpu) == KVM_EXIT_IO) {
		CHECK_EQ(run->io.port, 0x77);
		CHECK_EQ(run->io.direction, KVM_EXIT_IO_IN);
		for (i = 0; i < run->io.count; i++)
			((unsigned char *)run)[run->io.data_offset + i] =
				port_byte(at + i);
		at += run->io.count;
	}
	CHECK_EQ(run->exit_reason, KVM_EXIT_HLT);
	CHECK_EQ(at, bytes);
	s->ended_ns = clock_ns();
}

CASE(a_rep_insb_of_2000_bytes_comes_whole_in_parts)
{
	unsigned char data[2000];
	struct stream s;
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = port_byte(i);
	stream_init(&s, 1, 1);
	run_ins(&s, A + 5, sizeof(data));
	CHECK(!memcmp(s.vm->data + 5, data, sizeof(data)));
	stream_expect_parts(&s, A + 5, data, 1024);
	stream_expect_parts(&s, A + 5 + 1024, data + 1024, 976);
	stream_expect_end(&s);
}

/* Whatever lengths KVM makes of it: the parts of each page add up. */
CASE(no_part_of_a_long_store_crosses_a_page)
{
	unsigned char copy[2 * PAGE] = { 0 };
	struct kvm_wtrack_record r;
	unsigned int at = PAGE - 700, end = PAGE + 300, left = 0;
	struct stream s;

	stream_init(&s, 2, 2);
	run_ins(&s, A + at, 1000);
	for (; wt_take(s.wt, &r); at += r.len) {
		CHECK_EQ(r.gpa, A + at);
		CHECK(at % PAGE + r.len <= PAGE);
		left = left ? left : r.total;
		CHECK(r.len <= left && r.len <= KVM_WTRACK_DATA_BYTES);
		left -= r.len;
		CHECK_EQ(!!(r.flags & KVM_WTRACK_RECORD_F_MORE), left > 0);
		memcpy(copy + at, r.data, r.len);
	}
	CHECK_EQ(at, end);
	CHECK_EQ(left, 0);
	CHECK(!memcmp(copy, s.vm->data, sizeof(copy)));
}
