// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "manager.h"
#include "session.h"
#include "util.h"
#include "viewer.h"
#include "vm.h"

/*
 * A bus name of a connection is never given to another one, and the connection's
 * user stays the same: what was once learned is true for ever.
 */
#define NR_KNOWN	32

struct viewer {
	char name[64];
	struct policy_caller caller;
	gid_t *groups;
};

static struct viewer known[NR_KNOWN];
static unsigned int next_known;

/* The answer of the bus itself is waited for, which takes part in every call. */
static int ask(sd_bus *bus, const char *name, struct viewer *viewer)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_call_method(bus, "org.freedesktop.DBus",
			       "/org/freedesktop/DBus", "org.freedesktop.DBus",
			       "GetConnectionCredentials", NULL, &reply, "s",
			       name);
	return r < 0 ? r : caller_read(reply, &viewer->caller, &viewer->groups);
}

static const struct policy_caller *find(sd_bus *bus, const char *name)
{
	struct viewer *viewer, fresh = { 0 };
	unsigned int i;

	if (strlen(name) >= sizeof(fresh.name))
		return NULL;
	for (i = 0; i < NR_KNOWN; i++)
		if (!strcmp(known[i].name, name))
			return &known[i].caller;
	if (ask(bus, name, &fresh) < 0)
		return NULL;
	strcpy(fresh.name, name);
	viewer = &known[next_known++ % NR_KNOWN];
	free(viewer->groups);
	*viewer = fresh;
	return &viewer->caller;
}

/* NULL for a signal, which all may read, and when it is not known. */
static const struct policy_caller *current(struct manager *m)
{
	sd_bus_message *message = sd_bus_get_current_message(m->bus);
	const char *sender = message ? sd_bus_message_get_sender(message) : NULL;

	if (!sender || *sender != ':' ||
	    !sd_bus_message_is_method_call(message, NULL, NULL))
		return NULL;
	return find(m->bus, sender);
}

static bool sees_all(struct manager *m, const struct policy_caller *caller)
{
	return caller && (!caller->uid || (m->has_group &&
					   policy_in_group(caller, m->group)));
}

static bool owns(const struct vm *vm, const struct policy_caller *caller)
{
	return vm && caller && process_is_of(vm->process, caller->uid);
}

bool viewer_sees_all(struct manager *m)
{
	return sees_all(m, current(m));
}

bool viewer_sees_vm(struct vm *vm)
{
	const struct policy_caller *caller = current(vm->manager);

	return sees_all(vm->manager, caller) || owns(vm, caller);
}

bool viewer_sees_session(struct session *session)
{
	const struct policy_caller *caller = current(session->manager);

	return sees_all(session->manager, caller) || owns(session->vm, caller) ||
	       (caller && caller->uid == session->uid);
}
