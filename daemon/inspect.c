// SPDX-License-Identifier: GPL-2.0-or-later
/* Session.ListRanges(): which pages a session tracks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "genl.h"
#include "inspect.h"
#include "log.h"
#include "manager.h"
#include "polkit.h"
#include "request.h"
#include "session.h"
#include "util.h"
#include "vm.h"

/* A message of the bus has room for twice as many. */
#define MAX_RANGES	1000000

static int append(sd_bus_message *reply, const struct wtrack_range *ranges,
		  size_t nr)
{
	int r = 0;
	size_t i;

	for (i = 0; r >= 0 && i < nr; i++)
		r = sd_bus_message_append(reply, "(tt)", ranges[i].gfn,
					  ranges[i].nr_pages);
	return r;
}

static void finish(struct request *request, int result)
{
	int r = result < 0 ? result :
		sd_bus_message_close_container(request->reply);

	if (r >= 0)
		r = sd_bus_message_send(request->reply);
	if (r < 0)
		request_fail(request, RULE_MODULE, r == -ENODEV ?
			     ERROR_NO_MODULE : SD_BUS_ERROR_FAILED,
			     "the session's ranges cannot be read: %s",
			     strerror(-r));
	else
		request_free(request);
}

/* The dump goes on whatever happened, and its end is the request's. */
static void on_ranges(void *userdata, const struct wtrack_range *ranges,
		      size_t nr, int result)
{
	struct request *request = userdata;
	int r;

	if (!nr) {
		request->ranges = NULL;
		finish(request, request->error < 0 ? request->error : result);
		return;
	}
	request->nr_ranges += nr;
	if (request->error < 0)
		return;
	r = request->nr_ranges > MAX_RANGES ? -E2BIG :
	    append(request->reply, ranges, nr);
	if (r < 0)
		request->error = r;
}

static void inspect_permitted(struct request *request)
{
	struct manager *m = request->manager;
	int r;

	r = sd_bus_message_new_method_return(request->call, &request->reply);
	if (r >= 0)
		r = sd_bus_message_open_container(request->reply, 'a', "(tt)");
	if (r >= 0)
		r = genl_get_ranges(m->genl, request->session_id, on_ranges,
				    request, &request->ranges);
	if (r < 0)
		finish(request, r);
}

static bool is_permitted(struct request *request, const struct session *session,
			 char *reason, size_t size)
{
	struct manager *m = request->manager;
	struct process *process;

	snprintf(reason, size, "uid %u does not own session %ju (uid %u)",
		 request->caller.uid, (uintmax_t)session->id, session->uid);
	if (!request->caller.uid || request->caller.uid == session->uid)
		return true;
	/* One that is gone may be freed while polkit is asked. */
	request->vm = session->vm && !session->vm->gone ? session->vm : NULL;
	if (!request->vm)
		return m->has_group && policy_in_group(&request->caller,
						       m->group);
	process = request->vm->process;
	process_check_user(process);
	return process_is_of(process, request->caller.uid) ||
	       policy_decide(&request->caller, process->pid,
			     process->info.ids.uid, m->has_group, m->group,
			     reason, size) == VERDICT_YES;
}

static void inspect_called(struct request *request)
{
	struct session *session = session_find(request->manager,
					       request->session_id);
	char reason[256];

	if (!session) {
		request_fail(request, RULE_NO_VM, SD_BUS_ERROR_UNKNOWN_OBJECT,
			     "session %ju was closed",
			     (uintmax_t)request->session_id);
		return;
	}
	if (is_permitted(request, session, reason, sizeof(reason)))
		inspect_permitted(request);
	else
		request_authorize(request, ACTION_INSPECT, NULL, reason,
				  inspect_permitted);
}

int inspect_method(struct session *session, sd_bus_message *call,
		   sd_bus_error *error)
{
	return request_begin_session(session, call, inspect_called, error);
}
