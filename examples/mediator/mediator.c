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

static void make_mirror(struct mediator *m, const struct ring_options *ring)
{
	const struct wtrack_mirror_options options = {
		.records = ring->records,
		.ring_flags = ring->coalesce ? WTRACK_RING_COALESCE : 0,
	};

	if (ring->budget)
		mediator_check(wtrack_session_set_budget(m->session,
							 ring->budget,
							 BUDGET_MS), "budget");
	mediator_check(wtrack_mirror_new(m->session, &options, sizeof(options),
					 &m->mirror), "mirror");
}

struct mediator *mediator_open(int vm_fd, const unsigned char *memory,
			       const struct ring_options *ring)
{
	struct mediator *m = calloc(1, sizeof(*m));

	if (!m)
		err(1, "mediator");
	m->memory = memory;
	pthread_mutex_init(&m->lock, NULL);
	mediator_check(wtrack_session_open_vm_fd(vm_fd, &m->session), "open");
	make_mirror(m, ring);
	shadow_begin(m);
	return m;
}

void mediator_close(struct mediator *m)
{
	wtrack_mirror_close(m->mirror);
	wtrack_session_close(m->session);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* The vCPU that rang waits: all its stores are in the mirror after the sync. */
void mediator_doorbell(struct mediator *m, uint32_t what)
{
	const struct wtrack_change *change;
	int r;

	pthread_mutex_lock(&m->lock);
	while ((r = wtrack_mirror_sync(m->mirror, &change)) > 0)
		shadow_change(m, change);
	mediator_check(r, "sync");
	m->counts.doorbells[what]++;
	if (what == DOORBELL_ALL)
		compare_all(m);
	else
		compare_region(m, what);
	pthread_mutex_unlock(&m->lock);
}
