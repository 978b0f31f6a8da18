// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "caller.h"
#include "genl.h"
#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "polkit.h"
#include "request.h"
#include "scan.h"
#include "session.h"
#include "util.h"
#include "vm.h"

struct requests {
	struct manager *manager;
	LIST_HEAD(, request) list;
	sd_bus_slot *on_leave;
};

void request_free(struct request *request)
{
	LIST_REMOVE(request, link);
	sd_bus_slot_unref(request->creds_call);
	scan_wait_cancel(request->scan);
	polkit_cancel(request->polkit);
	genl_ranges_cancel(request->ranges);
	genl_end_forget(request->end);
	attach_forget(request->attach);
	/* When nobody else has it, it is closed, and accounted for no more. */
	wtrack_session_close(request->wtrack);
	sd_bus_message_unref(request->reply);
	sd_bus_message_unref(request->call);
	free(request->groups);
	free(request->vm_text);
	free(request->reason);
	free(request);
}

void request_reply(struct request *request, const char *types, ...)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	va_list args;
	int r;

	r = sd_bus_message_new_method_return(request->call, &reply);
	va_start(args, types);
	if (r >= 0 && *types)
		r = sd_bus_message_appendv(reply, types, args);
	va_end(args);
	if (r >= 0)
		r = sd_bus_message_send(reply);
	if (r < 0) {
		log_errno(r, "an answer was not sent");
		(void)sd_bus_reply_method_errno(request->call, r, NULL);
	}
	request_free(request);
}

static void log_refusal(const struct request *request, enum rule rule,
			const char *text)
{
	char uid[64], pid[64], vm[64] = "WTRACK_VM_PID=", label[64];
	const char *const fields[] = { uid, pid, label, vm, NULL };

	snprintf(uid, sizeof(uid), "WTRACK_UID=%u", request->caller.uid);
	snprintf(pid, sizeof(pid), "WTRACK_PID=%d", request->caller.pid);
	snprintf(label, sizeof(label), "WTRACK_RULE=%s", rule_name(rule));
	if (request->vm)
		snprintf(vm, sizeof(vm), "WTRACK_VM_PID=%d",
			 request->vm->process->pid);
	log_event(LOG_NOTICE, MESSAGE_SESSION_REFUSED, fields,
		  "refused %s of uid %u (pid %d): %s",
		  sd_bus_message_get_member(request->call),
		  request->caller.uid, request->caller.pid, text);
}

/* What is nobody's mistake but the caller's is not worth a line. */
static bool is_worth_logging(const struct request *request, enum rule rule)
{
	return rule != RULE_NO_VM && rule != RULE_BUSY &&
	       log_may(LOG_KIND_REFUSALS, request->caller.uid);
}

void request_fail(struct request *request, enum rule rule, const char *error,
		  const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	request->manager->refusals[rule]++;
	if (request->has_caller && is_worth_logging(request, rule))
		log_refusal(request, rule, text);
	(void)sd_bus_reply_method_errorf(request->call, error, "%s", text);
	request_free(request);
}

static unsigned int count(const struct requests *requests,
			  const struct request *like, bool polkit)
{
	const struct request *request;
	unsigned int nr = 0;

	LIST_FOREACH(request, &requests->list, link) {
		if (request == like || (polkit && !request->polkit))
			continue;
		nr += like->has_caller ?
		      request->has_caller &&
		      request->caller.uid == like->caller.uid :
		      !strcmp(request->sender, like->sender);
	}
	return nr;
}

static int on_caller(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct request *request = userdata;
	int r;

	(void)error;
	request->creds_call = sd_bus_slot_unref(request->creds_call);
	r = caller_read(reply, &request->caller, &request->groups);
	if (r < 0) {
		request_fail(request, RULE_POLICY, ERROR_NOT_PERMITTED,
			     "the bus does not say who calls: %s",
			     strerror(-r));
		return 0;
	}
	request->has_caller = true;
	if (request->caller.uid &&
	    count(request->manager->requests, request, false) >=
	    REQUESTS_PER_USER) {
		request_fail(request, RULE_BUSY, ERROR_BUSY,
			     "uid %u has %d requests under way already",
			     request->caller.uid, REQUESTS_PER_USER);
		return 0;
	}
	request->next(request);
	return 0;
}

static struct request *request_new(struct manager *m, sd_bus_message *call)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->manager = m;
	request->call = sd_bus_message_ref(call);
	request->sender = sd_bus_message_get_sender(call);
	LIST_INSERT_HEAD(&m->requests->list, request, link);
	return request;
}

int request_begin(struct manager *m, sd_bus_message *call,
		  int (*fill)(struct request *request, sd_bus_message *call,
			      sd_bus_error *error),
		  request_fn next, sd_bus_error *error)
{
	struct request *request;
	int r = 0;

	if (!sd_bus_message_get_sender(call))
		return -EBADMSG;
	request = request_new(m, call);
	if (!request)
		return -ENOMEM;
	request->next = next;
	if (count(m->requests, request, false) >= REQUESTS_PER_CLIENT) {
		m->refusals[RULE_BUSY]++;
		r = sd_bus_error_setf(error, ERROR_BUSY,
				      "this client has %d requests under way "
				      "already", REQUESTS_PER_CLIENT);
	}
	if (r >= 0 && fill)
		r = fill(request, call, error);
	if (r >= 0)
		r = caller_ask(call, on_caller, request, &request->creds_call);
	if (r < 0) {
		request_free(request);
		return r;
	}
	return 1;
}

static int keep_session_id(struct request *request, sd_bus_message *call,
			   sd_bus_error *error)
{
	const struct session *session = sd_bus_get_current_userdata(
		sd_bus_message_get_bus(call));

	(void)error;
	request->session_id = session->id;
	return 0;
}

int request_begin_session(struct session *session, sd_bus_message *call,
			  request_fn next, sd_bus_error *error)
{
	return request_begin(session->manager, call, keep_session_id, next,
			     error);
}

static void on_polkit(void *userdata, enum polkit_answer answer)
{
	static const char *const texts[] = {
		[POLKIT_NO] = "was denied",
		[POLKIT_CHALLENGE] = "needs authentication, which the caller "
				     "did not allow or nobody could ask for",
		[POLKIT_FAILED] = "could not be asked for",
	};
	struct request *request = userdata;

	request->polkit = NULL;
	if (answer == POLKIT_YES) {
		request->next(request);
		return;
	}
	request_fail(request, RULE_POLKIT, ERROR_NOT_PERMITTED,
		     "policy: %s %s", request->reason, texts[answer]);
}

void request_authorize(struct request *request, const char *action,
		       const char *const *details, const char *reason,
		       request_fn next)
{
	struct manager *m = request->manager;
	int r;

	free(TAKE_PTR(request->reason));
	if (asprintf(&request->reason, "%s and polkit action %s", reason,
		     action) < 0) {
		request->reason = NULL;
		request_fail(request, RULE_POLICY, SD_BUS_ERROR_NO_MEMORY,
			     "no memory");
		return;
	}
	if (count(m->requests, request, true) >= POLKIT_PER_USER) {
		request_fail(request, RULE_BUSY, ERROR_BUSY,
			     "polkit: uid %u has %d questions open already",
			     request->caller.uid, POLKIT_PER_USER);
		return;
	}
	request->next = next;
	r = polkit_check(request->call, action, details, on_polkit, request,
			 &request->polkit);
	if (r < 0)
		request_fail(request, RULE_POLKIT, ERROR_NOT_PERMITTED,
			     "policy: %s could not be asked for: %s",
			     request->reason, strerror(-r));
}

void requests_vm_gone(struct requests *requests, struct vm *vm)
{
	struct request *request, *next;

	for (request = requests ? LIST_FIRST(&requests->list) : NULL; request;
	     request = next) {
		next = LIST_NEXT(request, link);
		if (request->vm == vm)
			request_fail(request, RULE_NO_VM, ERROR_VM_GONE,
				     "the VM of pid %d is gone",
				     vm->process->pid);
	}
}

/* Its questions to others go with it. */
static void client_left(struct requests *requests, const char *name)
{
	struct request *request = LIST_FIRST(&requests->list), *next;

	for (; request; request = next) {
		next = LIST_NEXT(request, link);
		if (!strcmp(request->sender, name))
			request_free(request);
	}
}

static int on_leave(sd_bus_message *message, void *userdata,
		    sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(message);
	const char *name, *old_owner, *new_owner;

	(void)error;
	if (!sender || strcmp(sender, "org.freedesktop.DBus") ||
	    sd_bus_message_read(message, "sss", &name, &old_owner,
				&new_owner) < 0)
		return 0;
	if (*name == ':' && !*new_owner)
		client_left(userdata, name);
	return 0;
}

int requests_new(struct manager *m, struct requests **ret)
{
	struct requests *requests = calloc(1, sizeof(*requests));
	int r;

	if (!requests)
		return -ENOMEM;
	requests->manager = m;
	LIST_INIT(&requests->list);
	r = sd_bus_add_match_async(m->bus, &requests->on_leave,
				   "type='signal',"
				   "sender='org.freedesktop.DBus',"
				   "path='/org/freedesktop/DBus',"
				   "interface='org.freedesktop.DBus',"
				   "member='NameOwnerChanged',arg2=''",
				   on_leave, NULL, requests);
	if (r < 0) {
		free(requests);
		return r;
	}
	*ret = requests;
	return 0;
}

void requests_free(struct requests *requests)
{
	struct request *request;

	if (!requests)
		return;
	while ((request = LIST_FIRST(&requests->list)))
		request_free(request);
	sd_bus_slot_unref(requests->on_leave);
	free(requests);
}
