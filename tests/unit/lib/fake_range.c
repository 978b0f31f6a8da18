// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages are changed one by one: each may be refused by itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"

/* EAGAIN stands for a fault of the guest that a call may wait for. */
static int refusal(uint64_t gfn, uint32_t flags)
{
	return fake.refuse[gfn] == EAGAIN &&
	       !(flags & KVM_WTRACK_ADD_F_NOWAIT) ? 0 : fake.refuse[gfn];
}

/* Also one that is away: it waits for memory, or is armed when there is. */
static int change_sticky(uint64_t gfn, enum fake_call call, bool *changed)
{
	*changed = !fake.tracked[gfn] || fake.disarmed[gfn] ||
		   (fake.away[gfn] && !fake_no_memory(gfn));
	if (call == FAKE_REARM && !fake.tracked[gfn])
		return ENOENT;
	if (!fake.tracked[gfn])
		fake.away[gfn] = fake_no_memory(gfn);
	else if (fake.away[gfn] && *changed)
		fake_returned(gfn);
	fake.tracked[gfn] = true;
	fake.disarmed[gfn] = false;
	return 0;
}

static int change_gfn(uint64_t gfn, enum fake_call call, uint32_t flags,
		      bool *changed)
{
	bool sticky = fake.ring.flags & KVM_WTRACK_RING_F_STICKY;

	if (gfn >= FAKE_PAGES ||
	    (call == FAKE_ADD && !sticky && fake.absent[gfn]))
		return ENOENT;
	if (refusal(gfn, flags))
		return refusal(gfn, flags);
	if (flags & KVM_WTRACK_ADD_F_SKIP_HOLES && fake_no_memory(gfn))
		return ENOENT;
	if (sticky && call != FAKE_REMOVE)
		return change_sticky(gfn, call, changed);
	if (call != FAKE_ADD && !fake.tracked[gfn])
		return ENOENT;
	*changed = call == FAKE_REARM ? fake.disarmed[gfn] :
		   fake.tracked[gfn] != (call == FAKE_ADD);
	fake.tracked[gfn] = call != FAKE_REMOVE;
	fake.disarmed[gfn] = false;
	fake.away[gfn] = false;
	return 0;
}

static void change_page(struct kvm_wtrack_change *change, uint64_t gfn,
			enum fake_call call, uint32_t flags, __u64 *failed)
{
	bool changed = false;
	int err = change_gfn(gfn, call, flags, &changed);

	if (!err) {
		change->out_done++;
		change->out_changed += changed;
		return;
	}
	if (flags & KVM_WTRACK_ADD_F_SKIP_HOLES &&
	    (err == ENOENT || err == EOPNOTSUPP)) {
		change->out_skipped++;
		return;
	}
	++*failed;
	change->out_failed++;
	if (!change->out_error) {
		change->out_error = (uint32_t)err;
		change->out_error_gfn = gfn;
	}
}

long fake_change(uint64_t address, uint32_t nr, enum fake_call call, uint32_t flags,
		 uint32_t *out_nr, __u64 *failed)
{
	struct kvm_wtrack_change *changes = (void *)(uintptr_t)address;
	uint64_t left = fake.pages_to_signal;
	uint64_t i;
	uint32_t n;

	if (!nr || nr > fake.info.out_max_ranges)
		return -ERANGE;
	if (nr > fake.biggest_call)
		fake.biggest_call = nr;
	for (n = 0; n < nr; n++, ++*out_nr) {
		struct kvm_wtrack_change *change = &changes[n];

		assert_int_equal(change->out_done | change->out_changed |
				 change->out_failed | change->out_error |
				 change->out_error_gfn | change->__reserved |
				 change->out_skipped, 0);
		if (!change->nr_pages ||
		    change->gfn + change->nr_pages < change->gfn)
			return -EINVAL;
		for (i = 0; i < change->nr_pages; i++) {
			if (!left--)
				return -EINTR;
			change_page(change, change->gfn + i, call, flags,
				    failed);
		}
	}
	return left ? 0 : -EINTR;
}
