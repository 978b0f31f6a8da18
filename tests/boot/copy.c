// SPDX-License-Identifier: GPL-2.0-or-later
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

/* Ends the program when r is an error of libwtrack. */
static void check(int r, const char *what)
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

static uint64_t regions_generation(struct copy *copy)
{
	struct wtrack_status status;

	check(wtrack_session_get_status(copy->session, &status, sizeof(status)),
	      "status");
	return status.generation;
}

static void add_region(struct copy *copy, const struct wtrack_region *region)
{
	struct wtrack_range range = { region->gfn, region->nr_pages };
	int r;

	if (range.gfn >= RAM_PAGES ||
	    region->flags & (WTRACK_REGION_READONLY | WTRACK_REGION_KVM))
		return;
	if (range.nr_pages > RAM_PAGES - range.gfn)
		range.nr_pages = RAM_PAGES - range.gfn;
	for (uint64_t i = 0; i < range.nr_pages; i++)
		copy->pages[range.gfn + i].guest = true;
	r = wtrack_mirror_add(copy->mirror, &range, 1, NULL, 0);
	/* What has gone again meanwhile has changed the generation. */
	if (r != -ENOENT && r != -EOPNOTSUPP)
		check(r, "adding a region");
}

/*
 * The firmware maps its own memory to write to it, and the guest has other
 * regions after that. Whether all of them are in the mirror is looked at when the
 * guest stands still.
 */
static void add_regions(struct copy *copy)
{
	struct wtrack_region region;
	uint64_t gfn = 0;
	int r;

	if (copy->generation == regions_generation(copy))
		return;
	for (uint64_t i = 0; i < RAM_PAGES; i++)
		copy->pages[i].guest = false;
	while ((r = wtrack_session_regions_next(copy->session, &gfn, &region,
						&copy->generation)) > 0)
		add_region(copy, &region);
	check(r, "regions");
	copy->regions++;
}

void copy_start_unkept(struct copy *copy, const struct vm *vm)
{
	memset(copy, 0, sizeof(*copy));
	copy->vm = vm;
	copy->pages = allocate(RAM_PAGES, sizeof(*copy->pages));
	copy->bytes = allocate(RAM_PAGES, PAGE_BYTES);
	vm_read(vm, 0, RAM_PAGES, copy->bytes);
}

void copy_start(struct copy *copy, const struct vm *vm)
{
	const struct wtrack_mirror_options options = {
		.records = RECORDS, .watermark = WATERMARK,
		.latency_us = LATENCY_US,
	};

	memset(copy, 0, sizeof(*copy));
	copy->vm = vm;
	copy->pages = allocate(RAM_PAGES, sizeof(*copy->pages));
	check(wtrack_session_open_pid(vm->pid, &copy->session), "attach");
	check(wtrack_session_set_budget(copy->session, BUDGET, PERIOD_MS),
	      "budget");
	check(wtrack_mirror_new(copy->session, &options, sizeof(options),
				&copy->mirror), "mirror");
	add_regions(copy);
}

static void note(struct copy *copy, const struct wtrack_change *change)
{
	uint64_t gfn = change->gpa / PAGE_BYTES;

	if (change->what == WTRACK_CHANGED_WRITE) {
		copy->writes++;
		copy->pages[gfn].writes++;
		wtrack_event_get_rip(change->event, &copy->pages[gfn].rip);
	} else if (change->what == WTRACK_CHANGED_REREAD) {
		copy->rereads++;
		copy->pages[gfn].rereads++;
	} else if (change->what == WTRACK_CHANGED_STATE) {
		copy->states[change->state] += change->len / PAGE_BYTES;
	}
}

void copy_step(struct copy *copy)
{
	const struct wtrack_change *change;
	int r;

	if (!copy->session)
		return;
	while ((r = wtrack_mirror_update(copy->mirror, &change)) > 0)
		note(copy, change);
	check(r, "update");
	add_regions(copy);
}

void copy_sync(struct copy *copy)
{
	const struct wtrack_change *change;
	int r;

	add_regions(copy);
	while ((r = wtrack_mirror_sync(copy->mirror, &change)) > 0)
		note(copy, change);
	check(r, "sync");
}

static uint64_t unobserved(struct copy *copy)
{
	struct wtrack_mirror_status *status = &copy->mirror_status;

	check(wtrack_mirror_get_status(copy->mirror, status, sizeof(*status)),
	      "mirror's status");
	return status->disarmed;
}

void copy_finish(struct copy *copy)
{
	uint64_t end = now_ns() + FINISH_MS * UINT64_C(1000000);

	if (!copy->session)
		return;
	copy_step(copy);
	copy->unobserved = unobserved(copy);
	while (unobserved(copy) && now_ns() < end) {
		int r = wtrack_mirror_wait(copy->mirror, WAIT_MS);

		if (r != -EINTR)
			check(r, "wait");
		copy_step(copy);
	}
	copy_sync(copy);
	unobserved(copy);
	check(wtrack_session_get_status(copy->session, &copy->status,
					sizeof(copy->status)), "status");
}

void copy_free(struct copy *copy)
{
	wtrack_mirror_close(copy->mirror);
	wtrack_session_close(copy->session);
	free(copy->bytes);
	free(copy->pages);
}

const void *copy_page(const struct copy *copy, uint64_t gfn)
{
	if (copy->mirror)
		return wtrack_mirror_page(copy->mirror, gfn);
	return copy->bytes + gfn * PAGE_BYTES;
}

int copy_state(const struct copy *copy, uint64_t gfn)
{
	if (copy->mirror)
		return wtrack_mirror_get_state(copy->mirror, gfn);
	return WTRACK_MIRROR_LIVE;
}
