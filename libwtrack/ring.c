// SPDX-License-Identifier: LGPL-2.1-or-later
/* Stage 4 of 5 of an event: records are handed out in place and released. */
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

#include "barrier.h"
#include "internal.h"
#include "sys.h"

SAME(WTRACK_RING_COALESCE, KVM_WTRACK_RING_F_COALESCE);
SAME(WTRACK_RING_STOP, KVM_WTRACK_RING_F_STOP);
SAME(WTRACK_RING_NATIVE, KVM_WTRACK_RING_F_NATIVE);
SAME(WTRACK_RING_STICKY, KVM_WTRACK_RING_F_STICKY);
SAME(WTRACK_RING_ONCE, KVM_WTRACK_RING_F_ONCE);
SAME(WTRACK_RING_SYNC, KVM_WTRACK_RING_F_SYNC);

/* Has the module made what was asked for, and can it be mapped? */
static bool ring_is_sane(const struct kvm_wtrack_ring *made)
{
	return made->out_record_bytes == sizeof(struct kvm_wtrack_record) &&
	       made->out_records_bytes ==
	       (uint64_t)made->records * sizeof(struct kvm_wtrack_record) &&
	       made->out_consumer_bytes >= sizeof(struct kvm_wtrack_consumer);
}

int wtrack__ring_map(struct wtrack_session *session,
		     const struct kvm_wtrack_ring *made)
{
	size_t consumer_bytes = (size_t)made->out_consumer_bytes;
	size_t records_bytes = (size_t)made->out_records_bytes;
	struct ring *ring = &session->ring;
	void *consumer, *records;
	int r;

	if (!ring_is_sane(made))
		return -EPROTO;
	if (consumer_bytes != made->out_consumer_bytes ||
	    records_bytes != made->out_records_bytes)
		return -ENOMEM;
	r = wtrack__sys_mmap(session->fd, made->out_consumer_offset,
			     consumer_bytes, PROT_READ | PROT_WRITE, &consumer);
	if (r < 0)
		return r;
	r = wtrack__sys_mmap(session->fd, made->out_records_offset,
			     records_bytes, PROT_READ, &records);
	if (r < 0) {
		wtrack__sys_munmap(consumer, consumer_bytes);
		return r;
	}
	ring->consumer = consumer;
	ring->records = records;
	ring->nr_records = made->records;
	ring->consumer_bytes = consumer_bytes;
	ring->records_bytes = records_bytes;
	ring->released = consumer_load_pos(consumer);
	ring->next = ring->released;
	return 0;
}

void wtrack__ring_unmap(struct wtrack_session *session)
{
	struct ring *ring = &session->ring;

	if (!ring->records)
		return;
	wtrack__sys_munmap((void *)ring->records, ring->records_bytes);
	wtrack__sys_munmap(ring->consumer, ring->consumer_bytes);
}

static int tune_budget(struct wtrack_session *session, uint32_t budget,
		       uint32_t period_ms)
{
	struct kvm_wtrack_tune args = {
		.size = sizeof(args),
		.flags = KVM_WTRACK_TUNE_F_BUDGET,
		.budget = budget,
		.period_ms = period_ms,
	};

	return wtrack__retry_ioctl(session->fd, KVM_WTRACK_TUNE, &args);
}

WTRACK_API int wtrack_session_set_budget(struct wtrack_session *session,
					 uint32_t budget, uint32_t period_ms)
{
	if (session->ring.records)
		return tune_budget(session, budget, period_ms);
	if (budget > session->max_budget || period_ms > session->max_period_ms)
		return -ERANGE;
	if (!budget != !period_ms)
		return -EINVAL;
	session->budget = budget;
	session->period_ms = period_ms;
	return 0;
}

static int tune_sync(struct wtrack_session *session, uint32_t timeout_us)
{
	struct kvm_wtrack_tune args = {
		.size = sizeof(args),
		.flags = KVM_WTRACK_TUNE_F_SYNC,
		.sync_us = timeout_us,
	};

	return wtrack__retry_ioctl(session->fd, KVM_WTRACK_TUNE, &args);
}

WTRACK_API int wtrack_session_set_sync(struct wtrack_session *session,
				       uint32_t timeout_us)
{
	if (session->ring.records)
		return tune_sync(session, timeout_us);
	if (timeout_us > session->max_sync_us)
		return -ERANGE;
	session->sync_us = timeout_us;
	return 0;
}

WTRACK_API int wtrack_session_make_ring(struct wtrack_session *session,
					uint32_t records, unsigned int flags,
					uint32_t watermark, uint32_t latency_us)
{
	struct kvm_wtrack_ring args = {
		.size = sizeof(args),
		.flags = flags,
		.records = records,
		.watermark = watermark,
		.latency_us = latency_us,
		.budget = session->budget,
		.period_ms = session->period_ms,
		.sync_us = session->sync_us,
	};
	int r;

	r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_RING, &args);
	if (r < 0)
		return r;
	session->ring.flags = flags;
	return wtrack__ring_map(session, &args);
}

WTRACK_API int wtrack_session_set_wakeup(struct wtrack_session *session,
					 uint32_t watermark,
					 uint32_t latency_us)
{
	struct kvm_wtrack_tune args = {
		.size = sizeof(args),
		.flags = KVM_WTRACK_TUNE_F_WAKEUP,
		.watermark = watermark,
		.latency_us = latency_us,
	};

	return wtrack__retry_ioctl(session->fd, KVM_WTRACK_TUNE, &args);
}

static const struct kvm_wtrack_record *ring_place(const struct ring *ring)
{
	return &ring->records[ring->next & (ring->nr_records - 1)];
}

/*
 * For the last record, returns why nothing follows, as a negative errno; for
 * others 0.
 */
static int end_of(const struct kvm_wtrack_record *record)
{
	if (record->type == KVM_WTRACK_RECORD_VM_GONE)
		return -ESRCH;
	return record->type == KVM_WTRACK_RECORD_ENDED ? -ESHUTDOWN : 0;
}

/* The record to hand out next, if it is published and its turn has come. */
static const struct kvm_wtrack_record *
ring_peek(const struct wtrack_session *session)
{
	const struct ring *ring = &session->ring;
	const struct kvm_wtrack_record *record;

	if (!ring->records)
		return NULL;
	record = ring_place(ring);
	if (record_load_seq(record) != ring->next + 1)
		return NULL;
	if (session->resync.pending && !end_of(record))
		return NULL;
	return record;
}

/* A record that is not handed out yet, if it is published: the one at pos. */
const struct wtrack_event *
wtrack__ring_ahead(const struct wtrack_session *session, uint64_t pos)
{
	const struct ring *ring = &session->ring;
	const struct kvm_wtrack_record *record;

	record = &ring->records[pos & (ring->nr_records - 1)];
	return record_load_seq(record) == pos + 1 ?
	       (const struct wtrack_event *)record : NULL;
}

/*
 * Only this reader may change the position. If another holder of the session
 * did, records that are in use here may be overwritten, and poll may always
 * report something.
 */
static bool ring_is_broken(const struct ring *ring)
{
	return consumer_load_pos(ring->consumer) != ring->released;
}

WTRACK_API const struct wtrack_event *
wtrack_session_next(struct wtrack_session *session)
{
	const struct kvm_wtrack_record *record;

	if (session->resync.inherited)
		return wtrack__resync_inherited(session);
	record = ring_peek(session);
	if (!record)
		return NULL;
	session->ring.next++;
	if (record->type == KVM_WTRACK_RECORD_RESYNC)
		session->resync.pending = true;
	else if (end_of(record))
		session->ring.over = end_of(record);
	return (const struct wtrack_event *)record;
}

WTRACK_API void wtrack_session_release(struct wtrack_session *session)
{
	struct kvm_wtrack_release args = { .size = sizeof(args) };
	struct ring *ring = &session->ring;

	if (ring->next == ring->released)
		return;
	consumer_store_pos(ring->consumer, ring->next);
	ring->released = ring->next;
	/* It fails only if the session is ended, and then no vCPU waits. */
	if (consumer_load_waiters(ring->consumer))
		(void)wtrack__retry_ioctl(session->fd, KVM_WTRACK_RELEASE,
					  &args);
}

WTRACK_API int wtrack_session_get_waiters(struct wtrack_session *session,
					  uint32_t *ret_waiters,
					  uint32_t *ret_signalled)
{
	struct kvm_wtrack_release args = {
		.size = sizeof(args),
		.flags = KVM_WTRACK_RELEASE_F_LOOK,
	};
	int r;

	r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_RELEASE, &args);
	if (r < 0)
		return r;
	*ret_waiters = args.out_waiters;
	if (ret_signalled)
		*ret_signalled = args.out_signalled;
	return 0;
}

/* 1 when next() has an event, 0 when one may come, or why none will. */
static int ring_state(const struct wtrack_session *session)
{
	const struct ring *ring = &session->ring;

	if (!ring->records)
		return -ENOBUFS;
	if (session->resync.inherited || ring_peek(session))
		return 1;
	if (ring->over)
		return ring->over;
	if (ring_is_broken(ring))
		return -EIO;
	if (ring->next != ring->released || session->resync.pending)
		return -EBUSY;
	return 0;
}

int wtrack__time_left_ms(int timeout_ms, uint64_t start_ms)
{
	uint64_t passed;

	if (timeout_ms < 0)
		return -1;
	passed = wtrack__sys_now_ms() - start_ms;
	return passed < (uint64_t)timeout_ms ? timeout_ms - (int)passed : 0;
}

/*
 * Returns why nothing follows when no record is on its way any more, or 0.
 * poll(2) may report the end a moment before the last record can be read.
 */
static int ring_ended(const struct wtrack_session *session)
{
	struct kvm_wtrack_status status;
	int r;

	r = wtrack__device_get_status(session->fd, &status);
	if (r < 0)
		return r;
	if (status.out_unread)
		return 0;
	return status.out_state & KVM_WTRACK_STATE_VM_GONE ? -ESRCH :
							     -ESHUTDOWN;
}

static int poll_error(const struct wtrack_session *session, short revents)
{
	if (revents & POLLHUP)
		return ring_ended(session);
	return revents & (POLLERR | POLLNVAL) ? -EIO : 0;
}

/*
 * poll may have something to report when next() has nothing yet: a record that
 * is being written.
 */
WTRACK_API int wtrack_session_wait(struct wtrack_session *session,
				   int timeout_ms)
{
	uint64_t start_ms = timeout_ms > 0 ? wtrack__sys_now_ms() : 0;
	int left_ms = timeout_ms;
	short revents;
	int polled, r;

	r = ring_state(session);
	while (!r) {
		polled = wtrack__sys_poll(session->fd, POLLIN, left_ms,
					  &revents);
		if (polled < 0)
			return polled;
		r = ring_state(session);
		if (r || !polled)
			break;
		r = poll_error(session, revents);
		left_ms = wtrack__time_left_ms(timeout_ms, start_ms);
		if (!left_ms)
			break;
	}
	return r;
}

WTRACK_API int wtrack_session_fence(struct wtrack_session *session,
				    uint64_t *ret_seq)
{
	struct kvm_wtrack_fence args = { .size = sizeof(args) };
	int r;

	r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_FENCE, &args);
	if (r < 0)
		return r;
	*ret_seq = args.out_seq;
	return 0;
}
