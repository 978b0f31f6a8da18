// SPDX-License-Identifier: GPL-2.0-or-later
/* As many users of one gfn as there can be: a vCPU goes through all of them. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guest.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

enum { MOST = 1024 };

static void allow_descriptors(unsigned int nr)
{
	struct rlimit r = { nr, nr };

	CHECK_SYS(!setrlimit(RLIMIT_NOFILE, &r));
}

static int session(struct vm *vm)
{
	WT_ARG(ring, ring, .records = 64);
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	return fd;
}

static void read_store(int fd, uint64_t seq, uint64_t value)
{
	struct kvm_wtrack_record r;

	CHECK_SYS(read(fd, &r, sizeof(r)) == sizeof(r));
	CHECK_EQ(r.seq, seq);
	CHECK_EQ(*(uint64_t *)r.data, value);
}

CASE_WITHIN(a_gfn_has_1024_users_and_each_gets_the_store, 60)
{
	const unsigned int nr = MOST;
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	int *fd = calloc(nr, sizeof(*fd)), beyond;
	WT_ARG(attach, attach, .vm_fd = vm->fd);
	uint64_t before;
	unsigned int i;

	allow_descriptors(nr + 100);
	CHECK_EQ(module_param("max_sessions"), MOST);
	CHECK_EQ(module_param("max_users"), MOST);
	for (i = 0; i < nr; i++) {
		tap_trying("session %u", i);
		fd[i] = session(vm);
		wt_add(fd[i], VM_DATA_GFN, 1);
	}
	CHECK_EQ(wt_users(fd[0], VM_DATA_GFN), nr);
	beyond = wt_open();
	CHECK_ERRNO(__wt_attach(beyond, &attach), EUSERS);
	before = clock_ns();
	vcpu_call(v, g_store8, VM_DATA, 4711, 1, 0);
	tap_note("a store that %u sessions track: %llu us", nr,
		 (unsigned long long)(clock_ns() - before) / 1000);
	for (i = 0; i < nr; i++)
		read_store(fd[i], 1, 4711);
	for (i = 1; i < nr; i++)
		close(fd[i]);
	CHECK_EQ(wt_users(fd[0], VM_DATA_GFN), 1);
	vcpu_call(v, g_store8, VM_DATA, 4712, 1, 0);
	read_store(fd[0], 2, 4712);
	CHECK_ERRNO(__wt_attach(beyond, &attach), 0);
}
