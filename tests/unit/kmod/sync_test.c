// SPDX-License-Identifier: GPL-2.0-or-later
/* Synchronous sessions: who waits, for what, for how long. */
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>

#include "sync.h"
#include "test.h"
#include "vcpu.h"

#define GFN	77ULL
#define GPA	(GFN << KWT_PAGE_SHIFT)
#define T	1000000ULL

enum { MOST = 4 };

static struct kwt_space space;
static struct session session[MOST];
static u32 nr;
static struct kvm_vcpu vcpu;
static struct kwt_vcpu here;
static struct kwt_sync_waits waits;
static const u8 data[100];
static u32 slept;

static struct kwt_ring *ring(u32 i)
{
	return &session[i].ring;
}

/* This thread runs a vCPU, and so many sessions follow. */
static void init(u32 sessions, const u64 *ns)
{
	assert_int_equal(kwt_space_init(&space), 0);
	space.id = 7;
	for (nr = 0; nr < sessions; nr++) {
		session_init(&session[nr], &space, 64, false);
		ring(nr)->synchronous = true;
		ring(nr)->sync.ns = ns[nr];
		session_add_all(&session[nr], GFN, 1);
	}
	vcpu = (struct kvm_vcpu) { .mutex.owner.counter = (long)current };
	waits.nr = 0;
	here = (struct kwt_vcpu) {
		.vcpu = &vcpu, .waiting = true, .waits = &waits,
	};
	kwt_vcpu_set_here(&space, &here);
	shim_now = 5000;
	slept = 0;
	shim_asleep = NULL;
	*current = (struct task_struct) { 0 };
}

static void done(void)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		assert_int_equal(ring(i)->sync.nr, 0);
		assert_int_equal(session[i].consumer.waiters, 0);
		assert_true(list_empty(&ring(i)->sync.waiters));
		session_exit(&session[i]);
	}
	assert_int_equal(fake.references, 0);
	kwt_space_exit(&space);
}

static void store(u32 len)
{
	here.told = KWT_UNTOLD;
	hook_alone(&space, GPA, data, len);
	assert_int_equal(current->state, TASK_RUNNING);
}

static bool is_async(u32 i, u64 pos)
{
	const struct kvm_wtrack_record *record =
		session_record(&session[i], pos);

	assert_non_null(record);
	return record->flags & KVM_WTRACK_RECORD_F_ASYNC;
}

/* A reader that releases all there is. */
static void release(u32 i)
{
	session_release(&session[i], kwt_ring_head(ring(i)));
	if (READ_ONCE(session[i].consumer.waiters))
		kwt_sync_wake(ring(i));
}

static void release_first(void)
{
	slept++;
	release(0);
}

static void vcpu_waits_for_the_release(void **state)
{
	u32 len;

	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = release_first;
	for (len = 1; len <= 100; len++) {
		store(len);
		assert_int_equal(slept, len);
		assert_int_equal(ring(0)->sync.waits.counter, len);
		assert_false(is_async(0, kwt_ring_head(ring(0)) - 1));
	}
	assert_int_equal(ring(0)->sync.timeouts.counter, 0);
	done();
}

/* All but the last part, then nothing new, then that one. */
static void release_in_turn(void)
{
	u64 head = kwt_ring_head(ring(0));

	if (++slept == 1)
		session_release(&session[0], head - 1);
	if (slept == 3)
		session_release(&session[0], head);
	kwt_sync_wake(ring(0));
}

static void vcpu_waits_for_the_last_part(void **state)
{
	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = release_in_turn;
	store(100);
	assert_int_equal(kwt_ring_head(ring(0)), 5);
	assert_int_equal(slept, 3);
	done();
}

static void pass_time(void)
{
	slept++;
	shim_now += T / 10;
}

static void late_reader_is_not_waited_for(void **state)
{
	u32 i;

	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = pass_time;
	store(8);
	assert_int_equal(slept, 10);
	for (i = 0; i < 3; i++)
		store(8);
	assert_int_equal(slept, 10);
	assert_int_equal(ring(0)->sync.timeouts.counter, 1);
	assert_false(is_async(0, 0));
	assert_true(is_async(0, 1) && is_async(0, 3));
	/* It has caught up with the first one, but is not in step. */
	session_release(&session[0], 1);
	store(8);
	assert_true(is_async(0, 4));
	release(0);
	vcpu.stat.exits++;
	store(8);
	assert_false(is_async(0, 5));
	assert_int_equal(ring(0)->sync.timeouts.counter, 2);
	done();
}

/* Not one behind the other: their times begin together. */
static void several_sessions_take_no_longer_than_one(void **state)
{
	u64 began;
	u32 i;

	(void)state;
	init(3, (const u64[]){ T, T / 2, T });
	shim_asleep = pass_time;
	began = shim_now;
	store(8);
	assert_int_equal(shim_now - began, T);
	for (i = 0; i < nr; i++)
		assert_int_equal(ring(i)->sync.timeouts.counter, 1);
	done();
}

/* Each reader is told of the vCPU from the first moment on, not in its turn. */
static void look_at_all(void)
{
	u32 waiters, signalled, i;

	for (i = 0; i < nr; i++) {
		kwt_sync_look(ring(i), &waiters, &signalled);
		assert_int_equal(waiters, i >= slept);
		assert_int_equal(session[i].consumer.waiters, 1);
	}
	release(slept++);
}

static void vcpu_waits_in_all_sessions_at_once(void **state)
{
	u32 i;

	(void)state;
	init(3, (const u64[]){ T, T, T });
	shim_asleep = look_at_all;
	store(8);
	assert_int_equal(slept, 3);
	for (i = 0; i < nr; i++)
		assert_int_equal(ring(i)->sync.waits.counter, 1);
	done();
}

/* A reader with less time is late when its time is over, whatever the others do. */
static void look_who_is_late(void)
{
	u32 i;

	pass_time();
	for (i = 0; i < nr; i++)
		assert_int_equal(ring(i)->sync.timeouts.counter,
				 ring(i)->sync.ns == T / 2 && slept > 5);
}

static void reader_is_late_when_its_own_time_is_over(void **state)
{
	u32 i;

	(void)state;
	init(3, (const u64[]){ T / 2, T, T / 2 });
	shim_asleep = look_who_is_late;
	store(8);
	assert_int_equal(slept, 10);
	for (i = 0; i < nr; i++)
		assert_int_equal(ring(i)->sync.timeouts.counter, 1);
	done();
}

/*
 * A reader that takes its position back, while another vCPU finds it in step, does
 * not make a vCPU wait for longer.
 */
static void take_back(void)
{
	pass_time();
	session[0].consumer.pos = 0;
	WRITE_ONCE(ring(0)->sync.late, false);
}

static void position_taken_back_does_not_prolong_the_wait(void **state)
{
	u64 began;

	(void)state;
	init(2, (const u64[]){ T / 2, T });
	shim_asleep = take_back;
	began = shim_now;
	store(8);
	assert_int_equal(shim_now - began, T);
	assert_int_equal(ring(0)->sync.timeouts.counter, 1);
	done();
}

/*
 * A string instruction makes many stores before the guest is entered; a reader
 * that takes nearly all of its time each time must not keep KVM for ever.
 */
static void release_slowly(void)
{
	slept++;
	shim_now += T * 9 / 10;
	release(0);
}

static void all_waits_of_one_exit_have_a_bound(void **state)
{
	const u64 most = KWT_MAX_SYNC_NS / T + 20;
	u64 began, i;

	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = release_slowly;
	began = shim_now;
	for (i = 0; i < most * 2; i++) {
		store(8);
		release(0);
	}
	assert_in_range(shim_now - began, KWT_MAX_SYNC_NS - T,
			KWT_MAX_SYNC_NS + T);
	assert_true(is_async(0, kwt_ring_head(ring(0)) - 1));
	/* The guest was entered, and has exited again. */
	vcpu.stat.exits++;
	slept = 0;
	store(8);
	assert_int_equal(slept, 1);
	assert_false(is_async(0, kwt_ring_head(ring(0)) - 1));
	done();
}

static void unknown_vcpu_does_not_wait(void **state)
{
	(void)state;
	init(1, (const u64[]){ T });
	vcpu.mutex.owner.counter = 0;
	store(8);
	store(30);
	assert_int_equal(slept, 0);
	assert_true(is_async(0, 0) && is_async(0, 2));
	done();
}

static void close_first(void)
{
	slept++;
	kwt_sync_close(ring(0));
}

static void closed_session_is_not_waited_for(void **state)
{
	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = close_first;
	store(8);
	store(8);
	assert_int_equal(slept, 1);
	assert_int_equal(ring(0)->sync.timeouts.counter, 0);
	done();
}

static void kill(void)
{
	slept++;
	current->killed = true;
}

static void killed_thread_waits_for_nobody(void **state)
{
	(void)state;
	init(2, (const u64[]){ T, T });
	shim_asleep = kill;
	store(8);
	assert_int_equal(slept, 1);
	assert_int_equal(ring(0)->sync.timeouts.counter, 0);
	assert_int_equal(ring(1)->sync.timeouts.counter, 0);
	done();
}

static void signal(void)
{
	u32 waiters, signalled;

	kwt_sync_look(ring(0), &waiters, &signalled);
	assert_int_equal(waiters, 1);
	assert_int_equal(signalled, slept);
	current->signalled = true;
	if (slept++)
		release(0);
	kwt_sync_look(ring(0), &waiters, &signalled);
	assert_int_equal(waiters, slept == 1);
}

static void signal_is_seen_and_does_not_end_the_wait(void **state)
{
	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = signal;
	store(8);
	assert_int_equal(slept, 2);
	done();
}

/* What KVM has told of does not keep anybody from arming the page. */
static void look_who_waits(void)
{
	assert_false(here.waiting);
	release_first();
}

static void vcpu_that_waits_is_not_in_the_way(void **state)
{
	(void)state;
	init(1, (const u64[]){ T });
	here.address = GPA;
	here.mask = ~(KWT_PAGE_SIZE - 1);
	shim_asleep = look_who_waits;
	store(8);
	assert_int_equal(slept, 1);
	/* Unless its own fault is of another page, which nobody was told of. */
	here.waiting = true;
	here.address = GPA + KWT_PAGE_SIZE;
	shim_asleep = release_first;
	store(8);
	assert_true(here.waiting);
	done();
}

/* No room for the record: the one that closes the ring stands for it. */
static void full_ring_is_waited_for(void **state)
{
	u64 pos;
	u32 i;

	(void)state;
	init(1, (const u64[]){ T });
	for (i = 0; i < 62; i++)
		assert_true(kwt_ring_region(ring(0), 1, 1, 1, 0));
	shim_asleep = release_first;
	store(8);
	assert_int_equal(slept, 1);
	assert_true(kwt_ring_closed(ring(0)));
	/* It is released, and the set is not fetched yet. */
	store(8);
	assert_int_equal(slept, 1);
	assert_int_equal(kwt_ring_unread(ring(0), &pos), 0);
	session_reopen(&session[0]);
	store(8);
	assert_int_equal(slept, 2);
	done();
}

static void nonsense_hurts_the_reader_alone(void **state)
{
	static const u64 positions[4] = { 0, 1, 1ULL << 40, U64_MAX };
	u32 i;

	(void)state;
	init(1, (const u64[]){ T });
	shim_asleep = pass_time;
	for (i = 0; i < 40; i++) {
		session[0].consumer.pos = positions[i % 4];
		session[0].consumer.waiters = i * 0x1234567;
		vcpu.stat.exits++;
		slept = 0;
		store(8);
		assert_in_range(slept, 0, 10);
		kwt_sync_wake(ring(0));
	}
	session[0].consumer.waiters = 0;
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(vcpu_waits_for_the_release),
		CASE(vcpu_waits_for_the_last_part),
		CASE(late_reader_is_not_waited_for),
		CASE(several_sessions_take_no_longer_than_one),
		CASE(vcpu_waits_in_all_sessions_at_once),
		CASE(reader_is_late_when_its_own_time_is_over),
		CASE(position_taken_back_does_not_prolong_the_wait),
		CASE(all_waits_of_one_exit_have_a_bound),
		CASE(unknown_vcpu_does_not_wait),
		CASE(closed_session_is_not_waited_for),
		CASE(killed_thread_waits_for_nobody),
		CASE(signal_is_seen_and_does_not_end_the_wait),
		CASE(vcpu_that_waits_is_not_in_the_way),
		CASE(full_ring_is_waited_for),
		CASE(nonsense_hurts_the_reader_alone),
	};

	return RUN(cases);
}
