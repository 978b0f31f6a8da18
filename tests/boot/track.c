// SPDX-License-Identifier: GPL-2.0-or-later
/* Beginning and end of a copy. */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"

enum {
	RECORDS = 65536, WATERMARK = 1024, LATENCY_US = 2000,
	BUDGET = 64, PERIOD_MS = 50,
	FINISH_MS = 60000, WAIT_MS = 100,
};

void copy_check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, wtrack_strerror(r));
}

static void *allocate(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	if (!memory)
		err(1, "allocation of %zu bytes", nr * size);
	return memory;
}

/* Some of the legacy hole is no memory, some of it is read-only. */
static void track_all(struct wtrack_session *session)
{
	const struct wtrack_range all = { 0, RAM_PAGES };
	int r = wtrack_session_add(session, &all, 1, NULL, 0);

	if (r != -ENOENT && r != -EOPNOTSUPP)
		copy_check(r, "tracking");
}

static void find_tracked(struct copy *copy)
{
	struct wtrack_range ranges[64];
	uint64_t gfn = 0;
	int n;

	while ((n = wtrack_session_query(copy->session, &gfn, ranges, 64)) > 0)
		for (int i = 0; i < n; i++)
			for (uint64_t j = 0; j < ranges[i].nr_pages; j++) {
				copy->pages[ranges[i].gfn + j].tracked = true;
				copy->tracked++;
			}
	copy_check(n, "query");
}

void copy_start_unkept(struct copy *copy, const struct vm *vm)
{
	memset(copy, 0, sizeof(*copy));
	copy->vm = vm;
	copy->bytes = allocate(RAM_PAGES, PAGE_BYTES);
	copy->pages = allocate(RAM_PAGES, sizeof(*copy->pages));
	copy->stale = allocate(RAM_PAGES, sizeof(*copy->stale));
	vm_read(vm, 0, RAM_PAGES, copy->bytes);
}

void copy_start(struct copy *copy, const struct vm *vm)
{
	struct wtrack_session *session;

	copy_check(wtrack_session_open_pid(vm->pid, &session), "attach");
	copy_check(wtrack_session_set_budget(session, BUDGET, PERIOD_MS),
		   "budget");
	copy_check(wtrack_session_make_ring(session, RECORDS, 0, WATERMARK,
					    LATENCY_US), "ring");
	track_all(session);
	copy_start_unkept(copy, vm);
	copy->session = session;
	find_tracked(copy);
}

void copy_catch_up(struct copy *copy)
{
	uint64_t seq;

	copy_check(wtrack_session_fence(copy->session, &seq), "fence");
	copy_step(copy);
	if (copy->seq < seq)
		errx(1, "the fence promised more events");
}

void copy_finish(struct copy *copy)
{
	uint64_t end = now_ns() + FINISH_MS * UINT64_C(1000000);

	if (!copy->session)
		return;
	copy_catch_up(copy);
	copy->disarmed_at_end = copy->disarmed;
	while (copy->disarmed && now_ns() < end) {
		int r = wtrack_session_wait(copy->session, WAIT_MS);

		if (r != -EINTR)
			copy_check(r, "wait");
		copy_step(copy);
	}
	copy_check(wtrack_session_get_status(copy->session, &copy->status,
					     sizeof(copy->status)), "status");
}

void copy_free(struct copy *copy)
{
	wtrack_session_close(copy->session);
	free(copy->bytes);
	free(copy->pages);
	free(copy->stale);
}
