// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose store is it? The hook names a vCPU only when it is sure. */
#include <linux/kvm_host.h>

#include "test.h"
#include "vcpu.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define BOTH		(KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP)

static struct kwt_space space, other;
static struct session session;
static struct kvm_vcpu vcpu;
static struct kwt_vcpu here;
static const u8 data[30];
static u64 pos;

/* This thread runs vCPU 9 of the VM, which has faulted on this processor. */
static void init(bool coalesce)
{
	assert_int_equal(kwt_space_init(&space), 0);
	space.id = 7;
	other.id = 8;
	session_init(&session, &space, 64, coalesce);
	session_add_all(&session, GFN, 1);
	vcpu = (struct kvm_vcpu) {
		.vcpu_id = 9,
		.mutex.owner.counter = (long)current,
		.arch.regs[VCPU_REGS_RIP] = HOOK_RIP,
	};
	here = (struct kwt_vcpu) { .vcpu = &vcpu };
	kwt_vcpu_set_here(&space, &here);
	pos = 0;
}

static void done(void)
{
	session_exit(&session);
	kwt_space_exit(&space);
}

static void check_store(u32 len, bool known)
{
	const struct kvm_wtrack_record *record;

	here.told = false;
	hook_alone(&space, GPA, data, len);
	record = session_record(&session, pos);
	assert_non_null(record);
	assert_int_equal(record->type, KVM_WTRACK_RECORD_WRITE);
	assert_int_equal(record->flags & BOTH, known ? BOTH : 0);
	assert_int_equal(record->vcpu, known ? 9 : 0);
	assert_int_equal(record->rip, known ? HOOK_RIP : 0);
	assert_int_equal(record->gpa, GPA);
	assert_int_equal(record->total, len);
	assert_int_equal(here.told, known);
	pos = kwt_ring_head(&session.ring);
	session_release(&session, pos);
}

/* Eight bytes go a way of their own, and so does what takes two records. */
static void check(bool known)
{
	check_store(8, known);
	check_store(4, known);
	check_store(30, known);
}

static void the_vcpu_that_faulted_here_made_the_store(void **state)
{
	u32 flags;

	(void)state;
	init(false);
	check(true);
	/* The low bits of a mutex' owner say who waits for it. */
	for (flags = 0; flags < 8; flags++) {
		vcpu.mutex.owner.counter = (long)current | flags;
		check(true);
	}
	done();
}

static void a_vcpu_of_another_vm_did_not(void **state)
{
	(void)state;
	init(false);
	kwt_vcpu_set_here(&other, &here);
	check(false);
	/* Not even looked at: that VM may be gone. */
	kwt_vcpu_set_here(&other, (struct kwt_vcpu *)8);
	check(false);
	kwt_vcpu_set_here(&space, &here);
	check(true);
	done();
}

static void a_vcpu_that_another_thread_runs_did_not(void **state)
{
	(void)state;
	init(false);
	vcpu.mutex.owner.counter = (long)current + 8;
	check(false);
	/* It is not run at all. */
	vcpu.mutex.owner.counter = 0;
	check(false);
	vcpu.mutex.owner.counter = (long)current;
	check(true);
	done();
}

static void a_coalescing_session_is_told_the_same(void **state)
{
	(void)state;
	init(true);
	check(true);
	kwt_vcpu_set_here(&other, &here);
	check(false);
	done();
}

/* What one store adds to the counters. */
static void check_count(u32 len, u32 here_more, u32 stray_more)
{
	u64 was = here.writes;
	u64 stray = atomic64_read(&space.stray_writes);

	hook_alone(&space, GPA, data, len);
	assert_int_equal(here.writes - was, here_more);
	assert_int_equal(atomic64_read(&space.stray_writes) - stray, stray_more);
}

static void check_counts(u32 here_more, u32 stray_more)
{
	check_count(8, here_more, stray_more);
	check_count(4, here_more, stray_more);
	check_count(30, here_more, stray_more);
}

static void a_store_counts_once_however_many_sessions_see_it(void **state)
{
	struct session more[2];
	u32 i;

	(void)state;
	init(false);
	check_counts(1, 0);
	for (i = 0; i < 2; i++) {
		session_init(&more[i], &space, 64, i);
		session_add_all(&more[i], GFN, 1);
		check_counts(1, 0);
	}
	kwt_vcpu_set_here(&other, &here);
	check_counts(0, 1);
	kwt_vcpu_set_here(&space, &here);
	for (i = 0; i < 2; i++)
		session_exit(&more[i]);
	done();
}

/* The reader is told of the page, and reads it again. */
static void a_store_that_finds_no_room_counts_as_well(void **state)
{
	u32 i;

	(void)state;
	init(false);
	for (i = 0; i < 70; i++)
		check_count(8, 1, 0);
	assert_true(kwt_ring_closed(&session.ring));
	check_counts(1, 0);
	done();
}

/* It is emulated for another reason than ours, and no session hears of it. */
static void a_store_that_is_not_observed_counts_for_nothing(void **state)
{
	(void)state;
	init(false);
	fake_trip(&space, GFN);
	check_counts(0, 0);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_vcpu_that_faulted_here_made_the_store),
		CASE(a_vcpu_of_another_vm_did_not),
		CASE(a_vcpu_that_another_thread_runs_did_not),
		CASE(a_coalescing_session_is_told_the_same),
		CASE(a_store_counts_once_however_many_sessions_see_it),
		CASE(a_store_that_finds_no_room_counts_as_well),
		CASE(a_store_that_is_not_observed_counts_for_nothing),
	};

	return RUN(cases);
}
