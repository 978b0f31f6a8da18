// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RING_F_ONCE with RING_F_SYNC: the reader looks at the page when the first store to
 * it has been made, and the vCPU that made it has done nothing else since.
 */
#include <string.h>

#include "guest.h"
#include "sync.h"
#include "tap.h"

/* g_store8_forever counts into the first page, which is tracked, and the second. */
enum { PAGES = 2, FILL = 0xa5, OFFSET = 64 };

struct once {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void init(struct once *o)
{
	WT_ARG(ring, r, .records = 64, .sync_us = SYNC_US,
	       .flags = KVM_WTRACK_RING_F_SYNC | KVM_WTRACK_RING_F_ONCE);
	int fd = wt_open();

	o->vm = vm_new(PAGES);
	o->v = vcpu_new(o->vm);
	wt_attach(fd, o->vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	o->wt = wt_from_fd(fd);
	wt_add(fd, VM_DATA_GFN, 1);
}

static unsigned int rounds(unsigned int stock)
{
	return host_is_debug() ? stock / 10 : stock;
}

/*
 * The record of a first store, which is not released; false when no vCPU waits
 * for it, or none does any more.
 */
static bool try_hold(struct once *o, struct kvm_wtrack_record *rec)
{
	sync_next(o->wt, rec);
	CHECK_EQ(rec->type, KVM_WTRACK_RECORD_WRITE);
	CHECK(rec->flags & KVM_WTRACK_RECORD_F_ONCE);
	return !(rec->flags & KVM_WTRACK_RECORD_F_ASYNC) &&
	       sync_wait_held(o->wt, rec, 1);
}

/*
 * The bytes that were stored are in the page, and those of before are not; all
 * others are as before. The next instruction, of which the other page would tell,
 * has not run. And so on: the page is armed again before the release, and the next
 * store to it is a record.
 */
CASE_WITHIN(the_page_is_read_before_the_next_instruction, 60)
{
	unsigned int n = 0, want = rounds(300);
	unsigned char page[PAGES][PAGE], rest[PAGE];
	struct kvm_wtrack_record rec;
	uint64_t last = 0;
	struct once o;
	bool held;

	init(&o);
	memset(o.vm->data, FILL, PAGE);
	memset(rest, FILL, sizeof(rest));
	vcpu_start(o.v, g_store8_forever, VM_DATA, PAGES);
	while (n < want) {
		tap_trying("store %u", n);
		held = try_hold(&o, &rec);
		/* It has waited since the last one was held, and armed again. */
		if (last)
			CHECK_EQ(sync_word(rec.data), last + PAGES);
		sync_nap();
		wt_read_bytes(o.wt->fd, VM_DATA, page, sizeof(page));
		held = held && sync_is_held(o.wt, 1);
		if (held) {
			CHECK_EQ(sync_word(page[0]), sync_word(rec.data));
			CHECK_EQ(sync_word(page[1]), sync_word(rec.data) - 1);
			CHECK(!memcmp(page[0] + 8, rest + 8, PAGE - 8));
			n++;
		}
		CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
		held = held && sync_is_held(o.wt, 1);
		last = held ? sync_word(rec.data) : 0;
		wt_release(o.wt);
	}
	wt_close(o.wt);
	vcpu_stop(o.v);
}

/*
 * What the session has asked for is one record: it does not observe the page while
 * the first vCPU waits, and others store to it, unless it arms the page again.
 */
CASE_WITHIN(other_vcpus_store_to_the_page_meanwhile, 60)
{
	unsigned int n = 0, want = rounds(50), tried;
	struct kvm_wtrack_record rec;
	struct vcpu *other;
	struct once o;
	bool held;

	init(&o);
	other = vcpu_new(o.vm);
	for (tried = 1; n < want; tried++) {
		tap_trying("round %u", n);
		vcpu_start(o.v, g_store8, VM_DATA, tried, 1, 0);
		held = try_hold(&o, &rec);
		/* To its end: it does not wait, and nobody is told. */
		vcpu_call(other, g_store8, VM_DATA + OFFSET, tried, 3, 0);
		CHECK_EQ(sync_word(o.vm->data + OFFSET), tried + 2);
		CHECK(!wt_peek(o.wt));
		n += held && sync_is_held(o.wt, 1);
		CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
		vcpu_start(other, g_store8, VM_DATA + OFFSET, tried, 1, 0);
		sync_next(o.wt, &rec);
		CHECK_EQ(rec.gpa, VM_DATA + OFFSET);
		wt_release(o.wt);
		vcpu_join(o.v);
		vcpu_join(other);
		CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
	}
	CHECK(!wt_peek(o.wt));
}

/* Where KVM does not emulate the store there is nobody who could wait. */
CASE(nobody_waits_for_a_first_store_that_the_guard_tells_of)
{
	struct kvm_wtrack_record rec;
	unsigned int i;
	struct once o;

	init(&o);
	for (i = 0; i < 5; i++) {
		vcpu_call(o.v, g_fstp, VM_DATA, 0, 1);
		CHECK(wt_take(o.wt, &rec));
		CHECK_EQ(rec.type, KVM_WTRACK_RECORD_GUARD);
		CHECK(rec.flags & KVM_WTRACK_RECORD_F_ONCE);
		CHECK(!wt_peek(o.wt));
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	}
	CHECK_EQ(wt_sync_waits(o.wt->fd), 0);
	/* It is not late for that. */
	vcpu_start(o.v, g_store8, VM_DATA, 5, 1, 0);
	sync_next(o.wt, &rec);
	CHECK_EQ(rec.type, KVM_WTRACK_RECORD_WRITE);
	CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_ASYNC));
	wt_release(o.wt);
	vcpu_join(o.v);
}

GUEST_CODE(g_stosq, "cld\n mov %rsi, %rax\n mov %rdx, %rcx\n rep stosq\n hlt");

/* Of a string instruction it is the first element. */
CASE_WITHIN(a_string_instruction_is_held_behind_its_first_element, 60)
{
	enum { ELEMENTS = 100 };
	unsigned int n = 0, want = rounds(50), i, stored;
	struct kvm_wtrack_record rec;
	struct once o;
	bool held;

	init(&o);
	while (n < want) {
		memset(o.vm->data, 0, PAGE);
		vcpu_start(o.v, g_stosq, VM_DATA, ~0ULL, ELEMENTS);
		held = try_hold(&o, &rec);
		CHECK_EQ(rec.gpa, VM_DATA);
		sync_nap();
		for (i = 0, stored = 0; i < ELEMENTS; i++)
			stored += !!sync_word(o.vm->data + 8 * i);
		if (held && sync_is_held(o.wt, 1)) {
			CHECK_EQ(stored, 1);
			n++;
		}
		wt_release(o.wt);
		vcpu_join(o.v);
		CHECK_EQ(sync_word(o.vm->data + 8 * (ELEMENTS - 1)), ~0ULL);
		CHECK(!wt_peek(o.wt));
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	}
}

/*
 * KVM goes on with the next element, of which there was no fault: it is newer than
 * the arming, and its record says all of it. False when a reader was late.
 */
static bool arms_behind_each(struct once *o, unsigned int elements)
{
	struct kvm_wtrack_record rec;
	bool held = true;
	unsigned int i;

	vcpu_start(o->v, g_stosq, VM_DATA, ~0ULL, elements);
	for (i = 0; i < elements && held; i++) {
		held = try_hold(o, &rec);
		CHECK_ERRNO(__wt_rearm_page(o->wt->fd, VM_DATA_GFN), 0);
		held = held && sync_is_held(o->wt, 1);
		if (held) {
			CHECK_EQ(rec.gpa, VM_DATA + 8 * i);
			CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_PAGE));
		}
		wt_release(o->wt);
	}
	/* What is left of it, if that was not all. */
	vcpu_join(o->v);
	while (wt_peek(o->wt)) {
		sync_next(o->wt, &rec);
		wt_release(o->wt);
	}
	CHECK_ERRNO(__wt_rearm_page(o->wt->fd, VM_DATA_GFN), 0);
	return held;
}

CASE_WITHIN(a_string_instruction_is_armed_for_again_behind_each_element, 60)
{
	unsigned int n = 0, want = rounds(20);
	struct once o;

	init(&o);
	while (n < want) {
		tap_trying("round %u", n);
		n += arms_behind_each(&o, 4);
	}
}
