// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "log.h"
#include "manager.h"
#include "util.h"
#include "watch.h"

int manager_new(struct manager **ret)
{
	CLEANUP(manager_freep) struct manager *m = NULL;
	int r;

	m = calloc(1, sizeof(*m));
	if (!m)
		return log_errno(-ENOMEM, "cannot begin");
	limits_init(&m->limits);
	r = sd_event_default(&m->event);
	if (r < 0)
		return log_errno(r, "cannot make an event loop");
	*ret = TAKE_PTR(m);
	return 0;
}

int manager_start(struct manager *m)
{
	int r;

	r = watches_new(m, &m->watches);
	if (r < 0)
		return log_errno(r, "cannot begin with watches");
	return 0;
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	watches_free(m->watches);
	limits_done(&m->limits);
	sd_event_unref(m->event);
	free(m);
}

void manager_freep(struct manager **m)
{
	manager_free(*m);
}
