// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory of a session is charged to who asks for it, memory of a VM to who owns
 * the VM. When there is none the call is ENOMEM, with nothing half done; this is
 * tried where the kernel has fault injection: there each single allocation fails
 * once.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "cgroup.h"
#include "fd.h"
#include "guest.h"
#include "tap.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUG		"/sys/kernel/debug/"
#define GIB		(1ULL << 30)

static void make_ring_in_group(void *arg)
{
	const long long ring_bytes = 65536 * 64;
	struct vm *vm = vm_new(1);
	long long before;
	struct wt *wt;

	(void)arg;
	cgroup_enter();
	before = cgroup_bytes();
	wt = wt_session(vm->fd, 65536, 0);
	CHECK(cgroup_bytes() - before >= ring_bytes);
	wt_close(wt);
	CHECK_SOON(cgroup_bytes() - before < ring_bytes / 2);
}

CASE(a_ring_is_charged_to_the_group_of_who_makes_it)
{
	child_join(child_fork(make_ring_in_group, NULL));
	cgroup_remove();
}

static void track_in_group(void *arg)
{
	const long long counts_bytes = GIB / PAGE * 2;
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	long long before;

	(void)arg;
	vm_slot(vm, VM_SLOT_EXTRA, GIB, mem_sparse(GIB), GIB, 0);
	cgroup_enter();
	before = cgroup_bytes();
	wt_add(wt->fd, GIB / PAGE, GIB / PAGE);
	CHECK(cgroup_bytes() - before >= counts_bytes);
	wt_remove(wt->fd, GIB / PAGE, GIB / PAGE);
	CHECK_SOON(cgroup_bytes() - before < counts_bytes / 2);
}

CASE_WITHIN(what_is_tracked_is_charged_to_the_group_of_who_adds_it, 60)
{
	child_join(child_fork(track_in_group, NULL));
	cgroup_remove();
}

enum { MANY = 32, RANGES = 4096 };

/* As many as a call may bring; they stay as long as the session. */
static void restrict_in_group(void *arg)
{
	const long long ranges_bytes =
		MANY * RANGES * sizeof(struct kvm_wtrack_range);
	static struct kvm_wtrack_range ranges[RANGES];
	WT_ARG(restrict, r, .ranges = (uintptr_t)ranges, .nr_ranges = RANGES,
	       .rights = ~0ULL);
	long long before;
	unsigned int i;

	(void)arg;
	for (i = 0; i < RANGES; i++)
		ranges[i] = (struct kvm_wtrack_range) { 2 * i, 1 };
	cgroup_enter();
	before = cgroup_bytes();
	for (i = 0; i < MANY; i++)
		CHECK_ERRNO(__wt_restrict(wt_open(), &r), 0);
	tap_note("charged: %lld KiB", (cgroup_bytes() - before) / 1024);
	/* The kernel charges in advance: a part was charged before. */
	CHECK(cgroup_bytes() - before >= ranges_bytes / 2);
}

CASE(a_restriction_is_charged_to_the_group_of_who_makes_it)
{
	child_join(child_fork(restrict_in_group, NULL));
	cgroup_remove();
}

enum { CHUNK_PAGES = 1024, CHUNKS = 400 };

static uint64_t disarms(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_disarms;
}

static uint64_t rearms(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_rearms;
}

/* 2 bytes for each page of a chunk, from the first time that one is disarmed. */
static void trip_in_group(void *arg)
{
	const long long guard_bytes = CHUNKS * CHUNK_PAGES * 2;
	struct vm *vm = vm_new_with(mem_sparse(CHUNKS * CHUNK_PAGES * PAGE),
				    CHUNKS * CHUNK_PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt;
	long long before;
	unsigned int i;

	(void)arg;
	cgroup_enter();
	wt = wt_session(vm->fd, 4096, 0);
	for (i = 0; i < CHUNKS; i++)
		wt_add(wt->fd, VM_DATA_GFN + i * CHUNK_PAGES, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, CHUNKS, CHUNK_PAGES * PAGE);
	before = cgroup_slab_bytes();
	vcpu_call(v, g_fstp, VM_DATA, CHUNK_PAGES * PAGE, CHUNKS);
	CHECK_EQ(disarms(wt->fd), CHUNKS);
	CHECK_SOON(rearms(wt->fd) == CHUNKS);
	tap_note("charged: %lld KiB", (cgroup_slab_bytes() - before) / 1024);
	CHECK(cgroup_slab_bytes() - before >= guard_bytes / 2);
}

CASE_WITHIN(what_the_guard_remembers_is_charged_to_who_made_the_ring, 60)
{
	child_join(child_fork(trip_in_group, NULL));
	cgroup_remove();
}

/* Large enough that KVM's counts for it, 2 bytes a page, stand out. */
static struct vm *huge_vm(void)
{
	struct vm *vm = vm_new(1);

	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, mem_sparse(16 * GIB), 16 * GIB, 0);
	return vm;
}

/*
 * The memory control group is that of a child. Either the child is the VMM, and
 * who attaches is the test, outside of the group; or the other way round.
 */
struct owner_and_asker {
	struct vm *vm;
	int sock[2];
};

static void be_the_vmm(void *arg)
{
	struct owner_and_asker *both = arg;

	cgroup_enter();
	byte_send(both->sock[1], 'e');
	byte_receive(both->sock[1]);
	fd_send(both->sock[1], huge_vm()->fd);
	/* It lives until the test has seen what it was charged. */
	byte_receive(both->sock[1]);
}

/* KVM allocates at the attach on some kernels; before 6.6 it did long before. */
CASE(counts_of_kvm_are_charged_to_the_owner_of_the_vm)
{
	const long long counts_bytes = 16 * GIB / PAGE * 2;
	struct owner_and_asker both;
	long long before, charged;
	int vm_fd, fd = wt_open();
	pid_t child;

	socket_pair(both.sock);
	child = child_fork(be_the_vmm, &both);
	byte_receive(both.sock[0]);
	before = cgroup_bytes();
	byte_send(both.sock[0], 'm');
	vm_fd = fd_receive(both.sock[0]);
	wt_attach(fd, vm_fd);
	charged = cgroup_bytes() - before;
	tap_note("charged to the owner: %lld KiB", charged / 1024);
	CHECK(charged > counts_bytes / 8 * 7);
	/* Before 6.12 KVM has a thread in the group as long as there is the VM. */
	close(fd);
	close(vm_fd);
	byte_send(both.sock[0], 'x');
	child_join(child);
	cgroup_remove();
}

static void attach_as_a_stranger(void *arg)
{
	const long long counts_bytes = 16 * GIB / PAGE * 2;
	struct owner_and_asker *both = arg;
	long long before, charged;

	cgroup_enter();
	before = cgroup_bytes();
	wt_attach(wt_open(), both->vm->fd);
	charged = cgroup_bytes() - before;
	tap_note("charged to a stranger: %lld KiB", charged / 1024);
	CHECK(charged < counts_bytes / 8);
}

CASE(nothing_of_them_is_charged_to_a_stranger_who_attaches)
{
	struct owner_and_asker both = { .vm = huge_vm() };

	child_join(child_fork(attach_as_a_stranger, &both));
	cgroup_remove();
}

/* Its own attach is no other case. */
static void attach_as_the_vmm(void *arg)
{
	const long long counts_bytes = 16 * GIB / PAGE * 2;
	long long before;

	(void)arg;
	cgroup_enter();
	before = cgroup_bytes();
	wt_attach(wt_open(), huge_vm()->fd);
	CHECK(cgroup_bytes() - before > counts_bytes / 8 * 7);
}

CASE(a_vmm_that_attaches_itself_pays_for_them)
{
	child_join(child_fork(attach_as_the_vmm, NULL));
	cgroup_remove();
}

#define NR_VMS	100

static void have_many_vms(void *arg)
{
	struct owner_and_asker *both = arg;
	unsigned int i;

	cgroup_enter();
	for (i = 0; i < NR_VMS; i++)
		fd_send(both->sock[1], vm_new(1)->fd);
	byte_receive(both->sock[1]);
}

/*
 * What the module keeps of a VM, of which its vCPUs' places are the most: at
 * least 2 KiB, which the VM's owner is charged when another one adds a page.
 */
CASE_WITHIN(what_the_module_keeps_of_a_vm_is_charged_to_its_owner, 60)
{
	struct owner_and_asker both;
	long long before, charged;
	struct wt *wt[NR_VMS];
	int fds[NR_VMS];
	unsigned int i;
	pid_t child;

	socket_pair(both.sock);
	child = child_fork(have_many_vms, &both);
	for (i = 0; i < NR_VMS; i++)
		fds[i] = fd_receive(both.sock[0]);
	/* Not all that is charged: up to 64 pages for each processor are in advance. */
	before = cgroup_slab_bytes();
	for (i = 0; i < NR_VMS; i++) {
		wt[i] = wt_session(fds[i], 64, 0);
		wt_add(wt[i]->fd, VM_DATA_GFN, 1);
	}
	charged = cgroup_slab_bytes() - before;
	tap_note("%d VMs: %lld KiB charged to their owner", NR_VMS,
		 charged / 1024);
	CHECK(charged >= NR_VMS * 2048);
	for (i = 0; i < NR_VMS; i++) {
		wt_close(wt[i]);
		close(fds[i]);
	}
	byte_send(both.sock[0], 'x');
	child_join(child);
	cgroup_remove();
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	tap_trying("%s", path);
	CHECK_SYS(fd >= 0);
	CHECK_SYS(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The call, with its nth allocation failing; false when it has not so many. */
static bool fail_nth(struct abi *a, unsigned int nth, int *err)
{
	char text[16] = "";
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	int len = snprintf(text, sizeof(text), "%u", nth);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(pwrite(fd, text, len, 0) == len);
	*err = abi_make(a, a->arg);
	memset(text, 0, sizeof(text));
	CHECK_SYS(pread(fd, text, sizeof(text) - 1, 0) > 0);
	CHECK_SYS(pwrite(fd, "0", 1, 0) == 1);
	close(fd);
	return text[0] == '0';
}

#define FAR	(64ULL << 20)

/* Something to allocate for those calls that would do without. */
static void make_demanding(struct abi *a)
{
	/* KVM complains loudly of what it cannot have for memslots. */
	if (a->call->cmd == KVM_WTRACK_ATTACH)
		a->vm = vm_new_bare();
	/* The first page that is tracked far and wide. */
	if (a->call->cmd == KVM_WTRACK_ADD)
		vm_slot(a->vm, VM_SLOT_EXTRA, FAR, mem_shared(PAGE), PAGE, 0);
}

static void fill(struct abi *a)
{
	abi_fill(a);
	if (a->call->cmd == KVM_WTRACK_ADD)
		a->array.changes[0].gfn = FAR / PAGE;
}

static void fail_each(const struct abi_call *call)
{
	unsigned int nth, failed = 0;
	struct abi a;
	bool hit;
	int err;

	for (nth = 1, hit = true; hit; nth++) {
		tap_trying("%s, allocation %u", call->name, nth);
		abi_init(&a, call);
		make_demanding(&a);
		fill(&a);
		hit = fail_nth(&a, nth, &err);
		if (call->cmd == KVM_WTRACK_ADD && !err)
			err = a.array.changes[0].out_error;
		CHECK(!err || (hit && err == ENOMEM));
		failed += !!err;
		/* Whatever happened, it works now, or has been done. */
		fill(&a);
		if (err || call->state == ABI_READY)
			CHECK_ERRNO(abi_make(&a, a.arg), 0);
		abi_exit(&a);
	}
	tap_note("%s: %u of %u allocations failed", call->name, failed,
		 nth - 2);
}

static void each_allocation_fails_once(void)
{
	const struct abi_call *c;

	write_text(DEBUG "failslab/ignore-gfp-wait", "N");
	write_text(DEBUG "failslab/verbose", "0");
	write_text(DEBUG "fail_page_alloc/ignore-gfp-wait", "N");
	write_text(DEBUG "fail_page_alloc/min-order", "0");
	write_text(DEBUG "fail_page_alloc/verbose", "0");
	for_each_abi_call(c)
		fail_each(c);
}

__attribute__((constructor)) static void register_injection(void)
{
	static struct tap_case c = {
		.name = "each_allocation_of_each_call_may_fail",
		.run = each_allocation_fails_once,
		.seconds = 100,
	};

	if (!access(FAIL_NTH, F_OK))
		tap_register(&c);
}
