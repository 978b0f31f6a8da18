// SPDX-License-Identifier: GPL-2.0-or-later
/* What administrators see: dumps and notices of the generic netlink family. */
#define _GNU_SOURCE
#include <linux/kvm_wtrack_genl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "genl.h"
#include "guest.h"
#include "tap.h"
#include "wt.h"

#define PAGES	4096ULL

/* The last message of a dump, and how many there were. */
struct seen {
	unsigned int nr;
	uint64_t pages;
	struct nlattr *attrs[KVM_WTRACK_A_MAX + 1];
	uint64_t want_session;
	bool found;
	uint32_t opener_pid, vm_pid, sessions;
	uint64_t vm_pages, vm_writes;
	uint64_t session_pages, memory_bytes, events;
	uint64_t disarms, over_budget, rearms, unreported;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct seen *seen = arg;
	struct nlattr **a = seen->attrs;

	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, a, KVM_WTRACK_A_MAX, NULL));
	seen->nr++;
	if (a[KVM_WTRACK_A_GFN] && a[KVM_WTRACK_A_NR_PAGES])
		seen->pages += nla_get_u64(a[KVM_WTRACK_A_NR_PAGES]);
	if (a[KVM_WTRACK_A_SESSIONS]) {
		seen->sessions = nla_get_u32(a[KVM_WTRACK_A_SESSIONS]);
		seen->vm_pid = nla_get_u32(a[KVM_WTRACK_A_VM_PID]);
		seen->vm_pages = nla_get_u64(a[KVM_WTRACK_A_PAGES]);
		seen->vm_writes = nla_get_u64(a[KVM_WTRACK_A_WRITES]);
	}
	if (a[KVM_WTRACK_A_OPENER_PID] &&
	    nla_get_u64(a[KVM_WTRACK_A_SESSION_ID]) == seen->want_session) {
		seen->found = true;
		seen->opener_pid = nla_get_u32(a[KVM_WTRACK_A_OPENER_PID]);
		seen->session_pages = nla_get_u64(a[KVM_WTRACK_A_PAGES]);
		seen->memory_bytes =
			nla_get_u64(a[KVM_WTRACK_A_MEMORY_BYTES]);
		seen->events = nla_get_u64(a[KVM_WTRACK_A_EVENTS]);
		seen->disarms = nla_get_u64(a[KVM_WTRACK_A_DISARMS]);
		seen->over_budget = nla_get_u64(a[KVM_WTRACK_A_OVER_BUDGET]);
		seen->rearms = nla_get_u64(a[KVM_WTRACK_A_REARMS]);
		seen->unreported = nla_get_u64(a[KVM_WTRACK_A_UNREPORTED]);
	}
	return NL_OK;
}

/* Returns libnl's error, 0 for none. */
static int dump(int cmd, uint64_t session, struct seen *seen)
{
	struct nl_msg *msg = nlmsg_alloc();
	int family, r;
	struct nl_sock *sock = genl_open(&family);

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, seen);
	CHECK(genlmsg_put(msg, 0, 0, family, 0, NLM_F_DUMP, cmd,
			  KVM_WTRACK_GENL_VERSION));
	if (session)
		CHECK(!nla_put_u64(msg, KVM_WTRACK_A_SESSION_ID, session));
	CHECK(nl_send_auto(sock, msg) >= 0);
	r = nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return r;
}

static uint64_t session_id(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_session_id;
}

CASE(dumps_tell_of_vms_and_sessions_what_status_tells)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, 0);
	struct vcpu *vcpu = vcpu_new(vm);
	struct seen vms = {}, sessions = { .want_session = session_id(wt->fd) };

	wt_add(wt->fd, VM_DATA_GFN + 7, 12);
	vcpu_call(vcpu, g_store8, VM_DATA + 7 * PAGE, 1, 5, 8);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_VM, 0, &vms), 0);
	CHECK_EQ(vms.nr, 1);
	CHECK_EQ(vms.sessions, 2);
	CHECK_EQ(vms.vm_pid, getpid());
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &sessions), 0);
	CHECK_EQ(sessions.nr, 2);
	CHECK(sessions.found);
	CHECK_EQ(sessions.opener_pid, getpid());
	CHECK_EQ(sessions.session_pages, 12);
	CHECK_EQ(sessions.events, 5);
	wt_close(other);
}

static void check_vm(uint64_t pages, uint64_t writes)
{
	struct seen seen = {};

	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_VM, 0, &seen), 0);
	CHECK_EQ(seen.nr, 1);
	CHECK_EQ(seen.vm_pages, pages);
	CHECK_EQ(seen.vm_writes, writes);
}

/* Each session has another kind of ring, so that each way of the hook counts. */
CASE(pages_and_writes_of_a_vm_are_those_of_the_guest)
{
	static const uint32_t flags[] = { 0, KVM_WTRACK_RING_F_COALESCE,
					  KVM_WTRACK_RING_F_ONCE };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *vcpu = vcpu_new(vm), *other = vcpu_new(vm);
	struct wt *wt[3];
	uint64_t writes = 0;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		wt[i] = wt_session(vm->fd, 64, flags[i]);
		check_vm(i ? 10 + i - 1 : 0, writes);
		wt_add(wt[i]->fd, VM_DATA_GFN + i, 10);
		check_vm(10 + i, writes);
		vcpu_call(vcpu, g_store8, VM_DATA + 5 * PAGE, 1, 40, 8);
		vcpu_call(other, g_store8, VM_DATA + 6 * PAGE, 1, 3, 8);
		writes += 43;
		check_vm(10 + i, writes);
	}
	/* Pages that no session tracks. */
	vcpu_call(vcpu, g_store8, VM_DATA + 100 * PAGE, 1, 40, 8);
	check_vm(12, writes);
	wt_close(wt[1]);
	check_vm(12, writes);
	wt_close(wt[0]);
	check_vm(10, writes);
	wt_remove(wt[2]->fd, VM_DATA_GFN + 2, 4);
	check_vm(6, writes);
	wt_close(wt[2]);
}

static void check_removed(uint32_t flags, uint64_t left)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, flags);

	wt_add(wt->fd, VM_DATA_GFN + 1000, 100);
	wt_add(other->fd, VM_DATA_GFN + 1050, 100);
	check_vm(150, 0);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, NULL, 0, 0);
	check_vm(left, 0);
	wt_close(wt);
	wt_close(other);
	vm_close(vm);
}

CASE(pages_of_a_vm_go_with_their_memory_unless_a_session_keeps_them)
{
	check_removed(0, 0);
	check_removed(KVM_WTRACK_RING_F_STICKY, 100);
}

/* In a pid namespace of its own: its VMM is pid 1, others are not seen. */
static void dump_from_inside(void *arg)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct seen vms = {}, own = { .want_session = session_id(wt->fd) };
	struct seen outer = { .want_session = *(uint64_t *)arg };

	CHECK_EQ(getpid(), 1);
	/* The last message is that of the newest VM. */
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_VM, 0, &vms), 0);
	CHECK_EQ(vms.nr, 2);
	CHECK_EQ(vms.vm_pid, 1);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &own), 0);
	CHECK(own.found);
	CHECK_EQ(own.opener_pid, 1);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &outer), 0);
	CHECK(outer.found);
	CHECK_EQ(outer.opener_pid, 0);
}

CASE(pids_are_those_of_the_namespace_of_who_asks)
{
	struct wt *wt = wt_session(vm_new(1)->fd, 64, 0);
	uint64_t id = session_id(wt->fd);

	CHECK_SYS(!unshare(CLONE_NEWPID));
	child_join(child_fork(dump_from_inside, &id));
}

CASE(a_dump_of_sessions_tells_what_the_guard_did)
{
	struct vm *vm = vm_new(3);
	struct wt *wt = wt_session_budget(vm->fd, 64, 0, 5, 4000);
	struct vcpu *vcpu = vcpu_new(vm);
	struct seen seen = { .want_session = session_id(wt->fd) };
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 3);
	for (i = 0; i < 3; i++)
		vcpu_call(vcpu, g_store8, VM_DATA + i * PAGE, 1, 10, 8);
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), 0);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &seen), 0);
	CHECK(seen.found);
	CHECK_EQ(seen.disarms, 3);
	CHECK_EQ(seen.over_budget, 3);
	CHECK_EQ(seen.rearms, 1);
	CHECK_EQ(seen.unreported, 0);
}

CASE(a_dump_of_ranges_goes_over_many_messages_and_has_them_all)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, 0);
	struct seen seen = {};
	unsigned int i;

	wt_add(other->fd, VM_DATA_GFN, PAGES);
	for (i = 0; i < 1500; i++)
		wt_add(wt->fd, VM_DATA_GFN + 2 * i, 1);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_RANGE, session_id(wt->fd), &seen), 0);
	CHECK_EQ(seen.nr, 1500);
	CHECK_EQ(seen.pages, 1500);
}

CASE(a_dump_of_ranges_needs_a_session)
{
	struct seen seen = {};

	CHECK_EQ(-dump(KVM_WTRACK_CMD_GET_RANGE, 0, &seen), NLE_INVAL);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_RANGE, 1ULL << 60, &seen), 0);
	CHECK_EQ(seen.nr, 0);
}

static int join_group(struct nl_sock *sock)
{
	int group = genl_ctrl_resolve_grp(sock, KVM_WTRACK_GENL_NAME,
					  KVM_WTRACK_GENL_GROUP);

	CHECK(group >= 0);
	return nl_socket_add_membership(sock, group);
}

CASE(who_is_no_administrator_gets_neither_dumps_nor_notices)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct seen seen = {};
	int family, status;
	pid_t pid = fork();

	CHECK_SYS(pid >= 0);
	if (!pid) {
		CHECK_SYS(!setuid(65534));
		CHECK_EQ(-dump(KVM_WTRACK_CMD_GET_VM, 0, &seen), NLE_PERM);
		CHECK_EQ(-dump(KVM_WTRACK_CMD_GET_SESSION, 0, &seen), NLE_PERM);
		CHECK_EQ(-dump(KVM_WTRACK_CMD_GET_RANGE, 1, &seen), NLE_PERM);
		CHECK(join_group(genl_open(&family)) < 0);
		CHECK_EQ(seen.nr, 0);
		_exit(0);
	}
	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	wt_close(wt);
}

/* Notices as they come, each one a letter of its event. */
static char notices[16];
static unsigned int nr_notices;
/* Of those of the guard: the sum, and what the last one said. */
static uint64_t disarms, disarmed_gfn, disarmed_vm;
static uint32_t disarm_cause, disarmed_pid;

/* It is of a VM and not of a session. */
static void note_guard(struct nlattr **a)
{
	CHECK(!a[KVM_WTRACK_A_SESSION_ID]);
	disarms += nla_get_u64(a[KVM_WTRACK_A_DISARMS]);
	disarmed_gfn = nla_get_u64(a[KVM_WTRACK_A_GFN]);
	disarmed_vm = nla_get_u64(a[KVM_WTRACK_A_VM_ID]);
	disarmed_pid = nla_get_u32(a[KVM_WTRACK_A_VM_PID_INIT]);
	disarm_cause = nla_get_u32(a[KVM_WTRACK_A_CAUSE]);
}

static int on_notice(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[KVM_WTRACK_A_MAX + 1];
	uint8_t event;

	(void)arg;
	CHECK(!genlmsg_parse(nlmsg_hdr(msg), 0, a, KVM_WTRACK_A_MAX, NULL));
	CHECK(a[KVM_WTRACK_A_EVENT] && a[KVM_WTRACK_A_VM_ID]);
	event = nla_get_u8(a[KVM_WTRACK_A_EVENT]);
	CHECK(event <= KVM_WTRACK_EVENT_GUARD);
	if (event == KVM_WTRACK_EVENT_GUARD)
		note_guard(a);
	else
		CHECK(a[KVM_WTRACK_A_SESSION_ID]);
	CHECK(nr_notices < sizeof(notices) - 1);
	notices[nr_notices++] = "?adgor!"[event];
	return NL_OK;
}

static void expect_notice(struct nl_sock *sock, char event)
{
	unsigned int had = nr_notices;

	CHECK_EQ(nl_recvmsgs_default(sock), 0);
	CHECK_EQ(nr_notices, had + 1);
	CHECK_EQ(notices[had], event);
}

static struct nl_sock *listen_for_notices(void)
{
	int family;
	struct nl_sock *sock = genl_open(&family);

	nl_socket_disable_seq_check(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_notice, NULL);
	CHECK(!join_group(sock));
	return sock;
}

CASE(notices_tell_what_happens_to_a_session)
{
	struct nl_sock *sock = listen_for_notices();
	struct vm *vm = vm_new(PAGES);
	struct vcpu *vcpu = vcpu_new(vm);
	struct wt *wt;

	wt = wt_session(vm->fd, 64, 0);
	expect_notice(sock, 'a');
	wt_add(wt->fd, VM_DATA_GFN, 4);
	vcpu_call(vcpu, g_store8, VM_DATA, 1, 100, 8);
	expect_notice(sock, 'o');
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, NULL, 0, 0);
	expect_notice(sock, 'r');
	vcpu_close(vcpu);
	vm_close(vm);
	expect_notice(sock, 'g');
	wt_close(wt);
	expect_notice(sock, 'd');
}

static void *close_it(void *arg)
{
	CHECK_SYS(!close(*(int *)arg));
	return NULL;
}

/* Who is told may let somebody else have as much at once. */
CASE(a_session_that_is_told_to_be_closed_tracks_nothing_any_more)
{
	struct nl_sock *sock = listen_for_notices();
	struct vm *vm = vm_new(PAGES);
	WT_ARG(ring, ring, .records = 64);
	struct wt *other = wt_session(vm->fd, 64, 0);
	pthread_t thread;
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	wt_add(fd, VM_DATA_GFN, PAGES);
	expect_notice(sock, 'a');
	expect_notice(sock, 'a');
	CHECK(!pthread_create(&thread, NULL, close_it, &fd));
	expect_notice(sock, 'd');
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN + PAGES - 1), 0);
	CHECK(!pthread_join(thread, NULL));
}

static int restricted(void)
{
	WT_ARG(restrict, r, .max_pages = 1, .rights = ~0ULL);
	int fd = wt_open();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	return fd;
}

CASE(a_session_that_was_restricted_is_told_of_before_it_has_a_vm)
{
	struct nl_sock *sock = listen_for_notices();
	struct vm *vm = vm_new(PAGES);
	int plain = wt_open(), fd = restricted(), gone = restricted();
	struct seen seen = {}, later = {}, last = {};
	uint64_t id = session_id(fd);

	CHECK_EQ(session_id(plain), 0);
	CHECK(id && session_id(gone) > id);
	seen.want_session = later.want_session = id;
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &seen), 0);
	CHECK_EQ(seen.nr, 2);
	CHECK(seen.found);
	CHECK_EQ(seen.opener_pid, getpid());
	CHECK(seen.memory_bytes);
	CHECK_SYS(!close(gone));
	expect_notice(sock, 'd');
	wt_attach(fd, vm->fd);
	expect_notice(sock, 'a');
	CHECK_EQ(session_id(fd), id);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &later), 0);
	CHECK_EQ(later.nr, 1);
	CHECK(later.found);
	CHECK_SYS(!close(fd));
	expect_notice(sock, 'd');
	CHECK_SYS(!close(plain));
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &last), 0);
	CHECK_EQ(last.nr, 0);
}

/* A dump goes on behind the id that it ended with, in many messages. */
CASE(sessions_that_attach_in_another_order_are_all_dumped)
{
	enum { SESSIONS = 60 };
	struct vm *vm = vm_new(PAGES);
	struct seen seen = {};
	int i, fds[SESSIONS];

	for (i = 0; i < SESSIONS; i++)
		fds[i] = restricted();
	/* Every third stays as it is, the others come from both ends. */
	for (i = SESSIONS - 1; i >= 0; i--)
		if (i % 3 == 1)
			wt_attach(fds[i], vm->fd);
	for (i = 0; i < SESSIONS; i++)
		if (i % 3 == 2)
			wt_attach(fds[i], vm->fd);
	CHECK_EQ(dump(KVM_WTRACK_CMD_GET_SESSION, 0, &seen), 0);
	CHECK_EQ(seen.nr, SESSIONS);
	for (i = 0; i < SESSIONS; i++)
		CHECK_SYS(!close(fds[i]));
}

/* Several pages at a time may be one notice, or one each. */
CASE(notices_tell_which_page_the_guard_has_disarmed_and_why)
{
	struct nl_sock *sock = listen_for_notices();
	struct vm *vm = vm_new(PAGES);
	struct vcpu *vcpu = vcpu_new(vm);
	struct wt *wt = wt_session_budget(vm->fd, 64, 0, 5, 4000);
	struct kvm_wtrack_status s;
	unsigned int i;

	expect_notice(sock, 'a');
	wt_add(wt->fd, VM_DATA_GFN, 3);
	for (i = 0; i < 3; i++)
		vcpu_call(vcpu, g_store8, VM_DATA + i * PAGE, 1, 5, 8);
	while (disarms < 3)
		expect_notice(sock, '!');
	CHECK_EQ(disarms, 3);
	CHECK_EQ(disarmed_gfn, VM_DATA_GFN + 2);
	CHECK_EQ(disarm_cause, KVM_WTRACK_CAUSE_BUDGET);
	CHECK_EQ(disarmed_pid, getpid());
	wt_status(wt->fd, &s);
	CHECK_EQ(disarmed_vm, s.out_vm_id);
	CHECK_EQ(s.out_disarms, 3);
}
