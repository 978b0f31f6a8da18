// SPDX-License-Identifier: GPL-2.0-or-later
/* read(2): whole records for those who do not map the ring. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { BYTES = sizeof(struct kvm_wtrack_record) };

struct fixture {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void init(struct fixture *f)
{
	f->vm = vm_new(4);
	f->v = vcpu_new(f->vm);
	f->wt = wt_session(f->vm->fd, 64, 0);
	wt_add(f->wt->fd, VM_DATA_GFN, 4);
}

static void store(struct fixture *f, uint64_t value, unsigned int nr)
{
	vcpu_call(f->v, g_store8, VM_DATA, value, nr, 8);
}

CASE(a_read_gives_whole_records_in_order_and_releases_them)
{
	struct kvm_wtrack_record r[64];
	struct kvm_wtrack_status s;
	struct fixture f;
	unsigned int i;

	init(&f);
	store(&f, 100, 20);
	CHECK_EQ(read(f.wt->fd, r, sizeof(r)), 20 * BYTES);
	for (i = 0; i < 20; i++) {
		CHECK_EQ(r[i].seq, i + 1);
		CHECK_EQ(r[i].type, KVM_WTRACK_RECORD_WRITE);
		CHECK_EQ(r[i].gpa, VM_DATA + 8 * i);
		CHECK_EQ(*(uint64_t *)r[i].data, 100 + i);
	}
	CHECK_EQ(f.wt->consumer->pos, 20);
	wt_status(f.wt->fd, &s);
	CHECK_EQ(s.out_unread, 0);
}

CASE(a_read_gives_as_many_as_fit)
{
	struct kvm_wtrack_record r[8];
	struct fixture f;

	init(&f);
	store(&f, 0, 10);
	CHECK_EQ(read(f.wt->fd, r, 3 * BYTES), 3 * BYTES);
	CHECK_EQ(r[2].seq, 3);
	CHECK_EQ(read(f.wt->fd, r, 3 * BYTES - 1), 2 * BYTES);
	CHECK_EQ(r[1].seq, 5);
	CHECK_EQ(read(f.wt->fd, r, BYTES), BYTES);
	CHECK_EQ(r[0].seq, 6);
	CHECK_EQ(read(f.wt->fd, r, sizeof(r)), 4 * BYTES);
	CHECK_EQ(r[3].seq, 10);
}

CASE(a_buffer_smaller_than_a_record_is_einval)
{
	struct kvm_wtrack_record r;
	struct fixture f;
	unsigned int n;

	init(&f);
	store(&f, 0, 1);
	for (n = 0; n < BYTES; n++) {
		CHECK(read(f.wt->fd, &r, n) < 0);
		CHECK_ERRNO(errno, EINVAL);
	}
	CHECK_EQ(read(f.wt->fd, &r, BYTES), BYTES);
}

CASE(a_non_blocking_read_of_nothing_is_eagain)
{
	struct kvm_wtrack_record r;
	struct fixture f;

	init(&f);
	CHECK_SYS(!fcntl(f.wt->fd, F_SETFL, O_NONBLOCK));
	CHECK(read(f.wt->fd, &r, BYTES) < 0);
	CHECK_ERRNO(errno, EAGAIN);
	store(&f, 5, 1);
	CHECK_EQ(read(f.wt->fd, &r, BYTES), BYTES);
	CHECK(read(f.wt->fd, &r, BYTES) < 0);
	CHECK_ERRNO(errno, EAGAIN);
}

/* What could not be handed over is not released. */
CASE(a_read_to_a_bad_address_is_efault_and_releases_nothing)
{
	unsigned char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct fixture f;

	init(&f);
	store(&f, 0, 10);
	CHECK_SYS(!munmap(p + PAGE, PAGE));
	CHECK(read(f.wt->fd, p + PAGE, 10 * BYTES) < 0);
	CHECK_ERRNO(errno, EFAULT);
	CHECK(read(f.wt->fd, p + PAGE - 8, 10 * BYTES) < 0);
	CHECK_ERRNO(errno, EFAULT);
	CHECK_EQ(f.wt->consumer->pos, 0);
	CHECK_EQ(read(f.wt->fd, p + PAGE - 3 * BYTES, 10 * BYTES), 3 * BYTES);
	CHECK_EQ(f.wt->consumer->pos, 3);
	CHECK_EQ(read(f.wt->fd, p, 10 * BYTES), 7 * BYTES);
}

static void *blocking_read(void *arg)
{
	struct kvm_wtrack_record r[4];
	ssize_t n = read(*(int *)arg, r, sizeof(r));

	CHECK_EQ(n, BYTES);
	CHECK_EQ(*(uint64_t *)r[0].data, 42);
	return NULL;
}

CASE(a_blocking_read_is_woken_by_a_store)
{
	struct kvm_wtrack_status s;
	struct fixture f;
	pthread_t thread;

	init(&f);
	CHECK(!pthread_create(&thread, NULL, blocking_read, &f.wt->fd));
	sleep_ms(50);
	store(&f, 42, 1);
	CHECK(!pthread_join(thread, NULL));
	wt_status(f.wt->fd, &s);
	CHECK_EQ(s.out_wakeups, 1);
}

CASE(nobody_is_woken_when_nobody_sleeps)
{
	struct kvm_wtrack_record r[64];
	struct kvm_wtrack_status s;
	struct fixture f;
	unsigned int i;

	init(&f);
	for (i = 0; i < 20; i++) {
		store(&f, i, 50);
		if (i % 2)
			CHECK_EQ(wt_drain(f.wt), 50);
		else
			CHECK_EQ(read(f.wt->fd, r, sizeof(r)), 50 * BYTES);
		f.wt->next = f.wt->consumer->pos;
	}
	wt_status(f.wt->fd, &s);
	CHECK_EQ(s.out_events, 1000);
	CHECK_EQ(s.out_wakeups, 0);
}

CASE(read_and_the_mapped_ring_go_on_where_the_other_stopped)
{
	struct kvm_wtrack_record r[3];
	struct fixture f;

	init(&f);
	store(&f, 0, 9);
	CHECK_EQ(read(f.wt->fd, r, sizeof(r)), 3 * BYTES);
	f.wt->next = f.wt->consumer->pos;
	CHECK(wt_take(f.wt, r));
	CHECK_EQ(r[0].seq, 4);
	CHECK_EQ(read(f.wt->fd, r, sizeof(r)), 3 * BYTES);
	CHECK_EQ(r[0].seq, 5);
}

CASE(a_reader_with_read_alone_gets_every_store_at_full_rate)
{
	struct kvm_wtrack_record r[32];
	struct fixture f;
	uint64_t next = 0, want = 5000;
	ssize_t n, i;

	init(&f);
	wt_close(f.wt);
	f.wt = wt_session(f.vm->fd, 65536, 0);
	wt_add(f.wt->fd, VM_DATA_GFN, 1);
	vcpu_start(f.v, g_store8, VM_DATA, 0, want, 0);
	while (next < want) {
		n = read(f.wt->fd, r, sizeof(r));
		CHECK_SYS(n > 0 && n % BYTES == 0);
		for (i = 0; i < n / BYTES; i++, next++) {
			CHECK_EQ(r[i].seq, next + 1);
			CHECK_EQ(*(uint64_t *)r[i].data, next);
		}
	}
	vcpu_join(f.v);
}

CASE(there_is_no_position_to_seek_to_and_nothing_to_write)
{
	struct kvm_wtrack_record r;
	struct fixture f;

	init(&f);
	store(&f, 0, 1);
	CHECK(lseek(f.wt->fd, 0, SEEK_SET) < 0);
	CHECK_ERRNO(errno, ESPIPE);
	CHECK(pread(f.wt->fd, &r, BYTES, 0) < 0);
	CHECK(write(f.wt->fd, &r, BYTES) < 0);
	CHECK_EQ(read(f.wt->fd, &r, BYTES), BYTES);
}
