// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Adding, arming again and removing ranges: one call of the user becomes
 * several calls of the module when there are more ranges than the module takes
 * at once, or signals.
 */
#include <errno.h>

#include "change.h"
#include "internal.h"
#include "sys.h"

static uint32_t add_flags(unsigned int flags)
{
	return (flags & WTRACK_CHANGE_NOWAIT ? KVM_WTRACK_ADD_F_NOWAIT : 0) |
	       (flags & WTRACK_CHANGE_SKIP_HOLES ?
		KVM_WTRACK_ADD_F_SKIP_HOLES : 0);
}

/*
 * *ret_nr becomes the number of ranges that were worked through, whatever is
 * returned.
 */
static int call_add(struct work *work, struct kvm_wtrack_change *changes,
		    uint32_t nr, uint32_t *ret_nr)
{
	struct kvm_wtrack_add args = {
		.size = sizeof(args),
		.flags = add_flags(work->flags),
		.changes = (uintptr_t)changes,
		.nr_changes = nr,
	};
	int r = wtrack__sys_ioctl(work->session->fd, KVM_WTRACK_ADD, &args);

	*ret_nr = args.out_nr_changes;
	return r;
}

static int call_rearm(struct work *work, struct kvm_wtrack_change *changes,
		      uint32_t nr, uint32_t *ret_nr)
{
	struct kvm_wtrack_rearm args = {
		.size = sizeof(args),
		.flags = work->flags & WTRACK_CHANGE_NOWAIT ?
			 KVM_WTRACK_REARM_F_NOWAIT : 0,
		.changes = (uintptr_t)changes,
		.nr_changes = nr,
	};
	int r = wtrack__sys_ioctl(work->session->fd, KVM_WTRACK_REARM, &args);

	*ret_nr = args.out_nr_changes;
	return r;
}

static int call_remove(struct work *work, struct kvm_wtrack_change *changes,
		       uint32_t nr, uint32_t *ret_nr)
{
	struct kvm_wtrack_remove args = {
		.size = sizeof(args),
		.flags = work->fence ? KVM_WTRACK_REMOVE_F_FENCE : 0,
		.changes = (uintptr_t)changes,
		.nr_changes = nr,
	};
	int r = wtrack__sys_ioctl(work->session->fd, KVM_WTRACK_REMOVE, &args);

	*ret_nr = args.out_nr_changes;
	work->fenced = work->fence && !r;
	work->seq = args.out_seq;
	return r;
}

static int (*const calls[])(struct work *work,
			    struct kvm_wtrack_change *changes, uint32_t nr,
			    uint32_t *ret_nr) = {
	[CHANGE_ADD] = call_add,
	[CHANGE_REARM] = call_rearm,
	[CHANGE_REMOVE] = call_remove,
};

/* A range may take several calls; its first error is the one to return. */
static void account(struct work *work, size_t index,
		    const struct kvm_wtrack_change *change)
{
	struct wtrack_result *result;
	int err = -(int)change->out_error;

	if (!work->refused)
		work->refused = err;
	if (!work->results)
		return;
	result = &work->results[index];
	result->done += change->out_done;
	result->changed += change->out_changed;
	result->skipped += change->out_skipped;
	if (err && !result->error) {
		result->error = err;
		result->error_gfn = change->out_error_gfn;
	}
}

/*
 * Reduces the range in which a signal came to what is left of it. Returns false
 * when the numbers do not add up.
 */
static bool advance(struct kvm_wtrack_change *change)
{
	uint64_t left = change->nr_pages;

	if (change->out_done > left ||
	    change->out_failed > left - change->out_done ||
	    change->out_skipped > left - change->out_done - change->out_failed)
		return false;
	left -= change->out_done + change->out_failed + change->out_skipped;
	*change = (struct kvm_wtrack_change) {
		.gfn = change->gfn + change->nr_pages - left,
		.nr_pages = left,
	};
	return true;
}

/* One call on what is left of a chunk. Moves *at behind what is finished. */
static int step(struct work *work, size_t base, uint32_t *at, uint32_t nr)
{
	struct kvm_wtrack_change *changes = work->changes + *at;
	uint32_t left = nr - *at;
	uint32_t i, done;
	int r;

	r = calls[work->kind](work, changes, left, &done);
	if (done > left || (!r && done < left))
		return -EPROTO;
	for (i = 0; i < left; i++)
		account(work, base + *at + i, &changes[i]);
	if (done < left && !advance(&changes[done]))
		return -EPROTO;
	*at += done;
	if (*at < nr && !work->changes[*at].nr_pages)
		++*at;
	return r;
}

static int run_chunk(struct work *work, size_t base, uint32_t nr)
{
	uint32_t at = 0;
	uint32_t i;
	int r;

	for (i = 0; i < nr; i++)
		work->changes[i] = (struct kvm_wtrack_change) {
			.gfn = work->ranges[base + i].gfn,
			.nr_pages = work->ranges[base + i].nr_pages,
		};
	while (at < nr) {
		r = step(work, base, &at, nr);
		if (r < 0 &&
		    (r != -EINTR || (work->flags & WTRACK_CHANGE_INTR)))
			return r;
	}
	return 0;
}

static uint32_t chunk_size(const struct work *work, size_t base)
{
	size_t left = work->nr - base;
	uint32_t max = work->session->max_ranges;

	return left < max ? (uint32_t)left : max;
}

static int run_chunks(struct work *work)
{
	size_t base = 0;
	int r = 0;

	work->changes = wtrack__sys_alloc(chunk_size(work, 0) *
					  sizeof(*work->changes));
	if (!work->changes)
		return -ENOMEM;
	while (!r && base < work->nr) {
		r = run_chunk(work, base, chunk_size(work, base));
		base += chunk_size(work, base);
	}
	wtrack__sys_free(work->changes);
	return r;
}

/* Ranges that were not reached have no error yet, and get that of the call. */
static void close_results(struct work *work, int err)
{
	size_t i;

	for (i = 0; i < work->nr; i++) {
		struct wtrack_result *result = &work->results[i];

		uint64_t reached = result->done + result->skipped;

		if (result->error || reached == work->ranges[i].nr_pages)
			continue;
		result->error = err;
		result->error_gfn = work->ranges[i].gfn + reached;
	}
}

int wtrack__change_run(struct work *work)
{
	const unsigned int allowed = WTRACK_CHANGE_INTR |
		(work->kind == CHANGE_REMOVE ? 0 : WTRACK_CHANGE_NOWAIT) |
		(work->kind == CHANGE_ADD ? WTRACK_CHANGE_SKIP_HOLES : 0);
	size_t i;
	int r = 0;

	for (i = 0; work->results && i < work->nr; i++)
		work->results[i] = (struct wtrack_result) { 0 };
	if (work->flags & ~allowed)
		r = -EINVAL;
	else if (work->nr)
		r = run_chunks(work);
	if (r < 0 && work->results)
		close_results(work, r);
	return r < 0 ? r : work->refused;
}
