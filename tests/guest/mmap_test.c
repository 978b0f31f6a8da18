// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the ring can be mapped, and how. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { RECORDS = 128, RING_BYTES = RECORDS * 64 };

#define RW	(PROT_READ | PROT_WRITE)

/* Where the parts are; each case asks for it anew. */
static uint64_t consumer_at, records_at;

static struct wt *session(void)
{
	struct wt *wt = wt_session(vm_new(4)->fd, RECORDS, 0);
	struct kvm_wtrack_status s;

	wt_status(wt->fd, &s);
	consumer_at = s.out_consumer_offset;
	records_at = s.out_records_offset;
	return wt;
}

static int map(struct wt *wt, uint64_t bytes, int prot, int flags,
	       uint64_t offset)
{
	return mmap(NULL, bytes, prot, flags, wt->fd, offset) == MAP_FAILED ?
	       errno : 0;
}

CASE(ring_and_status_tell_how_the_ring_is_mapped)
{
	WT_ARG(ring, r, .records = RECORDS);
	struct kvm_wtrack_status s;
	int fd = wt_open();

	wt_attach(fd, vm_new(1)->fd);
	wt_status(fd, &s);
	CHECK_EQ(s.out_record_bytes, 0);
	CHECK_EQ(s.out_consumer_bytes, 0);
	CHECK_EQ(s.out_records_bytes, 0);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	CHECK_EQ(r.out_record_bytes, sizeof(struct kvm_wtrack_record));
	CHECK_EQ(r.out_records_bytes, RING_BYTES);
	CHECK(r.out_consumer_bytes >= sizeof(struct kvm_wtrack_consumer));
	CHECK(r.out_records_offset - r.out_consumer_offset >=
	      r.out_consumer_bytes);
	wt_status(fd, &s);
	CHECK_EQ(s.out_record_bytes, r.out_record_bytes);
	CHECK_EQ(s.out_consumer_offset, r.out_consumer_offset);
	CHECK_EQ(s.out_consumer_bytes, r.out_consumer_bytes);
	CHECK_EQ(s.out_records_offset, r.out_records_offset);
	CHECK_EQ(s.out_records_bytes, r.out_records_bytes);
}

CASE(status_tells_the_flags_that_the_ring_was_made_with)
{
	static const uint32_t flags[] = {
		0, KVM_WTRACK_RING_F_COALESCE, KVM_WTRACK_RING_F_STOP,
		KVM_WTRACK_RING_F_STOP | KVM_WTRACK_RING_F_NATIVE,
	};
	struct vm *vm = vm_new(1);
	struct kvm_wtrack_status s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		wt_status(wt_session(vm->fd, RECORDS, flags[i])->fd, &s);
		CHECK_EQ(s.out_ring_flags, flags[i]);
	}
}

CASE(the_parts_can_be_mapped_as_the_header_says)
{
	struct wt *wt = session();

	CHECK_ERRNO(map(wt, PAGE, RW, MAP_SHARED, consumer_at), 0);
	CHECK_ERRNO(map(wt, PAGE, PROT_READ, MAP_SHARED,
			consumer_at), 0);
	CHECK_ERRNO(map(wt, RING_BYTES, PROT_READ, MAP_SHARED,
			records_at), 0);
}

CASE(records_cannot_be_mapped_writable)
{
	struct wt *wt = session();

	CHECK_ERRNO(map(wt, RING_BYTES, RW, MAP_SHARED,
			records_at), EACCES);
	CHECK_ERRNO(map(wt, RING_BYTES, PROT_WRITE, MAP_SHARED,
			records_at), EACCES);
}

CASE(records_cannot_be_made_writable_later)
{
	struct wt *wt = session();
	void *p = (void *)wt->records;

	CHECK(mprotect(p, RING_BYTES, RW) < 0);
	CHECK_ERRNO(errno, EACCES);
	CHECK(mprotect(p, PAGE, PROT_WRITE) < 0);
	CHECK_ERRNO(errno, EACCES);
}

static void write_record(void *arg)
{
	*(volatile char *)arg = 1;
}

CASE(a_store_to_a_record_is_a_segmentation_fault)
{
	struct wt *wt = session();
	pid_t pid = fork();
	siginfo_t info;

	/* The child has no copy of the mapping; it makes one of its own. */
	if (!pid) {
		CHECK_ERRNO(__wt_map(wt), 0);
		write_record((void *)wt->records);
		_exit(0);
	}
	CHECK_SYS(!waitid(P_PID, pid, &info, WEXITED));
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGSEGV);
}

CASE(nothing_can_be_executable)
{
	struct wt *wt = session();

	CHECK_ERRNO(map(wt, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED,
			consumer_at), EINVAL);
	CHECK_ERRNO(map(wt, RING_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED,
			records_at), EINVAL);
	CHECK(mprotect(wt->consumer, PAGE, PROT_READ | PROT_EXEC) < 0);
	CHECK(mprotect((void *)wt->records, RING_BYTES,
		       PROT_READ | PROT_EXEC) < 0);
}

CASE(a_private_mapping_is_refused)
{
	struct wt *wt = session();

	CHECK_ERRNO(map(wt, PAGE, RW, MAP_PRIVATE, consumer_at),
		    EINVAL);
	CHECK_ERRNO(map(wt, RING_BYTES, PROT_READ, MAP_PRIVATE,
			records_at), EINVAL);
}

CASE(another_length_or_offset_is_refused)
{
	struct wt *wt = session();
	const struct {
		uint64_t bytes, offset;
	} wrong[] = {
		{ 2 * PAGE, consumer_at },
		{ RING_BYTES, consumer_at },
		{ RING_BYTES + PAGE, consumer_at },
		{ RING_BYTES - PAGE, records_at },
		{ RING_BYTES + PAGE, records_at },
		{ RING_BYTES - PAGE, records_at + PAGE },
		{ RING_BYTES, records_at - PAGE },
		{ RING_BYTES, PAGE },
		{ PAGE, consumer_at + PAGE },
		{ PAGE, records_at },
		{ PAGE, records_at + PAGE },
		{ PAGE, records_at | 1ULL << 40 },
		{ PAGE, 1ULL << 40 },
		{ PAGE, -PAGE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		tap_trying("%llu bytes at 0x%llx",
			   (unsigned long long)wrong[i].bytes,
			   (unsigned long long)wrong[i].offset);
		CHECK(map(wt, wrong[i].bytes, PROT_READ, MAP_SHARED,
			  wrong[i].offset));
	}
}

CASE(a_mapping_cannot_grow)
{
	struct wt *wt = session();

	CHECK(mremap(wt->consumer, PAGE, 2 * PAGE, MREMAP_MAYMOVE) ==
	      MAP_FAILED);
	CHECK(mremap((void *)wt->records, RING_BYTES, RING_BYTES + PAGE,
		     MREMAP_MAYMOVE) == MAP_FAILED);
}

CASE(before_ring_there_is_nothing_to_map)
{
	struct wt wt = { .fd = wt_open() };

	session();
	CHECK(map(&wt, PAGE, RW, MAP_SHARED, consumer_at));
	wt_attach(wt.fd, vm_new(1)->fd);
	CHECK_ERRNO(map(&wt, PAGE, RW, MAP_SHARED, consumer_at),
		    ENOBUFS);
	CHECK_ERRNO(map(&wt, PAGE, PROT_READ, MAP_SHARED,
			records_at), ENOBUFS);
}

/* A mapping is a holder: the session lives until the last one is gone. */
CASE(a_mapping_keeps_the_session_when_the_descriptor_is_closed)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct wt *other = wt_session(vm->fd, RECORDS, 0);
	struct kvm_wtrack_record rec;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	close(wt->fd);
	vcpu_call(v, g_store8, VM_DATA, 5, 1, 0);
	CHECK(wt_take(wt, &rec));
	CHECK_EQ(rec.data[0], 5);
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 1);
	CHECK_SYS(!munmap(wt->consumer, PAGE));
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 1);
	CHECK_SYS(!munmap((void *)wt->records, RING_BYTES));
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 0);
}

/* A forked child must not keep a session alive that it does not know of. */
static void map_is_gone(void *arg)
{
	struct wt *wt = arg;
	unsigned char vec;

	CHECK(mincore(wt->consumer, PAGE, &vec) < 0);
	CHECK_ERRNO(errno, ENOMEM);
	CHECK(mincore((void *)wt->records, PAGE, &vec) < 0);
	CHECK_ERRNO(errno, ENOMEM);
}

CASE(a_mapping_is_not_inherited_by_a_forked_child)
{
	child_join(child_fork(map_is_gone, session()));
}
