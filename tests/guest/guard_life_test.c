// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages, sessions and VMs that go while pages are disarmed and are to be armed
 * again. What a case leaves behind is checked after each of them.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "trip.h"

enum { PAGES = 40 };

static void set_bounds(unsigned int ms)
{
	module_set_param("guard_min_ms", ms);
	module_set_param("guard_max_ms", ms);
}

/* To trip all pages within. */
static unsigned int enough(unsigned int ms)
{
	return host_is_debug() ? 4 * ms : ms;
}

static void trip_all(struct trip *t)
{
	trip_init_plain(t, PAGES);
	vcpu_call(t->v, g_fstp, VM_DATA, PAGE, PAGES);
	mirror_step(&t->mirror);
	CHECK_EQ(mirror_guard(&t->mirror, KVM_WTRACK_GUARD_DISARMED), PAGES);
}

static void all_disarmed(struct trip *t)
{
	trip_all(t);
	CHECK_EQ(mirror_disarmed(&t->mirror), PAGES);
}

CASE(a_page_that_is_removed_while_disarmed_is_not_armed_again)
{
	struct kvm_wtrack_record r;
	struct trip t;

	set_bounds(enough(200));
	all_disarmed(&t);
	wt_remove(t.wt->fd, VM_DATA_GFN, PAGES);
	CHECK_EQ(wt_query_pages(t.wt->fd), 0);
	sleep_ms(enough(400));
	vcpu_call(t.v, g_store8, VM_DATA, 1, PAGES, PAGE);
	while (wt_take(t.wt, &r))
		CHECK(r.type != KVM_WTRACK_RECORD_WRITE);
}

CASE(a_page_removed_and_added_while_disarmed_is_exact)
{
	struct trip t;

	set_bounds(4000);
	all_disarmed(&t);
	wt_remove(t.wt->fd, VM_DATA_GFN, PAGES);
	wt_drain(t.wt);
	wt_add(t.wt->fd, VM_DATA_GFN, PAGES);
	CHECK_EQ(trip_state(&t, 0), KVM_WTRACK_GFN_TRACKED);
	mirror_exit(&t.mirror);
	wt_drain(t.wt);
	mirror_init(&t.mirror, t.wt, t.vm->data, PAGES);
	trip_check_armed(&t, 0);
	trip_check_armed(&t, PAGES - 1);
	mirror_finish(&t.mirror);
}

/* Somebody new wants what is disarmed for somebody else. */
CASE(a_second_session_arms_what_it_adds_for_both)
{
	struct trip t;
	struct wt *other;

	set_bounds(4000);
	all_disarmed(&t);
	other = wt_session(t.vm->fd, 4096, 0);
	wt_add(other->fd, VM_DATA_GFN, PAGES / 2);
	mirror_step(&t.mirror);
	CHECK_EQ(mirror_disarmed(&t.mirror), PAGES - PAGES / 2);
	trip_check_armed(&t, 0);
	CHECK_EQ(wt_drain(other), 3);
}

CASE(a_region_that_goes_while_disarmed_takes_its_pages_along)
{
	struct trip t;

	set_bounds(enough(300));
	all_disarmed(&t);
	vm_slot(t.vm, VM_SLOT_DATA, VM_DATA, t.vm->data, 0, 0);
	CHECK_EQ(wt_query_pages(t.wt->fd), 0);
	sleep_ms(enough(500));
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.regions, 1);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_REARMED), 0);
	vm_slot(t.vm, VM_SLOT_DATA, VM_DATA, t.vm->data, PAGES * PAGE, 0);
	vcpu_call(t.v, g_store8, VM_DATA, 1, PAGES, PAGE);
	CHECK(!wt_peek(t.wt));
	wt_add(t.wt->fd, VM_DATA_GFN, PAGES);
	mirror_exit(&t.mirror);
	mirror_init(&t.mirror, t.wt, t.vm->data, PAGES);
	trip_check_armed(&t, 3);
}

CASE(a_session_that_is_closed_leaves_the_others_theirs)
{
	struct trip t;
	struct wt *other;

	set_bounds(300);
	trip_init_plain(&t, PAGES);
	other = wt_session(t.vm->fd, 4096, 0);
	wt_add(other->fd, VM_DATA_GFN, PAGES);
	vcpu_call(t.v, g_fstp, VM_DATA, PAGE, PAGES);
	wt_close(other);
	mirror_step(&t.mirror);
	mirror_rearmed(&t.mirror);
	trip_check_armed(&t, 0);
	mirror_finish(&t.mirror);
}

static long long slab_objects(const char *cache)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/kvm_wtrack_%s/shrink",
		 cache);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_SYS(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
	snprintf(path, sizeof(path), "/sys/kernel/slab/kvm_wtrack_%s/objects",
		 cache);
	return file_number(path);
}

static void check_nothing_held(void)
{
	CHECK_SOON(slab_objects("chunk") == 0);
	CHECK_SOON(slab_objects("span") == 0);
}

/* Trips, hands its session over and dies; pages wait to be armed. */
static void trip_and_die(void *arg)
{
	struct trip t;

	all_disarmed(&t);
	fd_send(*(int *)arg, t.wt->fd);
	byte_receive(*(int *)arg);
	kill(getpid(), SIGKILL);
}

CASE(a_vm_that_is_killed_while_pages_are_disarmed_is_gone)
{
	struct kvm_wtrack_status s;
	int sock[2], fd;
	pid_t pid;

	set_bounds(enough(1000));
	socket_pair(sock);
	pid = child_fork(trip_and_die, &sock[1]);
	fd = fd_receive(sock[0]);
	byte_send(sock[0], 'k');
	CHECK_SOON((wt_status(fd, &s), s.out_state &
		    KVM_WTRACK_STATE_VM_GONE));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	sleep_ms(enough(1200));
	wt_status(fd, &s);
	CHECK_EQ(s.out_rearms, 0);
	close(fd);
	check_nothing_held();
}

CASE(sessions_and_vms_that_end_while_disarmed_give_all_memory_back)
{
	struct trip t;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		set_bounds(i % 2 ? 8 : 300);
		trip_all(&t);
		sleep_ms(i);
		if (i % 3 == 0)
			vm_slot(t.vm, VM_SLOT_DATA, VM_DATA, t.vm->data, 0, 0);
		wt_close(t.wt);
		mirror_exit(&t.mirror);
		if (i % 2) {
			vcpu_close(t.v);
			vm_close(t.vm);
		}
	}
	check_nothing_held();
}
