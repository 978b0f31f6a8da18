// SPDX-License-Identifier: GPL-2.0-or-later
/* The descriptor is the capability: whoever holds it, holds the session. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "mirror.h"
#include "tap.h"
#include "vmm.h"

enum { PAGES = 16, NOBODY = 65534 };

static void drop_privilege(void)
{
	CHECK_SYS(!setgroups(0, NULL));
	CHECK_SYS(!setresgid(NOBODY, NOBODY, NOBODY));
	CHECK_SYS(!setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_SYS(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(setuid(0) < 0);
	CHECK(open(KVM_WTRACK_DEVICE, O_RDWR) < 0);
	CHECK_ERRNO(errno, EACCES);
}

static struct wt *use_received(int fd)
{
	WT_ARG(ring, ring, .records = 64);

	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	wt_add(fd, VM_DATA_GFN, PAGES);
	return wt_from_fd(fd);
}

static void read_one(int fd, uint64_t value)
{
	struct kvm_wtrack_record r;

	CHECK_SYS(read(fd, &r, sizeof(r)) == sizeof(r));
	CHECK_EQ(*(uint64_t *)r.data, value);
}

/* Another user, in another process: everything works but opening anew. */
static void other_user(void *arg)
{
	int sock = *(int *)arg, fd;
	uint64_t taken = 0;
	struct wt *wt;

	drop_privilege();
	fd = fd_receive(sock);
	wt = use_received(fd);
	byte_send(sock, 'a');
	read_one(fd, 1);
	wt->next = 1;
	CHECK_SOON((taken += wt_drain(wt)) == PAGES - 1);
	wt_remove_fence(fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_query_pages(fd), PAGES - 1);
	CHECK_EQ(wt_users(fd, VM_DATA_GFN + 1), 1);
	byte_send(sock, 'b');
	/* The one who passed it has closed it, and the session lives on. */
	CHECK_EQ(byte_receive(sock), 'c');
	CHECK_EQ(wt_drain(wt), PAGES - 1);
	byte_send(sock, 'd');
}

CASE(another_user_needs_no_privilege_to_use_a_descriptor)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *other;
	int sock[2], fd;
	pid_t pid;

	socket_pair(sock);
	pid = child_fork(other_user, &sock[1]);
	fd = wt_open();
	wt_attach(fd, vm->fd);
	fd_send(sock[0], fd);
	CHECK_EQ(byte_receive(sock[0]), 'a');
	vcpu_call(v, g_store8, VM_DATA, 1, PAGES, PAGE);
	CHECK_EQ(byte_receive(sock[0]), 'b');
	close(fd);
	vcpu_call(v, g_store8, VM_DATA, 1, PAGES, PAGE);
	byte_send(sock[0], 'c');
	CHECK_EQ(byte_receive(sock[0]), 'd');
	child_join(pid);
	other = wt_session(vm->fd, 64, 0);
	CHECK_SOON(!wt_users(other->fd, VM_DATA_GFN + 1));
}

/* Attaches to the VMM, passes the session on and exits. */
static void broker(void *arg)
{
	struct vmm *vmm = ((void **)arg)[0];
	int sock = *(int *)((void **)arg)[1], fd = wt_open();
	int vm_fd = vmm_take_fd(vmm);
	WT_ARG(restrict, limit, .max_pages = PAGES, .rights = ~0ULL);

	wt_attach(fd, vm_fd);
	CHECK_ERRNO(__wt_restrict(fd, &limit), 0);
	fd_send(sock, fd);
}

CASE(a_session_outlives_the_broker_that_opened_it)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int sock[2];
	void *args[] = { vmm, &sock[1] };
	struct mirror m;
	struct wt *wt;
	pid_t pid;

	socket_pair(sock);
	pid = child_fork(broker, args);
	child_join(pid);
	wt = use_received(fd_receive(sock[0]));
	mirror_init(&m, wt, vmm->data, PAGES);
	vmm_tell(vmm, VMM_STORE);
	vmm_tell(vmm, VMM_STORE);
	mirror_finish(&m);
	CHECK_EQ(m.writes, 2 * PAGES);
}

/* A descriptor on its way in a socket is a holder, too. */
CASE(a_descriptor_in_flight_keeps_the_session)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, 0);
	int sock[2];

	socket_pair(sock);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	fd_send(sock[0], wt->fd);
	wt_close(wt);
	sleep_ms(50);
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 1);
	close(sock[0]);
	close(sock[1]);
	CHECK_SOON(!wt_users(other->fd, VM_DATA_GFN));
}

static void hold_until_killed(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

CASE(the_death_of_the_last_holder_untracks)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *other = wt_session(vm->fd, 64, 0);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	pid_t pid;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	pid = child_fork(hold_until_killed, NULL);
	wt_close(wt);
	sleep_ms(20);
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 1);
	CHECK_SYS(!kill(pid, SIGKILL));
	CHECK_SOON(!wt_users(other->fd, VM_DATA_GFN));
}

CASE(the_device_is_for_root_alone)
{
	struct stat st;

	CHECK_SYS(!stat(KVM_WTRACK_DEVICE, &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(st.st_uid, 0);
}
