// SPDX-License-Identifier: GPL-2.0-or-later
/* When a record is there, and in which order. */
#include "guest.h"
#include "module.h"
#include "stream.h"
#include "tap.h"

GUEST_CODE(g_doorbell,
	"1: mov %rsi, (%rdi)\n"
	"inc %rsi\n"
	"out %al, $0x50\n"
	"dec %rdx\n"
	"jnz 1b\n"
	"hlt");

CASE(a_record_is_there_before_the_next_instruction_is_executed)
{
	const uint64_t args[6] = { VM_DATA, 1000, 50 };
	struct kvm_wtrack_record r;
	struct stream s;
	unsigned int i;

	stream_init(&s, 1, 1);
	vcpu_load(s.vcpu, g_doorbell, args);
	for (i = 0; i < 50; i++) {
		CHECK_EQ(vcpu_run(s.vcpu), KVM_EXIT_IO);
		CHECK(wt_take(s.wt, &r));
		CHECK_EQ(*(uint64_t *)r.data, 1000 + i);
		CHECK(!wt_peek(s.wt));
	}
	CHECK_EQ(vcpu_run(s.vcpu), KVM_EXIT_HLT);
}

GUEST_CODE(g_real,
	".code16\n"
	"movw $0x1234, 0x10\n"
	"movl $0x56789abc, 0x20\n"
	"movb $0x7f, 0xfff\n"
	"hlt");

CASE(stores_in_real_mode_are_seen)
{
	struct kvm_wtrack_record r;
	struct stream s;

	stream_init(&s, 1, 0);
	s.vcpu = vcpu_new_real(s.vm);
	wt_add(s.wt->fd, VM_REAL_PAGE / PAGE, 1);
	stream_run(&s, g_real);
	if (code16_is_unknown()) {
		CHECK(wt_take(s.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_OPERAND);
		return;
	}
	stream_expect_value(&s, VM_REAL_PAGE + 0x10, 0x1234, 2);
	stream_expect_value(&s, VM_REAL_PAGE + 0x20, 0x56789abc, 4);
	stream_expect_value(&s, VM_REAL_PAGE + 0xfff, 0x7f, 1);
	stream_expect_end(&s);
}

GUEST_CODE(g_fst,
	"fninit\n"
	"fldpi\n"
	"fstpl (%rdi)\n"
	"hlt");

CASE(each_store_to_a_thousand_pages_is_seen_in_order)
{
	struct stream s;
	unsigned int i;

	stream_init(&s, 1000, 1000);
	stream_run(&s, g_store8, VM_DATA + 8, 77, 1000, PAGE);
	for (i = 0; i < 1000; i++)
		stream_expect_value(&s, VM_DATA + i * PAGE + 8, 77 + i, 8);
	stream_expect_end(&s);
}

CASE(twenty_thousand_stores_are_twenty_thousand_records)
{
	struct stream s;
	unsigned int round, i;

	stream_init(&s, 1, 1);
	for (round = 0; round < 5; round++) {
		stream_run(&s, g_store8, VM_DATA, round * 4000, 4000, 0);
		for (i = 0; i < 4000; i++)
			stream_expect_value(&s, VM_DATA, round * 4000 + i, 8);
		stream_expect_end(&s);
	}
}

/* The ring's numbers go round and round; sequence numbers do not. */
CASE(a_small_ring_goes_round_many_times)
{
	struct stream s;
	unsigned int i;

	stream_init(&s, 1, 0);
	wt_close(s.wt);
	s.wt = wt_session_small(s.vm->fd, 0);
	wt_add(s.wt->fd, VM_DATA_GFN, 1);
	for (i = 0; i < 500; i += 5) {
		stream_run(&s, g_store8, VM_DATA, i, 5, 8);
		stream_expect_value(&s, VM_DATA, i, 8);
		stream_expect_value(&s, VM_DATA + 8, i + 1, 8);
		stream_expect_value(&s, VM_DATA + 16, i + 2, 8);
		stream_expect_value(&s, VM_DATA + 24, i + 3, 8);
		stream_expect_value(&s, VM_DATA + 32, i + 4, 8);
		stream_expect_end(&s);
	}
	CHECK_EQ(s.wt->next, 500);
}

CASE(stores_of_a_second_vcpu_carry_its_id)
{
	struct stream s;

	stream_init(&s, 1, 1);
	stream_run(&s, g_store8, VM_DATA, 1, 1, 0);
	stream_expect_value(&s, VM_DATA, 1, 8);
	s.vcpu = vcpu_new(s.vm);
	stream_run(&s, g_store8, VM_DATA, 2, 1, 0);
	stream_expect_value(&s, VM_DATA, 2, 8);
	stream_expect_end(&s);
}

/* The VMM gives ids, with gaps where a socket's number of cores is odd. */
CASE(a_vcpu_is_named_by_its_id_and_not_by_its_number)
{
	struct stream s;

	stream_init(&s, 1, 1);
	s.vcpu = vcpu_new_id(s.vm, 300);
	stream_run(&s, g_store8, VM_DATA, 2, 1);
	stream_expect_value(&s, VM_DATA, 2, 8);
	s.vcpu = vcpu_new_id(s.vm, 17);
	stream_run(&s, g_store8, VM_DATA, 3, 1);
	stream_expect_value(&s, VM_DATA, 3, 8);
	stream_expect_end(&s);
}

CASE(the_guard_names_a_vcpu_by_its_id_too)
{
	struct kvm_wtrack_record r;
	struct stream s;

	stream_init(&s, 1, 1);
	s.vcpu = vcpu_new_id(s.vm, 300);
	stream_run(&s, g_fst, VM_DATA);
	CHECK(wt_take(s.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK(r.flags & KVM_WTRACK_RECORD_F_VCPU);
	CHECK_EQ(r.vcpu, 300);
}

CASE(what_is_stored_before_add_and_after_remove_is_not_seen)
{
	struct stream s;

	stream_init(&s, 1, 0);
	stream_run(&s, g_store8, VM_DATA, 1, 1, 0);
	wt_add(s.wt->fd, VM_DATA_GFN, 1);
	stream_run(&s, g_store8, VM_DATA, 2, 1, 0);
	wt_remove(s.wt->fd, VM_DATA_GFN, 1);
	stream_run(&s, g_store8, VM_DATA, 3, 1, 0);
	wt_add(s.wt->fd, VM_DATA_GFN, 1);
	stream_run(&s, g_store8, VM_DATA, 4, 1, 0);
	s.began_ns = 0;
	stream_expect_value(&s, VM_DATA, 2, 8);
	stream_expect_value(&s, VM_DATA, 4, 8);
	stream_expect_end(&s);
}

/* Pages that were never touched, and pages that were mapped writable. */
CASE(a_page_is_tracked_whether_the_guest_used_it_before_or_not)
{
	struct stream s;

	stream_init(&s, 600, 0);
	stream_run(&s, g_store8, VM_DATA, 1, 300, PAGE);
	wt_add(s.wt->fd, VM_DATA_GFN, 600);
	stream_run(&s, g_store8, VM_DATA + 299 * PAGE, 7, 2, PAGE);
	stream_expect_value(&s, VM_DATA + 299 * PAGE, 7, 8);
	stream_expect_value(&s, VM_DATA + 300 * PAGE, 8, 8);
	stream_expect_end(&s);
}
