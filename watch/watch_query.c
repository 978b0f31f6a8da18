// SPDX-License-Identifier: GPL-2.0-or-later
/* What others ask about watches. */
#include <errno.h>

#include "manager.h"
#include "vm.h"
#include "watch_session.h"

const char *watch_name(const struct watch *watch)
{
	return watch->config->name;
}

const char *watch_file(const struct watch *watch)
{
	return watch->config->path;
}

struct manager *watch_manager(const struct watch *watch)
{
	return watch->watches->manager;
}

uint64_t watch_events(const struct watch *watch, bool fresh)
{
	return fresh ? watch->events : watch->coarse_events;
}

uint64_t watch_suppressed(const struct watch *watch, bool fresh)
{
	return fresh ? watch->suppressed : watch->coarse_suppressed;
}

void watches_keep_coarse(struct watches *watches)
{
	struct watch *watch;

	if (!watches)
		return;
	LIST_FOREACH(watch, &watches->list, link) {
		watch->coarse_events = watch->events;
		watch->coarse_suppressed = watch->suppressed;
	}
}

unsigned int watches_not_stored(struct watches *watches)
{
	const struct watch_session *session;
	unsigned int nr = 0;

	if (!watches)
		return 0;
	LIST_FOREACH(session, &watches->sessions, link)
		nr += session->state == WATCH_WAITING &&
		      session->error == -ENOSPC;
	return nr;
}

static bool is_active(const struct watch *watch,
		      const struct watch_session *session)
{
	return session->watch == watch && session->state == WATCH_ACTIVE &&
	       !session->vm_ended;
}

bool watch_active(const struct watch *watch)
{
	const struct watch_session *session;

	LIST_FOREACH(session, &watch->watches->sessions, link)
		if (is_active(watch, session))
			return true;
	return false;
}

int watch_each_vm(const struct watch *watch,
		  int (*fn)(struct vm *vm, void *userdata), void *userdata)
{
	const struct watch_session *session;
	int r = 0;

	LIST_FOREACH(session, &watch->watches->sessions, link)
		if (r >= 0 && session->vm && is_active(watch, session))
			r = fn(session->vm, userdata);
	return r < 0 ? r : 0;
}
