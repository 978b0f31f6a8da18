// SPDX-License-Identifier: GPL-2.0-or-later
/* The rest of the module, and KVM: they write down what they are asked for. */
#include <linux/lockdep.h>
#include <linux/string.h>

#include "fake.h"
#include "fence.h"
#include "guard.h"
#include "shim.h"
#include "vcpu.h"

struct fake fake;

DEFINE_PER_CPU(struct kwt_here, kwt_here);
DEFINE_PER_CPU(struct kwt_flight, kwt_flight);
static __thread struct task_struct task;
__thread void (*shim_asleep)(void);

static DECLARE_BITMAP(armed, FAKE_PAGES);

struct task_struct *shim_current(void)
{
	return &task;
}

/* No gfn of one half has the place of one of the other. */
static u32 place(u64 gfn)
{
	return gfn & (FAKE_PAGES - 1);
}

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(armed, 0, sizeof(armed));
}

bool fake_armed(u64 gfn)
{
	return test_bit(place(gfn), armed);
}

u64 fake_armed_pages(void)
{
	u64 n = 0;
	u32 bit;

	for_each_set_bit(bit, armed, FAKE_PAGES)
		n++;
	return n;
}

static bool has_memory(u64 gfn)
{
	return gfn < FAKE_LOW_END || (gfn < FAKE_HIGH_END &&
				      gfn >= FAKE_HIGH_END - FAKE_PAGES / 2);
}

int kwt_arm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
	    const struct kwt_span *caller)
{
	int r = fake.refuse ? fake.refuse(gfn) : 0;
	u32 bit = kwt_chunk_bit(gfn);

	/* The first store that KVM reports has to find the count. */
	shim_require(kwt_space_users(space, gfn) > 0);
	shim_require(!caller || test_bit(bit, caller->tracked));
	if (!has_memory(gfn))
		return -ENOENT;
	if (r)
		return r;
	if (fake_armed(gfn))
		shim_broken("gfn 0x%llx is armed twice", gfn);
	spin_lock(&space->arm_lock);
	set_bit(place(gfn), armed);
	kwt_chunk_number(space, chunk);
	set_bit(bit, chunk->armed);
	if (kwt_arm_tell(space, chunk, bit, caller))
		fake.rearms++;
	else
		fake.arms++;
	spin_unlock(&space->arm_lock);
	return 0;
}

void kwt_disarm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn)
{
	spin_lock(&space->arm_lock);
	/* The guard may have been there before. */
	if (test_and_clear_bit(kwt_chunk_bit(gfn), chunk->armed)) {
		/* It sees the gfn for as long as KVM protects it. */
		shim_require(kwt_space_users(space, gfn) > 0);
		if (!has_memory(gfn))
			shim_broken("gfn 0x%llx has no memory", gfn);
		kwt_untrack(space, gfn);
		fake.disarms++;
	}
	spin_unlock(&space->arm_lock);
}

/* Of tell.c, under arm_lock. */
void kwt_untrack(struct kwt_space *space, u64 gfn)
{
	lockdep_assert_held(&space->arm_lock);
	if (!test_and_clear_bit(place(gfn), armed))
		shim_broken("gfn 0x%llx is disarmed but not armed", gfn);
}

/* Of the worker, as the tests have it: fake_work(). */
void kwt_rearm_soon(struct kwt_space *space,
		    const struct kvm_wtrack_record *record)
{
	shim_require(record->type == KVM_WTRACK_RECORD_GUARD);
	shim_require(record->guard.action == KVM_WTRACK_GUARD_DISARMED);
	spin_lock(&space->arm_lock);
	fake.last_trip = *record;
	fake.trips++;
	spin_unlock(&space->arm_lock);
}

void fake_work(struct kwt_space *space)
{
	struct kwt_chunk *chunk;

	for (;;) {
		spin_lock(&space->arm_lock);
		chunk = list_first_entry_or_null(&space->tripped,
						 struct kwt_chunk, in_tripped);
		if (chunk)
			list_del_init(&chunk->in_tripped);
		spin_unlock(&space->arm_lock);
		if (!chunk)
			return;
		kwt_chunk_put(space, chunk);
	}
}

void fake_trip(struct kwt_space *space, u64 gfn)
{
	struct kwt_chunk *chunk = kwt_chunk_find(space, kwt_chunk_index(gfn));
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = gfn << KWT_PAGE_SHIFT,
		.guard.action = KVM_WTRACK_GUARD_DISARMED,
	};

	shim_require(fake_armed(gfn));
	preempt_disable();
	kwt_guard_trip(space, chunk, &record);
	preempt_enable();
}

int kwt_rearm(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u64 gfn = (chunk->index << KWT_CHUNK_SHIFT) + bit;

	/* The guard is about to say that it took the gfn from all of them. */
	spin_lock(&space->arm_lock);
	spin_unlock(&space->arm_lock);
	if (!chunk->users[bit])
		return 0;
	shim_require(kwt_chunk_disarmed(chunk, bit));
	return kwt_arm(space, chunk, gfn, NULL);
}

/* The thread runs no vCPU that did not fault. */
struct kwt_vcpu *kwt_vcpu_search(const struct kwt_space *space)
{
	return NULL;
}

void kwt_wake(struct kwt_ring *ring, bool urgent)
{
	shim_require(ring->sleepers);
	atomic64_inc(urgent ? &fake.urgent_wakes : &fake.wakes);
}

/* Nobody frees it. */
bool kwt_ring_get(struct kwt_ring *ring)
{
	(void)ring;
	__atomic_add_fetch(&fake.references, 1, __ATOMIC_SEQ_CST);
	return true;
}

void kwt_ring_put(struct kwt_ring *ring)
{
	(void)ring;
	__atomic_sub_fetch(&fake.references, 1, __ATOMIC_SEQ_CST);
}

void kwt_notice_overflow(struct kwt_ring *ring)
{
	shim_require(atomic64_read(&ring->overflows) > 0);
	atomic64_inc(&fake.notices);
}
