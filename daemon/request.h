/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call of a client that takes more than one turn of the event loop: who is
 * it, which VM does it mean, what does polkit say. Whatever is waited for, the
 * request ends when its client leaves the bus, and when its VM goes.
 */
#ifndef WTRACKD_REQUEST_H
#define WTRACKD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include <wtrack/wtrack.h>

#include "policy.h"

/* Under way at a time. */
#define REQUESTS_PER_USER	32
#define REQUESTS_PER_CLIENT	32	/* whose user is not known yet */
#define POLKIT_PER_USER		4

#define ERROR_NO_SUCH_VM	"org.wtrack1.Error.NoSuchVM"
#define ERROR_AMBIGUOUS		"org.wtrack1.Error.Ambiguous"
#define ERROR_NOT_PERMITTED	"org.wtrack1.Error.NotPermitted"
#define ERROR_LIMIT_EXCEEDED	"org.wtrack1.Error.LimitExceeded"
#define ERROR_CONFIDENTIAL	"org.wtrack1.Error.Confidential"
#define ERROR_VM_GONE		"org.wtrack1.Error.VmGone"
#define ERROR_NO_MODULE		"org.wtrack1.Error.NoModule"
#define ERROR_BUSY		"org.wtrack1.Error.Busy"
#define ERROR_TIMEOUT		"org.wtrack1.Error.Timeout"
#define ERROR_INVALID_ARGUMENT	"org.wtrack1.Error.InvalidArgument"

struct attach;
struct genl_end;
struct genl_ranges;
struct manager;
struct polkit_check;
struct request;
struct requests;
struct scan_wait;
struct session;
struct vm;

typedef void (*request_fn)(struct request *request);

/* What OpenSession wants; 0 where it does not say. */
struct open_options {
	uint64_t max_pages;
	uint32_t max_records;
	bool attach;			/* the kernel has refused the caller */
};

struct request {
	LIST_ENTRY(request) link;
	struct manager *manager;
	sd_bus_message *call;
	const char *sender;		/* of call */
	request_fn next;		/* what to do after what is waited for */

	sd_bus_slot *creds_call;
	bool has_caller;
	struct policy_caller caller;
	gid_t *groups;

	char *vm_text;			/* as the client named it */
	struct scan_wait *scan;
	struct vm *vm;

	struct polkit_check *polkit;
	char *reason;			/* why polkit is asked */

	struct open_options options;
	bool by_us;			/* attached, which is permitted */
	struct wtrack_session *wtrack;	/* being attached */
	struct attach *attach;
	uint64_t session_id;
	struct genl_ranges *ranges;
	struct genl_end *end;
	sd_bus_message *reply;		/* being filled in */
	size_t nr_ranges;
	int error;
};

int requests_new(struct manager *m, struct requests **ret);
void requests_free(struct requests *requests);
/* Those that are about it fail. */
void requests_vm_gone(struct requests *requests, struct vm *vm);

/*
 * Asks the bus who called, then calls next with request->caller. For method
 * handlers: returns what they have to return. fill, if there is one, takes over
 * arguments from the message before that; an error of it is the answer.
 */
int request_begin(struct manager *m, sd_bus_message *call,
		  int (*fill)(struct request *request, sd_bus_message *call,
			      sd_bus_error *error),
		  request_fn next, sd_bus_error *error);

/* The same for a method of a session, whose id is in request->session_id then. */
int request_begin_session(struct session *session, sd_bus_message *call,
			  request_fn next, sd_bus_error *error);

/* Finds request->vm by request->vm_text, then calls next. */
void request_find_vm(struct request *request, request_fn next);

/*
 * Asks polkit, and calls next when it said yes. details are pairs of name and
 * value, and end with NULL. reason is why polkit had to be asked.
 */
void request_authorize(struct request *request, const char *action,
		       const char *const *details, const char *reason,
		       request_fn next);

/* Ends of a request, which is freed. */
void request_reply(struct request *request, const char *types, ...);
__attribute__((format(printf, 4, 5)))
void request_fail(struct request *request, enum rule rule, const char *error,
		  const char *format, ...);
/* Without an answer. */
void request_free(struct request *request);

#endif
