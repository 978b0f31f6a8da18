// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mediator.h"

enum { MOST_MESSAGES = 10 };

void mediator_check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, wtrack_strerror(r));
}

void mediator_mismatch(struct mediator *m, const char *format, ...)
{
	va_list args;

	if (m->counts.mismatches++ >= MOST_MESSAGES)
		return;
	va_start(args, format);
	fputs("# MISMATCH: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

static void make_ring(struct mediator *m, const struct ring_options *ring)
{
	unsigned int flags = ring->coalesce ? WTRACK_RING_COALESCE : 0;

	if (ring->budget)
		mediator_check(wtrack_session_set_budget(m->session,
							 ring->budget,
							 BUDGET_MS), "budget");
	mediator_check(wtrack_session_make_ring(m->session, ring->records,
						flags, 0, 0), "ring");
}

struct mediator *mediator_open(int vm_fd, const unsigned char *memory,
			       const struct ring_options *ring)
{
	struct mediator *m = calloc(1, sizeof(*m));

	if (!m)
		err(1, "mediator");
	m->memory = memory;
	m->coalesce = ring->coalesce;
	pthread_mutex_init(&m->lock, NULL);
	mediator_check(wtrack_session_open_vm_fd(vm_fd, &m->session), "open");
	make_ring(m, ring);
	track_directory(m);
	return m;
}

void mediator_close(struct mediator *m)
{
	wtrack_session_close(m->session);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void compare_region(struct mediator *m, unsigned int region)
{
	shadow_compare(m, REGION_SLOT(region), REGION_SLOTS);
	if (!m->coalesce)
		replica_compare(m, region);
}

static void compare_all(struct mediator *m)
{
	unsigned int region;

	shadow_compare(m, 0, ENTRIES);
	track_compare(m);
	if (m->coalesce)
		return;
	for (region = 0; region < REGION_RACED; region++)
		replica_compare(m, region);
	replica_settle_raced(m);
}

/*
 * The vCPU that rang is stopped and all its stores were notified. That is not
 * to say that next() gets to them: the other vCPU may have taken the place in
 * front of them in the ring and not have filled it yet or, in a coalescing
 * session, be about to publish an event that stands for them as well. The
 * fence waits for all that began before it.
 */
void mediator_doorbell(struct mediator *m, uint32_t what)
{
	uint64_t seq;

	pthread_mutex_lock(&m->lock);
	mediator_check(wtrack_session_fence(m->session, &seq), "fence");
	drain(m);
	read_disarmed(m);
	m->counts.doorbells[what]++;
	if (what == DOORBELL_ALL)
		compare_all(m);
	else
		compare_region(m, what);
	pthread_mutex_unlock(&m->lock);
}
