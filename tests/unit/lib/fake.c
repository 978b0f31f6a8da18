// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors, memory and mappings; and how they fail. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include <wtrack/wtrack.h>

#include "fake.h"
#include "sys.h"

#define FIRST_FD	100
#define NR_FDS		64

struct fake fake;

static int kinds[NR_FDS];

static struct {
	int nth, times, err;
} failures[FAKE_NR_CALLS];

void fake_fail_times(enum fake_call call, int nth, int times, int err)
{
	failures[call].nth = fake.nr_calls[call] + nth;
	failures[call].times = times;
	failures[call].err = err;
}

void fake_fail(enum fake_call call, int nth, int err)
{
	fake_fail_times(call, nth, 1, err);
}

int fake_called(enum fake_call call)
{
	int n = __atomic_add_fetch(&fake.nr_calls[call], 1, __ATOMIC_RELAXED);

	if (n >= failures[call].nth &&
	    n < failures[call].nth + failures[call].times)
		return -failures[call].err;
	return 0;
}

int fake_new_fd(int kind)
{
	int i;

	for (i = 0; i < NR_FDS; i++) {
		if (kinds[i] == FAKE_CLOSED) {
			kinds[i] = kind;
			fake.nr_open++;
			return FIRST_FD + i;
		}
	}
	return -EMFILE;
}

int fake_kind(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + NR_FDS)
		return FAKE_CLOSED;
	return kinds[fd - FIRST_FD];
}

/* An ioctl that publishes records takes it twice. */
static void init_lock(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&fake.lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

int fake_setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(failures, 0, sizeof(failures));
	memset(kinds, 0, sizeof(kinds));
	init_lock();
	pthread_cond_init(&fake.wake, NULL);
	fake.pages_to_signal = UINT64_MAX;
	fake.bytes_to_signal = UINT64_MAX;
	fake.generation = 2;
	fake_memory_init();
	fake.vmm.alive = true;
	fake.info = (struct kvm_wtrack_info) {
		.out_features = FAKE_FEATURES,
		.out_max_pages = FAKE_PAGES,
		.out_min_records = 4,
		.out_max_records = FAKE_RECORDS,
		.out_max_sessions = 1,
		.out_max_users = 1,
		.out_max_ranges = 16,
		.out_max_latency_us = 1000000,
		.out_record_bytes = sizeof(struct kvm_wtrack_record),
		.out_data_bytes = KVM_WTRACK_DATA_BYTES,
		.out_max_budget = 1000,
		.out_max_period_ms = 100,
		.out_max_read_bytes = FAKE_READ_BYTES,
		.out_read_bytes_per_s = 1U << 30,
		.out_max_sync_us = 100000,
	};
	return 0;
}

int fake_teardown(void **state)
{
	(void)state;
	assert_int_equal(fake.nr_open, 0);
	assert_int_equal(fake.nr_mapped, 0);
	assert_int_equal(fake.nr_allocated, 0);
	free(fake.records);
	free(fake.consumer);
	return 0;
}

void *wtrack__sys_alloc(size_t size)
{
	void *mem;

	if (fake_called(FAKE_ALLOC))
		return NULL;
	mem = calloc(1, size);
	__atomic_add_fetch(&fake.nr_allocated, 1, __ATOMIC_RELAXED);
	return mem;
}

void wtrack__sys_free(void *mem)
{
	if (!mem)
		return;
	__atomic_sub_fetch(&fake.nr_allocated, 1, __ATOMIC_RELAXED);
	free(mem);
}

int wtrack__sys_open(const char *path)
{
	int err = fake_called(FAKE_OPEN);

	assert_string_equal(path, KVM_WTRACK_DEVICE);
	return err ? err : fake_new_fd(FAKE_SESSION);
}

static bool has_session(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == FAKE_SESSION)
			return true;
	return false;
}

/* Its ring and pages stay until there is another, for guests that still store. */
static void end_session(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.over = true;
	fake.status.out_state &= ~KVM_WTRACK_STATE_RING;
	pthread_mutex_unlock(&fake.lock);
}

void wtrack__sys_close(int fd)
{
	bool session = fake_kind(fd) == FAKE_SESSION;

	assert_int_not_equal(fake_kind(fd), FAKE_CLOSED);
	kinds[fd - FIRST_FD] = FAKE_CLOSED;
	fake.nr_open--;
	if (session && !has_session())
		end_session();
}

int wtrack__sys_ioctl(int fd, unsigned long request, void *arg)
{
	if (fake_kind(fd) == FAKE_CLOSED)
		return -EBADF;
	if (fake_kind(fd) != FAKE_SESSION)
		return -ENOTTY;
	return (int)fake_ioctl(request, arg);
}

/* The module maps what it made, and nothing else. */
int wtrack__sys_mmap(int fd, uint64_t offset, size_t length, int prot,
		     void **ret)
{
	int err = fake_called(FAKE_MMAP);

	assert_int_equal(fake_kind(fd), FAKE_SESSION);
	if (err)
		return err;
	if (offset == FAKE_CONSUMER_OFFSET) {
		assert_int_equal(length, FAKE_CONSUMER_BYTES);
		assert_int_equal(prot, PROT_READ | PROT_WRITE);
		*ret = fake.consumer;
	} else {
		assert_int_equal(offset, FAKE_RECORDS_OFFSET);
		assert_int_equal(length, fake.ring.records *
				 sizeof(struct kvm_wtrack_record));
		assert_int_equal(prot, PROT_READ);
		*ret = fake.records;
	}
	fake.nr_mapped++;
	return 0;
}

void wtrack__sys_munmap(void *mem, size_t length)
{
	if (mem == fake.consumer)
		assert_int_equal(length, FAKE_CONSUMER_BYTES);
	else
		assert_int_equal(length, fake.ring.records *
				 sizeof(struct kvm_wtrack_record));
	fake.nr_mapped--;
}

uint64_t wtrack__sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int sleep_until(uint64_t deadline_ms)
{
	struct timespec at = {
		.tv_sec = (time_t)(deadline_ms / 1000),
		.tv_nsec = (long)(deadline_ms % 1000) * 1000000,
	};

	return pthread_cond_timedwait(&fake.wake, &fake.lock, &at);
}

int wtrack__sys_poll(int fd, short events, int timeout_ms, short *ret_revents)
{
	uint64_t deadline_ms = wtrack__sys_now_ms() + (uint64_t)timeout_ms;
	int err = fake_called(FAKE_POLL);
	short revents;

	assert_int_equal(events, POLLIN);
	if (fake_kind(fd) == FAKE_REQUEST && !err) {
		*ret_revents = POLLIN;
		return 1;
	}
	if (err)
		return err;
	assert_int_equal(fake_kind(fd), FAKE_SESSION);
	if (fake.before_poll)
		fake.before_poll();
	pthread_mutex_lock(&fake.lock);
	while (!(revents = fake_revents())) {
		if (timeout_ms < 0)
			pthread_cond_wait(&fake.wake, &fake.lock);
		else if (sleep_until(deadline_ms) == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&fake.lock);
	*ret_revents = revents;
	return revents ? 1 : 0;
}

struct wtrack_session *fake_session(uint32_t records, unsigned int flags)
{
	struct wtrack_session *session;

	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session), 0);
	if (records)
		assert_int_equal(wtrack_session_make_ring(session, records,
							  flags, 0, 0), 0);
	return session;
}

int fake_session_fd(uint32_t records)
{
	struct kvm_wtrack_attach attach = {
		.size = sizeof(attach), .vm_fd = FAKE_VM_FD,
	};
	struct kvm_wtrack_ring ring = {
		.size = sizeof(ring), .records = records,
	};
	int fd = wtrack__sys_open(KVM_WTRACK_DEVICE);

	assert_int_equal(wtrack__sys_ioctl(fd, KVM_WTRACK_ATTACH, &attach), 0);
	if (records)
		assert_int_equal(wtrack__sys_ioctl(fd, KVM_WTRACK_RING, &ring), 0);
	return fd;
}
