// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * READ against those who are in its way: memslots that come and go, a VMM that
 * does not provide a page, a reader that does not take what was read, and both
 * when they are killed.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "slow.h"
#include "stuck_file.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { PAGES = 64, BYTES = PAGES * 4096, GUESTS = 0x11, SECRET = 0x99 };

static int session(int vm_fd)
{
	int fd = wt_open();

	wt_attach(fd, vm_fd);
	return fd;
}

struct reader {
	int fd;
	int stop;
	uint64_t reads, absent, busy;
	pthread_t thread;
};

/* Sees the guest's bytes, or nothing. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	unsigned char *got = mem_sparse(BYTES);
	struct kvm_wtrack_read read;
	uint64_t i;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		CHECK_ERRNO(__wt_read_bytes(r->fd, VM_DATA, got, BYTES, 0, &read),
			    0);
		for (i = 0; i < read.out_done; i++)
			if (got[i] != GUESTS)
				tap_fail(__FILE__, __LINE__, "byte %llu is %x",
					 (unsigned long long)i, got[i]);
		if (read.out_error == ENOENT)
			__atomic_add_fetch(&r->absent, 1, __ATOMIC_RELAXED);
		else if (read.out_error == EBUSY)
			__atomic_add_fetch(&r->busy, 1, __ATOMIC_RELAXED);
		else
			CHECK_ERRNO(read.out_error, 0);
		if (read.out_done)
			__atomic_add_fetch(&r->reads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void wait_for_more(const uint64_t *count)
{
	uint64_t was = __atomic_load_n(count, __ATOMIC_RELAXED);

	CHECK_SOON(__atomic_load_n(count, __ATOMIC_RELAXED) != was);
}

/*
 * The VMM deletes the memslot and uses its memory for something of its own; then
 * the guest gets it back.
 */
CASE_WITHIN(memory_is_not_read_when_it_is_not_the_guests, 180)
{
	struct vm *vm = vm_new_with(mem_sparse(BYTES), PAGES);
	struct reader readers[2] = { { .fd = session(vm->fd) },
				     { .fd = session(vm->fd) } };
	unsigned int i, rounds;

	memset(vm->data, GUESTS, BYTES);
	for (i = 0; i < 2; i++)
		CHECK(!pthread_create(&readers[i].thread, NULL, read_on,
				      &readers[i]));
	for (rounds = 0; rounds < 12; rounds++) {
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
		memset(vm->data, SECRET, BYTES);
		/* Once in a while for longer than a read takes. */
		if (rounds % 4 == 0)
			wait_for_more(&readers[rounds / 4 % 2].absent);
		memset(vm->data, GUESTS, BYTES);
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, BYTES, 0);
		wait_for_more(&readers[rounds % 2].reads);
	}
	for (i = 0; i < 2; i++) {
		readers[i].stop = 1;
		pthread_join(readers[i].thread, NULL);
		tap_note("%llu reads, %llu absent, %llu busy",
			 (unsigned long long)readers[i].reads,
			 (unsigned long long)readers[i].absent,
			 (unsigned long long)readers[i].busy);
	}
}

/* All that others may want of the VM meanwhile. */
static void check_nobody_waits(struct vm *vm, struct vcpu *v, int fd)
{
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record record;
	struct wt_regions all;

	CHECK_ERRNO(wt_read_error(fd, VM_DATA), 0);
	CHECK_ERRNO(wt_read_error(wt->fd, VM_DATA + 2 * PAGE), 0);
	wt_regions(wt->fd, &all);
	wt_add(wt->fd, VM_DATA_GFN + 3, 1);
	vcpu_call(v, g_store8, VM_DATA + 3 * PAGE, 5, 1, 0);
	CHECK(wt_take(wt, &record));
	CHECK_EQ(record.type, KVM_WTRACK_RECORD_WRITE);
	vm_slot(vm, VM_SLOT_EXTRA, 4 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	vm_slot(vm, VM_SLOT_EXTRA, 4 * VM_DATA, NULL, 0, 0);
	wt_close(wt);
}

static void read_slow_page(void *arg)
{
	unsigned char got[3 * 4096];
	struct kvm_wtrack_read read;

	(void)__wt_read_bytes(*(int *)arg, VM_DATA, got, sizeof(got), 0, &read);
	tap_fail(__FILE__, __LINE__, "the page was not there");
}

CASE(a_page_that_the_vmm_does_not_provide_stalls_its_reader_alone)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	int fd = session(vm->fd), status;
	struct slow slow;
	pid_t pid;

	memset(vm->data, GUESTS, BYTES);
	slow_take(&slow, vm->data + PAGE);
	CHECK_ERRNO(wt_read_error_nofault(fd, VM_DATA + PAGE), EAGAIN);
	pid = child_fork(read_slow_page, &fd);
	slow_wait(&slow);
	check_nobody_waits(vm, v, fd);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_SYS(!kill(pid, SIGKILL));
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	/* Then it is read as any other. */
	slow_give(&slow);
	CHECK_ERRNO(wt_read_error(fd, VM_DATA + PAGE), 0);
}

static void *read_given_page(void *arg)
{
	unsigned char *got = mem_sparse(3 * PAGE);

	wt_read_bytes(*(int *)arg, VM_DATA, got, 3 * PAGE);
	return got;
}

CASE(a_page_that_the_vmm_provides_late_is_read)
{
	struct vm *vm = vm_new(PAGES);
	int fd = session(vm->fd);
	struct slow slow;
	pthread_t thread;
	void *got;

	memset(vm->data, GUESTS, BYTES);
	slow_take(&slow, vm->data + PAGE);
	CHECK(!pthread_create(&thread, NULL, read_given_page, &fd));
	slow_wait(&slow);
	slow_give(&slow);
	CHECK(!pthread_join(thread, &got));
	CHECK(!memcmp(got, vm->data, 3 * PAGE));
}

/* Anonymous memory that is handled by somebody is not zeros because it is absent. */
CASE(absent_anonymous_memory_of_a_handler_is_not_taken_for_zeros)
{
	struct vm *vm = vm_new_with(mem_sparse(BYTES), PAGES);
	int fd = session(vm->fd);
	struct slow slow;
	pthread_t thread;
	void *got;

	memset(vm->data, GUESTS, BYTES);
	slow_take_anonymous(&slow, vm->data + PAGE);
	CHECK_ERRNO(wt_read_error_nofault(fd, VM_DATA + PAGE), EAGAIN);
	CHECK(!pthread_create(&thread, NULL, read_given_page, &fd));
	slow_wait(&slow);
	slow_give(&slow);
	CHECK(!pthread_join(thread, &got));
	CHECK(!memcmp(got, vm->data, 3 * PAGE));
}

struct stuck {
	int fd;
	int sock;
	unsigned char *buffer;
};

static void *read_into_buffer(void *arg)
{
	struct stuck *s = arg;
	struct kvm_wtrack_read read;

	(void)__wt_read_bytes(s->fd, VM_DATA, s->buffer, PAGE, 0, &read);
	tap_fail(__FILE__, __LINE__, "the buffer was not there");
}

/* Its buffer waits for whom nobody wakes. */
static void stuck_reader(void *arg)
{
	struct stuck *s = arg;
	pthread_t thread;
	struct slow slow;

	s->buffer = mem_shared(PAGE);
	slow_take(&slow, s->buffer);
	CHECK(!pthread_create(&thread, NULL, read_into_buffer, s));
	slow_wait(&slow);
	byte_send(s->sock, 'b');
	for (;;)
		pause();
}

static pid_t stuck_fork(struct stuck *s, int fd)
{
	int sock[2];
	pid_t pid;

	socket_pair(sock);
	s->fd = fd;
	s->sock = sock[1];
	pid = child_fork(stuck_reader, s);
	CHECK_EQ(byte_receive(sock[0]), 'b');
	return pid;
}

static void check_stuck_reader(struct vm *vm, struct vcpu *v, int fd, pid_t pid)
{
	check_nobody_waits(vm, v, fd);
	/* Its own memslot may go as well, and the pages be given back. */
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	CHECK_SYS(!madvise(vm->data, BYTES, MADV_REMOVE));
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, BYTES, 0);
	CHECK_SYS(!kill(pid, SIGSTOP));
	check_nobody_waits(vm, v, fd);
	CHECK_SYS(!kill(pid, SIGKILL));
}

CASE(a_reader_that_takes_nothing_stalls_nobody)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	int fd = session(vm->fd), status;
	struct stuck s;
	pid_t pid;

	memset(vm->data, GUESTS, BYTES);
	pid = stuck_fork(&s, fd);
	check_stuck_reader(vm, v, fd, pid);
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	check_nobody_waits(vm, v, fd);
}

static void read_into_file(void *arg)
{
	read_into_buffer(arg);
}

/*
 * FUSE does not let a process die that waits for a server which has its request:
 * the reader has chosen this server, and nobody else may wait with it.
 */
CASE(a_reader_whose_buffer_is_a_file_that_nobody_provides_stalls_nobody)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	int fd = session(vm->fd), status;
	struct stuck_file file;
	struct stuck s = { .fd = fd };
	pid_t pid;

	memset(vm->data, GUESTS, BYTES);
	stuck_file_open(&file);
	s.buffer = file.page;
	pid = child_fork(read_into_file, &s);
	stuck_file_wait(&file);
	check_stuck_reader(vm, v, fd, pid);
	check_nobody_waits(vm, v, fd);
	stuck_file_end(&file);
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	check_nobody_waits(vm, v, fd);
}

static bool is_gone(int fd)
{
	struct kvm_wtrack_status status;

	wt_status(fd, &status);
	return status.out_state & KVM_WTRACK_STATE_VM_GONE;
}

/* The VM is given up, and with it the vendor module, as after each case. */
CASE(a_reader_that_takes_nothing_does_not_hide_the_end_of_the_vm)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int vm_fd = vmm_take_fd(vmm), fd, status;
	struct stuck s;
	pid_t pid;

	fd = session(vm_fd);
	pid = stuck_fork(&s, fd);
	vmm_kill(vmm);
	/* Not by its references: there is one more. */
	CHECK_SOON(is_gone(fd));
	close(vm_fd);
	CHECK_SYS(!kill(pid, SIGKILL));
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
}

struct lazy {
	int sock;
};

/* A VMM whose pages are provided by another process. */
static void lazy_vmm(void *arg)
{
	struct lazy *lazy = arg;
	struct vm *vm = vm_new(PAGES);
	struct slow slow;

	memset(vm->data, GUESTS, BYTES);
	slow_take(&slow, vm->data + PAGE);
	fd_send(lazy->sock, vm->fd);
	fd_send(lazy->sock, slow.fd);
	for (;;)
		pause();
}

/* Its mm lives as long as the reader waits for a page of it. */
CASE(nor_does_one_that_waits_for_a_page_of_it)
{
	struct lazy lazy;
	int sock[2], vm_fd, fd, status;
	struct slow slow = { 0 };
	pid_t vmm, pid;

	socket_pair(sock);
	lazy.sock = sock[1];
	vmm = child_fork(lazy_vmm, &lazy);
	vm_fd = fd_receive(sock[0]);
	slow.fd = fd_receive(sock[0]);
	fd = session(vm_fd);
	pid = child_fork(read_slow_page, &fd);
	slow_wait(&slow);
	CHECK_SYS(!kill(vmm, SIGKILL));
	CHECK_SYS(waitpid(vmm, &status, 0) == vmm);
	CHECK_SOON(is_gone(fd));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_SYS(!kill(pid, SIGKILL));
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	close(slow.fd);
	close(vm_fd);
}

static void read_until_gone(void *arg)
{
	int fd = *(int *)arg, r;
	unsigned char *got = mem_sparse(BYTES);
	struct kvm_wtrack_read read;

	do {
		r = __wt_read_bytes(fd, VM_DATA, got, BYTES, 0, &read);
		if (!r)
			CHECK_ERRNO(read.out_error, 0);
	} while (!r);
	CHECK_ERRNO(r, ESRCH);
}

CASE_WITHIN(a_vm_may_end_at_any_moment_of_a_read, 60)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		struct vmm *vmm = vmm_fork(PAGES);
		int vm_fd = vmm_take_fd(vmm), fd = session(vm_fd);
		pid_t pid = child_fork(read_until_gone, &fd);

		if (i % 2)
			close(vm_fd);
		sleep_ms(i * 3);
		vmm_kill(vmm);
		child_join(pid);
		if (!(i % 2))
			close(vm_fd);
		close(fd);
	}
}
