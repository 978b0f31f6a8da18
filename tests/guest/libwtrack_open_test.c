// SPDX-License-Identifier: GPL-2.0-or-later
/* libwtrack: every way to a session, and who does not get one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "session.h"
#include "vmm.h"
#include "wt.h"

enum { PAGES = 16, NOBODY = 65534 };

/* It is on a VM of that process, and events come. */
static void check_vm_of(struct wtrack_session *session, pid_t pid)
{
	struct wtrack_status s = session_status(session);

	CHECK_EQ(s.state, WTRACK_STATE_ATTACHED);
	CHECK_EQ(s.vm_pid, pid);
	CHECK(s.vm_id && s.session_id);
	CHECK_OK(wtrack_session_make_ring(session, 64, 0, 0, 0));
	session_track(session, PAGES);
	s = session_status(session);
	CHECK_EQ(s.state, WTRACK_STATE_ATTACHED | WTRACK_STATE_RING);
	CHECK_EQ(s.records, 64);
	CHECK_EQ(s.pages, PAGES);
}

CASE(a_vm_descriptor_is_opened_and_not_needed_any_more)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *session;
	int copy = dup(vm->fd);

	CHECK_OK(wtrack_session_open_vm_fd(copy, &session));
	CHECK(fcntl(copy, F_GETFD) >= 0);
	close(copy);
	check_vm_of(session, getpid());
	vcpu_call(v, g_store8, VM_DATA, 1, PAGES, PAGE);
	CHECK_EQ(session_drain(session), PAGES);
	wtrack_session_close(session);
}

CASE(the_vm_of_another_process_is_opened_by_pid)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wtrack_session *session, *same;

	CHECK_OK(wtrack_session_open_pid(vmm->pid, &session));
	check_vm_of(session, vmm->pid);
	vmm_tell(vmm, VMM_STORE);
	CHECK_EQ(session_drain(session), PAGES);
	CHECK_OK(wtrack_session_open_pid_fd(vmm->pid, vmm->vm_fd, &same));
	CHECK_EQ(session_status(same).vm_id, session_status(session).vm_id);
	CHECK(session_status(same).session_id >
	      session_status(session).session_id);
	wtrack_session_close(same);
	wtrack_session_close(session);
}

static uint64_t vm_id(struct vm *vm)
{
	struct wtrack_session *session;
	uint64_t id;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &session));
	id = session_status(session).vm_id;
	wtrack_session_close(session);
	return id;
}

CASE(of_two_vms_in_one_process_one_has_to_be_chosen)
{
	struct vm *a = vm_new(1), *b;
	struct wtrack_session *session = NO_SESSION, *on_a;
	int copy = dup(a->fd);

	/* Two descriptors, and still one VM. */
	CHECK_OK(wtrack_session_open_pid(getpid(), &on_a));
	b = vm_new(1);
	CHECK_WTRACK(wtrack_session_open_pid(getpid(), &session), ENOTUNIQ,
		     "several virtual machines");
	CHECK(session == NO_SESSION);
	CHECK_OK(wtrack_session_open_pid_fd(getpid(), b->fd, &session));
	CHECK_EQ(session_status(on_a).vm_id, vm_id(a));
	CHECK(session_status(session).vm_id != vm_id(a));
	wtrack_session_close(session);
	close(copy);
	vm_close(b);
	CHECK_OK(wtrack_session_open_pid(getpid(), &session));
	CHECK_EQ(session_status(session).vm_id, vm_id(a));
	wtrack_session_close(session);
	wtrack_session_close(on_a);
}

CASE(what_is_no_vm_is_refused)
{
	struct wtrack_session *s = NO_SESSION;
	struct vm *vm;

	CHECK_WTRACK(wtrack_session_open_pid(getpid(), &s), EBADFD,
		     "not a KVM virtual machine");
	CHECK_WTRACK(wtrack_session_open_pid(1, &s), EBADFD,
		     "not a KVM virtual machine");
	CHECK_WTRACK(wtrack_session_open_vm_fd(0, &s), EBADFD,
		     "not a KVM virtual machine");
	vm = vm_new(1);
	CHECK_WTRACK(wtrack_session_open_pid_fd(getpid(), vm->kvm_fd, &s),
		     EBADFD, "not a KVM virtual machine");
	CHECK_WTRACK(wtrack_session_open_pid_fd(getpid(), 999, &s), EBADF,
		     "no such open descriptor");
	CHECK_WTRACK(wtrack_session_open_vm_fd(-1, &s), EBADF,
		     "no such open descriptor");
	CHECK_WTRACK(wtrack_session_open_pid(0, &s), EINVAL, "process id");
	CHECK_WTRACK(wtrack_session_open_pid(-1, &s), EINVAL, "process id");
	CHECK_WTRACK(wtrack_session_open_pid(0x3fffff, &s), ESRCH, "gone");
	CHECK(s == NO_SESSION);
}

CASE(a_process_that_ended_and_a_vm_that_closed_are_refused)
{
	struct wtrack_session *s = NO_SESSION;
	struct vmm *vmm = vmm_fork(1);

	vmm_tell(vmm, VMM_CLOSE);
	CHECK_WTRACK(wtrack_session_open_pid(vmm->pid, &s), EBADFD,
		     "not a KVM virtual machine");
	vmm_kill(vmm);
	CHECK_WTRACK(wtrack_session_open_pid(vmm->pid, &s), ESRCH, "gone");
	CHECK(s == NO_SESSION);
}

static void as_nobody(void *arg)
{
	struct wtrack_session *s = NO_SESSION;
	const struct vmm *vmm = arg;
	struct wtrack_info info;
	int vm_fd = vmm_take_fd(vmm);

	CHECK_SYS(!setuid(NOBODY));
	CHECK_WTRACK(wtrack_session_open_pid(vmm->pid, &s), EACCES, "ptrace");
	CHECK_WTRACK(wtrack_session_open_pid_fd(vmm->pid, vmm->vm_fd, &s),
		     EACCES, "ptrace");
	CHECK_WTRACK(wtrack_session_open_vm_fd(vm_fd, &s), EACCES,
		     "access to /dev/kvm-wtrack");
	CHECK_WTRACK(wtrack_get_info(&info, sizeof(info)), EACCES,
		     "access to /dev/kvm-wtrack");
	CHECK(s == NO_SESSION);
}

CASE(another_user_is_refused)
{
	child_join(child_fork(as_nobody, vmm_fork(1)));
}

static void without_device(void *arg)
{
	struct wtrack_session *s = NO_SESSION;
	struct vm *vm = vm_new(1);
	struct wtrack_info info;

	(void)arg;
	CHECK_SYS(!chroot("/tmp"));
	CHECK_WTRACK(wtrack_session_open_vm_fd(vm->fd, &s), ENODEV,
		     "load the module");
	CHECK_WTRACK(wtrack_get_info(&info, sizeof(info)), ENODEV,
		     "load the module");
	CHECK(s == NO_SESSION);
}

CASE(where_the_device_is_missing_it_is_enodev)
{
	child_join(child_fork(without_device, NULL));
}

CASE(features_and_limits_are_those_of_the_module)
{
	struct kvm_wtrack_info i;
	struct wtrack_info info;

	wt_info(&i);
	CHECK_OK(wtrack_get_info(&info, sizeof(info)));
	CHECK_EQ(info.features, i.out_features);
	CHECK_EQ(info.max_pages, i.out_max_pages);
	CHECK_EQ(info.min_records, i.out_min_records);
	CHECK_EQ(info.max_records, i.out_max_records);
	CHECK_EQ(info.max_sessions, i.out_max_sessions);
	CHECK_EQ(info.max_users, i.out_max_users);
	CHECK_EQ(info.max_ranges, i.out_max_ranges);
	CHECK_EQ(info.max_latency_us, i.out_max_latency_us);
	CHECK_EQ(info.data_bytes, i.out_data_bytes);
	CHECK_EQ(info.max_budget, i.out_max_budget);
	CHECK_EQ(info.max_period_ms, i.out_max_period_ms);
	CHECK_EQ(info.backoff_min_ms, i.out_backoff_min_ms);
	CHECK_EQ(info.backoff_max_ms, i.out_backoff_max_ms);
}

CASE(a_session_too_many_is_eusers)
{
	struct wtrack_session *first, *second = NO_SESSION;
	struct vm *vm = vm_new(1);

	module_set_param("max_sessions", 1);
	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &first));
	CHECK_WTRACK(wtrack_session_open_vm_fd(vm->fd, &second), EUSERS,
		     "as many sessions as it may have");
	CHECK(second == NO_SESSION);
	wtrack_session_close(first);
	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &second));
	wtrack_session_close(second);
}

/* On failure the descriptor stays the caller's. */
CASE(what_is_no_session_cannot_be_taken_over)
{
	struct wtrack_session *s = NO_SESSION;
	struct vm *vm = vm_new(1);
	int fresh = wt_open();

	CHECK_WTRACK(wtrack_session_open_fd(-1, &s), EBADF,
		     "no such open descriptor");
	CHECK_WTRACK(wtrack_session_open_fd(0, &s), ENOTTY,
		     "not a descriptor of kvm-wtrack");
	CHECK_WTRACK(wtrack_session_open_fd(vm->fd, &s), ENOTTY,
		     "not a descriptor of kvm-wtrack");
	CHECK(s == NO_SESSION);
	CHECK(fcntl(0, F_GETFD) >= 0);
	CHECK(fcntl(vm->fd, F_GETFD) >= 0);
	wt_attach(fresh, vm->fd);
	CHECK_OK(wtrack_session_open_fd(fresh, &s));
	CHECK_EQ(wtrack_session_get_fd(s), fresh);
	wtrack_session_close(s);
	CHECK(fcntl(fresh, F_GETFD) < 0);
}

/* As a broker does it, and its client. */
CASE(a_session_is_restricted_passed_on_and_then_attached)
{
	const struct wtrack_restriction narrow = {
		.max_pages = 2, .rights = WTRACK_RIGHT_CHANGE,
	};
	struct wtrack_session *broker, *client;
	struct wtrack_status before, after;
	struct vm *vm = vm_new(4);
	int fd;

	CHECK_OK(wtrack_session_open(&broker));
	CHECK_OK(wtrack_session_restrict(broker, &narrow, sizeof(narrow)));
	CHECK_OK(wtrack_session_get_status(broker, &before, sizeof(before)));
	CHECK(before.session_id && !before.vm_id);
	fd = fcntl(wtrack_session_get_fd(broker), F_DUPFD_CLOEXEC, 0);
	wtrack_session_close(broker);

	CHECK_OK(wtrack_session_open_fd(fd, &client));
	CHECK_WTRACK(wtrack_session_make_ring(client, 64, 0, 0, 0), ENOTCONN,
		     "has no VM");
	CHECK_WTRACK(wtrack_session_attach(client, 0), EBADFD,
		     "not a KVM virtual machine");
	CHECK_OK(wtrack_session_attach(client, vm->fd));
	CHECK_WTRACK(wtrack_session_attach(client, vm->fd), EISCONN,
		     "has a VM already");
	CHECK_OK(wtrack_session_get_status(client, &after, sizeof(after)));
	CHECK_EQ(after.session_id, before.session_id);
	CHECK(after.vm_id);
	CHECK_EQ(after.rights, WTRACK_RIGHT_CHANGE);
	CHECK_EQ(after.max_pages, 2);
	wtrack_session_close(client);
}
