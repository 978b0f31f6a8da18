// SPDX-License-Identifier: GPL-2.0-or-later
/* The ioctls, and what of their arguments does not depend on the test. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static long do_info(void *arg)
{
	struct kvm_wtrack_info *info = arg;
	uint32_t size = info->size;

	*info = fake.info;
	info->size = size;
	return 0;
}

static long do_attach(void *arg)
{
	struct kvm_wtrack_attach *attach = arg;

	if (!fake_is_vm(attach->vm_fd))
		return -EBADF;
	fake.status.out_state |= KVM_WTRACK_STATE_ATTACHED;
	fake.status.out_vm_id = 7;
	return 0;
}

static long do_status(void *arg)
{
	struct kvm_wtrack_status *status = arg;
	uint32_t size = status->size;
	uint64_t gfn;

	*status = fake.status;
	status->size = size;
	status->out_generation = fake.generation;
	for (gfn = 0; gfn < FAKE_PAGES; gfn++)
		status->out_absent += fake.away[gfn];
	if (fake.consumer) {
		status->out_unread = (uint32_t)fake_unread();
		status->out_events = fake_head();
	}
	if (fake_ring_closed())
		status->out_state |= KVM_WTRACK_STATE_RESYNC;
	return 0;
}

static long do_restrict(void *arg)
{
	fake.restriction = *(struct kvm_wtrack_restrict *)arg;
	fake.status.out_state |= KVM_WTRACK_STATE_RESTRICTED;
	return 0;
}

/* Of the session before. */
static void free_ring(void)
{
	free(fake.records);
	free(fake.consumer);
	fake.records = NULL;
	fake.consumer = NULL;
	fake.head = 0;
	fake.over = false;
	memset(fake.tracked, 0, sizeof(fake.tracked));
	memset(fake.disarmed, 0, sizeof(fake.disarmed));
}

static long do_ring(void *arg)
{
	struct kvm_wtrack_ring *ring = arg;

	if (fake.over)
		free_ring();
	if (fake.records)
		return -EBUSY;
	if (ring->records > fake.info.out_max_records)
		return -ERANGE;
	ring->out_record_bytes = sizeof(*fake.records);
	ring->out_consumer_offset = FAKE_CONSUMER_OFFSET;
	ring->out_consumer_bytes = FAKE_CONSUMER_BYTES;
	ring->out_records_offset = FAKE_RECORDS_OFFSET;
	ring->out_records_bytes = ring->records * sizeof(*fake.records);
	fake.ring = *ring;
	fake.records = calloc(ring->records, sizeof(*fake.records));
	fake.consumer = calloc(1, sizeof(*fake.consumer));
	fake.status.out_state |= KVM_WTRACK_STATE_RING;
	fake.status.out_records = ring->records;
	fake.status.out_ring_flags = ring->flags;
	fake.status.out_record_bytes = ring->out_record_bytes;
	fake.status.out_consumer_offset = ring->out_consumer_offset;
	fake.status.out_consumer_bytes = ring->out_consumer_bytes;
	fake.status.out_records_offset = ring->out_records_offset;
	fake.status.out_records_bytes = ring->out_records_bytes;
	return 0;
}

static long do_tune(void *arg)
{
	const struct kvm_wtrack_tune *tune = arg;

	fake.tune = *tune;
	if (tune->flags & KVM_WTRACK_TUNE_F_WAKEUP)
		fake.ring.watermark = tune->watermark;
	return 0;
}

static long do_add(void *arg)
{
	struct kvm_wtrack_add *add = arg;

	return fake_change(add->changes, add->nr_changes, FAKE_ADD, add->flags,
			   &add->out_nr_changes, &add->out_failed_pages);
}

static long do_rearm(void *arg)
{
	struct kvm_wtrack_rearm *rearm = arg;

	return fake_change(rearm->changes, rearm->nr_changes, FAKE_REARM,
			   rearm->flags,
			   &rearm->out_nr_changes, &rearm->out_failed_pages);
}

static long do_remove(void *arg)
{
	struct kvm_wtrack_remove *rm = arg;
	long r;

	r = fake_change(rm->changes, rm->nr_changes, FAKE_REMOVE, 0,
			&rm->out_nr_changes, &rm->out_failed_pages);
	if (!r && (rm->flags & KVM_WTRACK_REMOVE_F_FENCE))
		rm->out_seq = fake_head();
	return r;
}

static long do_query(void *arg)
{
	struct kvm_wtrack_query *query = arg;
	struct kvm_wtrack_range *ranges = pointer(query->ranges);
	uint64_t gfn;

	if (!query->nr_ranges || query->nr_ranges > fake.info.out_max_ranges)
		return -ERANGE;
	query->out_nr_ranges = 0;
	query->out_next_gfn = ~0ULL;
	for (gfn = query->gfn; gfn < FAKE_PAGES; gfn++) {
		struct kvm_wtrack_range *range;

		if (!fake.tracked[gfn])
			continue;
		if (query->out_nr_ranges == query->nr_ranges) {
			query->out_next_gfn = gfn;
			break;
		}
		range = &ranges[query->out_nr_ranges++];
		*range = (struct kvm_wtrack_range) { .gfn = gfn };
		while (gfn < FAKE_PAGES && fake.tracked[gfn]) {
			range->nr_pages++;
			gfn++;
		}
	}
	return 0;
}

static long do_query_gfn(void *arg)
{
	struct kvm_wtrack_query_gfn *query = arg;

	if (query->gfn >= FAKE_PAGES)
		return -EPERM;
	query->out_users = fake.tracked[query->gfn];
	query->out_state = fake.tracked[query->gfn] ? KVM_WTRACK_GFN_TRACKED :
						      0;
	if (fake.disarmed[query->gfn])
		query->out_state |= KVM_WTRACK_GFN_DISARMED;
	if (fake.away[query->gfn])
		query->out_state |= KVM_WTRACK_GFN_ABSENT;
	return 0;
}

static uint32_t what_of(uint64_t gfn)
{
	if (!fake.tracked[gfn])
		return KVM_WTRACK_RESYNC_REMOVED;
	if (fake.away[gfn])
		return KVM_WTRACK_RESYNC_ABSENT;
	return fake.disarmed[gfn] ? KVM_WTRACK_RESYNC_DISARMED :
				    KVM_WTRACK_RESYNC_REREAD;
}

static bool take_resync(uint64_t gfn)
{
	return __atomic_exchange_n(&fake.resync[gfn], false, __ATOMIC_SEQ_CST);
}

static bool any_resync(void)
{
	uint64_t gfn;

	for (gfn = 0; gfn < FAKE_PAGES; gfn++)
		if (__atomic_load_n(&fake.resync[gfn], __ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* vCPUs go on while the set is fetched: before each page of it. */
static void go_on_in_resync(uint64_t gfn)
{
	if (!fake.in_resync ||
	    !__atomic_load_n(&fake.resync[gfn], __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_unlock(&fake.lock);
	fake.in_resync();
	pthread_mutex_lock(&fake.lock);
}

/*
 * Each gfn by itself: the library does not rely on ranges being merged. What is
 * left when the ring is closed again belongs to the new record.
 */
static long do_resync(void *arg)
{
	struct kvm_wtrack_resync *resync = arg;
	struct kvm_wtrack_resync_range *ranges = pointer(resync->ranges);
	uint64_t gfn;

	if (!resync->nr_ranges || resync->nr_ranges > fake.info.out_max_ranges)
		return -ERANGE;
	if (!fake_ring_reopen())
		return -EBUSY;
	for (gfn = 0; gfn < FAKE_PAGES &&
	     resync->out_nr_ranges < resync->nr_ranges; gfn++) {
		go_on_in_resync(gfn);
		if (!take_resync(gfn))
			continue;
		if (fake_ring_closed()) {
			__atomic_store_n(&fake.resync[gfn], true,
					 __ATOMIC_SEQ_CST);
			break;
		}
		ranges[resync->out_nr_ranges++] =
			(struct kvm_wtrack_resync_range) {
				.gfn = gfn,
				.nr_pages = 1,
				.what = what_of(gfn),
			};
	}
	resync->out_more = any_resync();
	return 0;
}

static long do_fence(void *arg)
{
	struct kvm_wtrack_fence *fence = arg;

	fence->out_seq = fake_head();
	return 0;
}

static long do_regions(void *arg)
{
	return fake_regions(arg);
}

static long do_read(void *arg)
{
	return fake_read(arg);
}

/* Those whose records are released go on: all, if all are. */
static long do_release(void *arg)
{
	struct kvm_wtrack_release *release = arg;

	assert_int_equal(release->flags & ~KVM_WTRACK_RELEASE_F_LOOK, 0);
	if (!(release->flags & KVM_WTRACK_RELEASE_F_LOOK) && !fake_unread())
		fake_wait(0, 0);
	release->out_waiters = fake.waiters;
	release->out_signalled = fake.signalled;
	return 0;
}

static const struct {
	unsigned long request;
	enum fake_call call;
	size_t size;
	long (*fn)(void *arg);
	bool needs_ring;
} ioctls[] = {
#define IOCTL(NAME, name, needs_ring) \
	{ KVM_WTRACK_ ## NAME, FAKE_ ## NAME, \
	  sizeof(struct kvm_wtrack_ ## name), do_ ## name, needs_ring }
	IOCTL(INFO, info, false),
	IOCTL(ATTACH, attach, false),
	IOCTL(STATUS, status, false),
	IOCTL(RESTRICT, restrict, false),
	IOCTL(RING, ring, false),
	IOCTL(TUNE, tune, true),
	IOCTL(ADD, add, true),
	IOCTL(REARM, rearm, true),
	IOCTL(REMOVE, remove, true),
	IOCTL(QUERY, query, true),
	IOCTL(QUERY_GFN, query_gfn, false),
	IOCTL(RESYNC, resync, true),
	IOCTL(FENCE, fence, true),
	IOCTL(REGIONS, regions, false),
	IOCTL(READ, read, false),
	IOCTL(RELEASE, release, true),
};

/* As the module does, once the session was ended. */
static bool is_refused_at_end(enum fake_call call)
{
	return fake.status.out_state & KVM_WTRACK_STATE_ENDED &&
	       call != FAKE_INFO && call != FAKE_STATUS && call != FAKE_RESYNC;
}

long fake_ioctl(unsigned long request, void *arg)
{
	size_t i = 0;
	long r;

	while (ioctls[i].request != request)
		assert_true(++i < sizeof(ioctls) / sizeof(ioctls[0]));
	assert_int_equal(*(uint32_t *)arg, ioctls[i].size);
	r = fake_called(ioctls[i].call);
	if (r)
		return r;
	if (ioctls[i].needs_ring && !fake.records)
		return -ENOBUFS;
	pthread_mutex_lock(&fake.lock);
	r = is_refused_at_end(ioctls[i].call) ? -ESHUTDOWN : ioctls[i].fn(arg);
	pthread_mutex_unlock(&fake.lock);
	if (fake.distort)
		fake.distort(request, arg);
	return r;
}
