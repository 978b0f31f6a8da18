// SPDX-License-Identifier: GPL-2.0-or-later
/* READ: bytes of guest memory, exactly those that the session may have. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { PAGES = 64, BYTES = PAGES * 4096, CANARY = 0xa5 };

static unsigned char got[BYTES + 16];

static int session(struct vm *vm)
{
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	return fd;
}

/* No two places look the same. */
static void fill(unsigned char *mem, uint64_t bytes)
{
	uint64_t i;

	for (i = 0; i < bytes; i++)
		mem[i] = i * 7 + i / 251;
}

CASE(what_is_read_is_what_memory_has)
{
	const uint64_t at[] = { 0, 1, 4095, 4096, 65535, 65536, 65537 };
	const uint64_t lens[] = { 1, 8, 4095, 4097, 65536, 65537, 140000 };
	struct vm *vm = vm_new(PAGES);
	struct kvm_wtrack_read read;
	int fd = session(vm);
	unsigned int i, j;

	fill(vm->data, BYTES);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			tap_trying("%llu bytes at %llu",
				   (unsigned long long)lens[j],
				   (unsigned long long)at[i]);
			memset(got, CANARY, sizeof(got));
			CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA + at[i], got + 8,
						    lens[j], 0, &read), 0);
			CHECK_EQ(read.out_done, lens[j]);
			CHECK_ERRNO(read.out_error, 0);
			CHECK_EQ(read.out_seq, 0);
			CHECK(!memcmp(got + 8, vm->data + at[i], lens[j]));
			CHECK_EQ(got[7], CANARY);
			CHECK_EQ(got[8 + lens[j]], CANARY);
		}
}

CASE(a_call_reads_so_much_and_says_how_much)
{
	struct kvm_wtrack_info info;
	struct kvm_wtrack_read read;
	struct vm *vm;
	unsigned char *all;
	uint64_t len;

	wt_info(&info);
	len = info.out_max_read_bytes + 5000;
	vm = vm_new(len / PAGE + 2);
	all = mem_shared(len);
	fill(vm->data, len + PAGE);
	CHECK_ERRNO(__wt_read_bytes(session(vm), VM_DATA + 3, all, len, 0, &read),
		    0);
	CHECK_EQ(read.out_done, info.out_max_read_bytes);
	CHECK_ERRNO(read.out_error, 0);
	CHECK(!memcmp(all, vm->data + 3, read.out_done));
	CHECK_EQ(all[read.out_done], 0);
	/* As whoever goes on does. */
	wt_read_bytes(session(vm), VM_DATA + 3, all, len);
	CHECK(!memcmp(all, vm->data + 3, len));
}

CASE(it_ends_where_no_memory_is)
{
	struct vm *vm = vm_new(PAGES);
	int fd = session(vm);
	struct kvm_wtrack_read read;

	fill(vm->data, BYTES);
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA + BYTES - 5000, got, 9000, 0,
				    &read), 0);
	CHECK_EQ(read.out_done, 5000);
	CHECK_ERRNO(read.out_error, ENOENT);
	CHECK(!memcmp(got, vm->data + BYTES - 5000, 5000));
	CHECK_ERRNO(wt_read_error(fd, VM_DATA + BYTES), ENOENT);
	CHECK_ERRNO(wt_read_error(fd, VM_DATA - 1), ENOENT);
	CHECK_ERRNO(wt_read_error(fd, (1ULL << 52) - 1), ENOENT);
	CHECK_ERRNO(wt_read_error(fd, VM_DATA), 0);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	CHECK_ERRNO(wt_read_error(fd, VM_DATA), ENOENT);
}

/* Of memslots that lie next to each other, whatever they are. */
CASE(memslots_are_read_as_one)
{
	struct vm *vm = vm_new(PAGES);
	unsigned char *more = mem_shared(2 * PAGE);
	int fd = session(vm);

	fill(vm->data, BYTES);
	fill(more, 2 * PAGE);
	vm_slot(vm, VM_SLOT_EXTRA, VM_DATA + BYTES, more, 2 * PAGE,
		KVM_MEM_READONLY);
	wt_read_bytes(fd, VM_DATA + BYTES - 100, got, 100 + 2 * PAGE);
	CHECK(!memcmp(got, vm->data + BYTES - 100, 100));
	CHECK(!memcmp(got + 100, more, 2 * PAGE));
}

CASE(private_memory_is_refused)
{
	struct vm *vm = vm_new(PAGES);
	int private = vm_private_memory(vm, 4 * PAGE);

	if (private < 0 || __vm_slot_private(vm, VM_SLOT_EXTRA, 2 * VM_DATA,
					     mem_shared(4 * PAGE), 4 * PAGE,
					     private)) {
		tap_note("no guest_memfd for this VM");
		return;
	}
	CHECK_ERRNO(wt_read_error(session(vm), 2 * VM_DATA), EOPNOTSUPP);
}

CASE(a_malformed_call_is_refused)
{
	struct vm *vm = vm_new(PAGES);
	const uint64_t limit = 1ULL << 52;
	const struct { uint64_t gpa, len; } bad[] = {
		{ VM_DATA, 0 }, { limit, 1 }, { limit - 1, 2 }, { 0, limit + 1 },
		{ ~0ULL, 1 }, { VM_DATA, ~0ULL }, { ~0ULL, ~0ULL },
	};
	struct kvm_wtrack_read read;
	int fd = wt_open();
	unsigned int i;

	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, got, 1, 0, &read), ENOTCONN);
	wt_attach(fd, vm->fd);
	got[0] = CANARY;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		tap_trying("%llx, %llx", (unsigned long long)bad[i].gpa,
			   (unsigned long long)bad[i].len);
		CHECK_ERRNO(__wt_read_bytes(fd, bad[i].gpa, got, bad[i].len, 0,
					    &read), EINVAL);
		CHECK_EQ(got[0], CANARY);
	}
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, got, 1, 0, &read), 0);
}

CASE(a_buffer_that_ends_is_filled_up_to_its_end)
{
	struct vm *vm = vm_new(PAGES);
	struct kvm_wtrack_read read;
	unsigned char *half = mem_sparse(2 * PAGE);
	int fd = session(vm);

	fill(vm->data, BYTES);
	CHECK_SYS(!munmap(half + PAGE, PAGE));
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, half + 1000, 2 * PAGE, 0, &read),
		    EFAULT);
	CHECK(read.out_done <= PAGE - 1000);
	CHECK(!memcmp(half + 1000, vm->data, read.out_done));
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, (void *)8, 1, 0, &read), EFAULT);
	CHECK_EQ(read.out_done, 0);
	CHECK_SYS(!mprotect(half, PAGE, PROT_READ));
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, half, 1, 0, &read), EFAULT);
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, (void *)(~0UL << 47), 1, 0,
				    &read), EFAULT);
}

/* Another user, who has no other way to this memory. */
static void other_user(void *arg)
{
	int fd = *(int *)arg;
	uint64_t page;
	struct kvm_wtrack_read read;

	CHECK_SYS(!setresgid(65534, 65534, 65534));
	CHECK_SYS(!setresuid(65534, 65534, 65534));
	for (page = 0; page < PAGES; page++) {
		bool mine = page >= 10 && page < 13;

		tap_trying("page %llu", (unsigned long long)page);
		CHECK_ERRNO(wt_read_error(fd, VM_DATA + page * PAGE),
			    mine ? 0 : EPERM);
		CHECK_ERRNO(wt_read_error(fd, VM_DATA + page * PAGE + PAGE - 1),
			    mine ? 0 : EPERM);
	}
	CHECK_ERRNO(wt_read_error(fd, 0), EPERM);
	CHECK_ERRNO(wt_read_error(fd, VM_DATA + BYTES), EPERM);
	memset(got, CANARY, sizeof(got));
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA + 10 * PAGE + 7, got, 8 * PAGE, 0,
				    &read), 0);
	CHECK_EQ(read.out_done, 3 * PAGE - 7);
	CHECK_ERRNO(read.out_error, EPERM);
	for (page = 0; page < PAGE; page++)
		CHECK_EQ(got[read.out_done + page], CANARY);
	CHECK_EQ(got[0], (unsigned char)((10 * PAGE + 7) * 7 +
					 (10 * PAGE + 7) / 251));
}

CASE(another_user_reads_the_pages_of_its_session_and_no_byte_else)
{
	const struct kvm_wtrack_range range = { VM_DATA_GFN + 10, 3 };
	WT_ARG(restrict, r, .ranges = (uintptr_t)&range, .nr_ranges = 1,
	       .rights = KVM_WTRACK_RIGHT_MEMORY);
	struct vm *vm = vm_new_with(mem_sparse(BYTES), PAGES);
	int fd = session(vm);

	fill(vm->data, BYTES);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	child_join(child_fork(other_user, &fd));
}

CASE(the_right_to_read_can_be_withheld)
{
	WT_ARG(restrict, r, .rights = ~KVM_WTRACK_RIGHT_MEMORY);
	struct vm *vm = vm_new(PAGES);
	struct kvm_wtrack_read read;
	int fd = session(vm);
	struct wt_regions all;

	CHECK_ERRNO(wt_read_error(fd, VM_DATA), 0);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	got[0] = CANARY;
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, got, 1, 0, &read), EPERM);
	CHECK_EQ(got[0], CANARY);
	wt_regions(fd, &all);
	CHECK(all.nr >= 2);
}

CASE(it_tells_which_records_are_contained)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record record;
	struct kvm_wtrack_read read;
	uint64_t word, later = 0;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 9, 0);
	CHECK_ERRNO(__wt_read_bytes(wt->fd, VM_DATA, &word, 8, 0, &read), 0);
	CHECK_EQ(word, 9);
	CHECK_EQ(read.out_seq, 9);
	vcpu_call(v, g_store8, VM_DATA, 10, 3, 0);
	while (wt_take(wt, &record))
		later += record.seq > read.out_seq;
	CHECK_EQ(later, 3);
}

/* While a vCPU stores without end: none is missed and none comes twice. */
CASE_WITHIN(with_the_records_behind_it_a_read_is_exact, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 65536, 0);
	struct kvm_wtrack_record record;
	struct kvm_wtrack_read read;
	uint64_t word, taken, rounds = 0;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_start(v, g_count_forever, VM_DATA, 1);
	while (rounds < 100) {
		CHECK_ERRNO(__wt_read_bytes(wt->fd, VM_DATA, &word, 8, 0, &read),
			    0);
		/* Record n is of the store of n. */
		CHECK(word >= read.out_seq);
		for (taken = 0; taken < 1000 && wt_take(wt, &record); taken++) {
			CHECK_EQ(record.type, KVM_WTRACK_RECORD_WRITE);
			CHECK_EQ(*(uint64_t *)record.data, record.seq);
		}
		rounds += taken > 0;
	}
	vcpu_stop(v);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* By the clock of the module's: it may take longer, but not less. */
CASE_WITHIN(a_session_reads_so_much_in_a_second, 60)
{
	struct kvm_wtrack_info info;
	struct vm *vm = vm_new(513);
	int fd = session(vm), other = session(vm), r;
	uint64_t began, bytes = 2 << 20;
	unsigned char *all = mem_shared(bytes);
	struct sigaction action = { .sa_handler = on_alarm };
	uint64_t was = module_param("read_mib_per_s");
	struct itimerval timer = { .it_value.tv_usec = 100000,
				   .it_interval.tv_usec = 100000 };
	struct kvm_wtrack_read read;

	CHECK_ERRNO(module_try_param("read_mib_per_s", "0"), ERANGE);
	CHECK_ERRNO(module_try_param("read_mib_per_s", "1048577"), ERANGE);
	module_set_param("read_mib_per_s", 1);
	wt_info(&info);
	CHECK_EQ(info.out_read_bytes_per_s, 1 << 20);
	began = clock_ns();
	wt_read_bytes(fd, VM_DATA, all, bytes);
	CHECK(clock_ns() - began > 1700 * 1000000ULL);
	/* What it waits for, a signal ends; another session does not wait. */
	CHECK_SYS(!sigaction(SIGALRM, &action, NULL));
	CHECK_SYS(!setitimer(ITIMER_REAL, &timer, NULL));
	do {
		r = __wt_read_bytes(fd, VM_DATA, all, 1 << 20, 0, &read);
	} while (!r);
	CHECK_ERRNO(r, EINTR);
	CHECK(read.out_done < 1 << 20);
	timer = (struct itimerval){ 0 };
	CHECK_SYS(!setitimer(ITIMER_REAL, &timer, NULL));
	CHECK_ERRNO(wt_read_error(other, VM_DATA), 0);
	/* Small reads count as the pages that they touch. */
	began = clock_ns();
	for (r = 0; r < 256; r++)
		CHECK_ERRNO(wt_read_error(other, VM_DATA + r), 0);
	CHECK(clock_ns() - began > 700 * 1000000ULL);
	module_set_param("read_mib_per_s", was);
}

CASE(the_memory_of_a_vm_that_is_gone_cannot_be_read)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int vm_fd = vmm_take_fd(vmm), fd = wt_open();
	struct kvm_wtrack_read read;

	wt_attach(fd, vm_fd);
	vmm_tell(vmm, VMM_STORE);
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, got, BYTES, 0, &read), 0);
	CHECK_EQ(read.out_done, BYTES);
	CHECK(!memcmp(got, vmm->data, BYTES));
	vmm_kill(vmm);
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, got, 1, 0, &read), ESRCH);
	close(vm_fd);
}
