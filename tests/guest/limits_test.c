// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits, each at its boundary: the last that is allowed and the next one. */
#include <sys/resource.h>
#include <unistd.h>

#include "module.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 16, FEW = 5 };

/* Sets a parameter for the time of a block of code. */
static void with_param(const char *param, uint64_t value,
		       void (*fn)(uint64_t value))
{
	uint64_t old = module_param(param);

	module_set_param(param, value);
	fn(value);
	module_set_param(param, old);
	CHECK_EQ(module_param(param), old);
}

static void fill_page_limit(uint64_t limit)
{
	struct vm *vm = vm_new(PAGES);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = PAGES };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, 0);

	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(c.out_done, limit);
	CHECK_EQ(c.out_changed, limit);
	CHECK_EQ(c.out_error_gfn, VM_DATA_GFN + limit);
	CHECK_ERRNO(c.out_error, ENOSPC);
	CHECK_EQ(a.out_failed_pages, PAGES - limit);
	/* What is tracked already is no new page. */
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), 0);
	wt_add(other->fd, VM_DATA_GFN + PAGES - limit, limit);
	wt_remove(wt->fd, VM_DATA_GFN, 1);
	wt_add(wt->fd, VM_DATA_GFN + PAGES - 1, 1);
}

CASE(more_pages_than_a_session_may_track_are_enospc)
{
	with_param("max_pages", FEW, fill_page_limit);
}

static void fill_session_limit(uint64_t limit)
{
	struct vm *vm = vm_new(1), *other = vm_new(1);
	struct wt *wt[FEW];
	WT_ARG(attach, a, .vm_fd = vm->fd);
	unsigned int i;
	int fd = wt_open();

	for (i = 0; i < limit; i++)
		wt[i] = wt_session(vm->fd, 64, 0);
	CHECK_ERRNO(__wt_attach(fd, &a), EUSERS);
	wt_close(wt_session(other->fd, 64, 0));
	wt_close(wt[2]);
	CHECK_ERRNO(__wt_attach(fd, &a), 0);
}

CASE(more_sessions_than_a_vm_may_have_are_eusers)
{
	with_param("max_sessions", FEW, fill_session_limit);
}

static void fill_user_limit(uint64_t limit)
{
	struct vm *vm = vm_new(2);
	struct wt *wt[FEW + 1];
	unsigned int i;

	for (i = 0; i <= limit; i++) {
		wt[i] = wt_session(vm->fd, 64, 0);
		CHECK_ERRNO(__wt_add_page(wt[i]->fd, VM_DATA_GFN),
			    i < limit ? 0 : EOVERFLOW);
	}
	CHECK_EQ(wt_users(wt[0]->fd, VM_DATA_GFN), limit);
	CHECK(!wt_tracked(wt[limit]->fd, VM_DATA_GFN));
	wt_add(wt[limit]->fd, VM_DATA_GFN + 1, 1);
	wt_close(wt[1]);
	wt_add(wt[limit]->fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_users(wt[0]->fd, VM_DATA_GFN), limit);
}

CASE(more_users_of_a_gfn_than_there_may_be_are_eoverflow)
{
	with_param("max_users", FEW, fill_user_limit);
}

static void check_ring_limit(uint64_t limit)
{
	struct vm *vm = vm_new(1);
	struct kvm_wtrack_info info;
	WT_ARG(ring, ring, .records = limit * 2);
	int fd = wt_open();

	wt_info(&info);
	CHECK_EQ(info.out_max_records, limit);
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &ring), ERANGE);
	ring.records = limit;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

CASE(more_records_than_a_ring_may_have_are_erange)
{
	with_param("max_records", 256, check_ring_limit);
}

static void info_follows(uint64_t value)
{
	struct kvm_wtrack_info i;

	wt_info(&i);
	CHECK_EQ(i.out_max_pages, module_param("max_pages"));
	CHECK_EQ(i.out_max_sessions, module_param("max_sessions"));
	CHECK_EQ(i.out_max_users, module_param("max_users"));
	CHECK_EQ(i.out_max_records, module_param("max_records"));
	CHECK_EQ(i.out_backoff_min_ms, module_param("guard_min_ms"));
	CHECK_EQ(i.out_backoff_max_ms, module_param("guard_max_ms"));
	(void)value;
}

CASE(info_reports_the_parameters)
{
	with_param("max_pages", 1234, info_follows);
	with_param("max_sessions", 12, info_follows);
	with_param("max_users", 34, info_follows);
	with_param("max_records", 4096, info_follows);
	with_param("guard_min_ms", 56, info_follows);
	with_param("guard_max_ms", 789, info_follows);
}

static void check_bound(const char *param, const char *beyond)
{
	uint64_t old = module_param(param);

	tap_trying("%s = %s", param, beyond);
	CHECK(module_try_param(param, beyond) != 0);
	CHECK_EQ(module_param(param), old);
}

CASE(parameters_have_hard_bounds)
{
	static const char * const params[] = {
		"max_pages", "max_sessions", "max_users", "max_records",
		"guard_min_ms", "guard_max_ms",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		check_bound(params[i], "0");
		check_bound(params[i], "-1");
		check_bound(params[i], "18446744073709551615");
	}
	check_bound("max_users", "1025");
	check_bound("max_sessions", "1025");
	check_bound("max_records", "32");
	check_bound("max_records", "2097152");
	check_bound("guard_min_ms", "7");
	check_bound("guard_min_ms", "4001");
	check_bound("guard_max_ms", "7");
	check_bound("guard_max_ms", "4001");
}
