// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs wait and a reader releases, at the same time: nobody is left asleep. Time
 * stands still, so that nothing but the reader ends a wait.
 */
#include <linux/kvm_host.h>

#include "sync.h"
#include "team.h"
#include "test.h"
#include "vcpu.h"

#define GFN		77ULL
#define NR_VCPUS	4

static struct kwt_space space;
static struct session session;
static struct kwt_ring *ring = &session.ring;
static u32 stores;
static u64 made[NR_VCPUS], released[NR_VCPUS];
static u64 pos;

/* Each of its records is released when it goes on. */
static void vcpu(void *arg, u32 me)
{
	u64 data;
	u32 i;

	(void)arg;
	for (i = 0; i < stores; i++) {
		data = me;
		hook(&space, (GFN + me) << KWT_PAGE_SHIFT, &data, 8, me);
		made[me]++;
		shim_require(__atomic_load_n(&released[me], __ATOMIC_SEQ_CST) ==
			     made[me]);
	}
}

static void release(u64 from)
{
	for (; from < pos; from++) {
		const u8 *data = session_record(&session, from)->data;

		__atomic_add_fetch(&released[data[0]], 1, __ATOMIC_SEQ_CST);
	}
	session_release(&session, pos);
	if (__atomic_load_n(&session.consumer.waiters, __ATOMIC_RELAXED))
		kwt_sync_wake(ring);
}

/* As the uapi header tells. */
static void reader(struct team *team, u32 batch)
{
	const struct kvm_wtrack_record *record;
	u64 from = pos;

	while (team_busy(team) || session_record(&session, pos)) {
		record = session_record(&session, pos);
		if (!record) {
			sched_yield();
			continue;
		}
		shim_require(!(record->flags & KVM_WTRACK_RECORD_F_ASYNC));
		pos++;
		if (pos - from < batch && session_record(&session, pos))
			continue;
		release(from);
		from = pos;
	}
}

static void nobody_is_left_asleep(void **state)
{
	struct team team;
	u32 i;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 64, false);
	ring->synchronous = true;
	ring->sync.ns = 1000;
	session_add_all(&session, GFN, NR_VCPUS);
	stores = test_rounds(300);
	pos = 0;
	memset(made, 0, sizeof(made));
	memset(released, 0, sizeof(released));
	shim_race_odds = 8;
	team_start(&team, NR_VCPUS, vcpu, NULL);
	for (i = 0; i < 10; i++) {
		team_go(&team);
		reader(&team, 1 + i % NR_VCPUS);
	}
	team_end(&team);
	shim_race_odds = 0;
	assert_int_equal(ring->sync.nr, 0);
	assert_int_equal(session.consumer.waiters, 0);
	assert_int_equal(atomic64_read(&ring->sync.timeouts), 0);
	assert_int_equal(fake.references, 0);
	session_exit(&session);
	kwt_space_exit(&space);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(nobody_is_left_asleep),
	};

	return RUN(cases);
}
