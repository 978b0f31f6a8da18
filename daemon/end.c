// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Session.End(): a session tracks nothing any more, whoever holds it.
 *
 * Its user and root may end it. The owner of the VM may not: an administrator who
 * looks at a VM is not to be shaken off by it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "end.h"
#include "genl.h"
#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "polkit.h"
#include "request.h"
#include "session.h"

static void fail_closed(struct request *request)
{
	request_fail(request, RULE_NO_VM, SD_BUS_ERROR_UNKNOWN_OBJECT,
		     "session %ju was closed", (uintmax_t)request->session_id);
}

static void log_end(const struct request *request)
{
	char id[64], uid[64];
	const char *const fields[] = { id, uid, NULL };

	snprintf(id, sizeof(id), "WTRACK_SESSION=%ju",
		 (uintmax_t)request->session_id);
	snprintf(uid, sizeof(uid), "WTRACK_UID=%u", request->caller.uid);
	log_event(LOG_NOTICE, MESSAGE_SESSION_ENDED, fields,
		  "session %ju was ended by uid %u (pid %d)",
		  (uintmax_t)request->session_id, request->caller.uid,
		  request->caller.pid);
}

static void on_ended(void *userdata, int result)
{
	struct request *request = userdata;

	request->end = NULL;
	if (result == -ENOENT) {
		fail_closed(request);
	} else if (result < 0 && result != -ESHUTDOWN) {
		request_fail(request, RULE_MODULE, SD_BUS_ERROR_FAILED,
			     "the session cannot be ended: %s",
			     strerror(-result));
	} else {
		if (!result && log_may(LOG_KIND_SESSIONS, request->caller.uid))
			log_end(request);
		request_reply(request, "");
	}
}

static void end_permitted(struct request *request)
{
	int r = genl_end_session(request->manager->genl, request->session_id,
				 on_ended, request, &request->end);

	if (r < 0)
		request_fail(request, RULE_MODULE, r == -ENODEV ?
			     ERROR_NO_MODULE : SD_BUS_ERROR_FAILED,
			     "the session cannot be ended: %s", strerror(-r));
}

static void end_called(struct request *request)
{
	struct session *session = session_find(request->manager,
					       request->session_id);
	char reason[256];

	if (!session) {
		fail_closed(request);
		return;
	}
	snprintf(reason, sizeof(reason),
		 "uid %u does not own session %ju (uid %u)",
		 request->caller.uid, (uintmax_t)session->id, session->uid);
	if (!request->caller.uid || request->caller.uid == session->uid)
		end_permitted(request);
	else
		request_authorize(request, ACTION_END_SESSION, NULL, reason,
				  end_permitted);
}

int end_method(struct session *session, sd_bus_message *call,
	       sd_bus_error *error)
{
	return request_begin_session(session, call, end_called, error);
}
