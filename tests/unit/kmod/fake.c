// SPDX-License-Identifier: GPL-2.0-or-later
/* The rest of the module, and KVM: they write down what they are asked for. */
#include <linux/string.h>

#include "fake.h"
#include "shim.h"

struct fake fake;

/* This KVM tells the hook which vCPU it is. */
atomic_t kwt_vcpu_wanted;

static DECLARE_BITMAP(armed, FAKE_PAGES);

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

int kwt_arm(struct kwt_space *space, u64 gfn)
{
	int r = fake.refuse ? fake.refuse(gfn) : 0;

	/* The first store that KVM reports has to find the count. */
	shim_require(kwt_space_users(space, gfn) == 1);
	if (!has_memory(gfn))
		return -ENOENT;
	if (r)
		return r;
	if (fake_armed(gfn))
		shim_broken("gfn 0x%llx is armed twice", gfn);
	set_bit(place(gfn), armed);
	fake.arms++;
	return 0;
}

void kwt_disarm(struct kwt_space *space, u64 gfn)
{
	shim_require(kwt_space_users(space, gfn) == 0);
	if (!has_memory(gfn) || !fake_armed(gfn))
		shim_broken("gfn 0x%llx is disarmed but not armed", gfn);
	clear_bit(place(gfn), armed);
	fake.disarms++;
}

void kwt_wake(struct kwt_ring *ring, bool urgent)
{
	shim_require(ring->sleepers);
	atomic64_inc(urgent ? &fake.urgent_wakes : &fake.wakes);
}

void kwt_notice_overflow(struct kwt_ring *ring)
{
	shim_require(atomic64_read(&ring->overflows) > 0);
	atomic64_inc(&fake.notices);
}
