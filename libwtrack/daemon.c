// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions that wtrackd opens for callers that may not open the device. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "internal.h"
#include "sys.h"

struct name {
	const char *name;
	int err;
};

static const struct name names[] = {
	{ "org.wtrack1.Error.NoSuchVM", ESRCH },
	{ "org.wtrack1.Error.VmGone", ESRCH },
	{ "org.wtrack1.Error.Ambiguous", ENOTUNIQ },
	{ "org.wtrack1.Error.NotPermitted", EACCES },
	{ "org.wtrack1.Error.LimitExceeded", EDQUOT },
	{ "org.wtrack1.Error.Confidential", EOPNOTSUPP },
	{ "org.wtrack1.Error.NoModule", ENODEV },
	{ "org.wtrack1.Error.Busy", EBUSY },
	{ "org.wtrack1.Error.InvalidArgument", EINVAL },
	{ "org.wtrack1.Error.Timeout", ETIMEDOUT },
	{ "org.freedesktop.DBus.Error.InvalidArgs", EINVAL },
	{ "org.freedesktop.DBus.Error.AccessDenied", EACCES },
	{ "org.freedesktop.DBus.Error.NoMemory", ENOMEM },
	{ "org.freedesktop.DBus.Error.NoReply", ETIMEDOUT },
	{ "org.freedesktop.DBus.Error.Timeout", ETIMEDOUT },
	{ "org.freedesktop.DBus.Error.TimedOut", ETIMEDOUT },
	{ "org.freedesktop.DBus.Error.Disconnected", ECONNREFUSED },
	{ "org.freedesktop.DBus.Error.NameHasNoOwner", ECONNREFUSED },
	{ "org.freedesktop.DBus.Error.ServiceUnknown", ECONNREFUSED },
};

/* A service that systemd could not start is one of many errors. */
static bool is_start_failure(const char *name)
{
	return !strncmp(name, "org.freedesktop.systemd1.", 25) ||
	       !strncmp(name, "org.freedesktop.DBus.Error.Spawn.", 33);
}

static int errno_of(const char *name)
{
	size_t i;

	if (!name)
		return -ENOMEM;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return -names[i].err;
	return is_start_failure(name) ? -ECONNREFUSED : -EPROTO;
}

static int errno_of_call(int r, const struct bus_error *error)
{
	switch (r) {
	case -EREMOTEIO:
		return errno_of(error->name);
	case -ECONNREFUSED:
	case -EINVAL:
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ETIMEDOUT:
		return r;
	case -ECONNRESET:
	case -ENOTCONN:
		return -ECONNREFUSED;
	default:
		return -EPROTO;
	}
}

/* Pass the message, if there is one, to a caller that wants it. */
static int fail(int r, struct bus_error *error, char **ret_message)
{
	r = errno_of_call(r, error);
	if (ret_message) {
		*ret_message = error->message;
		error->message = NULL;
	}
	wtrack__bus_error_done(error);
	return r;
}

struct wtrack_request {
	struct bus_call *call;
	struct bus_open args;		/* vm is @vm */
	char *vm;
	struct wtrack_range *ranges;	/* the session is to be restricted to */
	size_t nr_ranges;
	uint64_t rights;		/* of those that it has; 0: all */
	bool finished;
};

/* Ask for what counts against limits, and give up the rest afterwards. */
static int load_wanted(struct wtrack_request *request,
		       const struct wtrack_restriction *wanted, size_t size)
{
	struct wtrack_restriction limits;
	int r;

	r = wtrack__load_sized(&limits, sizeof(limits), wanted, size);
	if (r < 0)
		return r;
	if (limits.budget || limits.period_ms || limits.max_sync_us)
		return -EINVAL;
	if (limits.nr_ranges > SIZE_MAX / sizeof(*request->ranges))
		return -ENOMEM;
	request->args.max_pages = limits.max_pages;
	request->args.max_records = limits.max_records;
	request->rights = limits.rights;
	request->nr_ranges = limits.nr_ranges;
	if (!limits.nr_ranges)
		return 0;
	request->ranges = wtrack__sys_alloc(limits.nr_ranges *
					    sizeof(*request->ranges));
	if (!request->ranges)
		return -ENOMEM;
	memcpy(request->ranges, limits.ranges,
	       limits.nr_ranges * sizeof(*request->ranges));
	return 0;
}

static int begin(struct wtrack_request *request, const char *vm)
{
	const struct bus_error none = { NULL, NULL };
	size_t size = strlen(vm) + 1;
	int r;

	request->vm = wtrack__sys_alloc(size);
	if (!request->vm)
		return -ENOMEM;
	memcpy(request->vm, vm, size);
	request->args.vm = request->vm;
	r = wtrack__bus_call_new(&request->args, &request->call);
	return r < 0 ? errno_of_call(r, &none) : 0;
}

WTRACK_API int wtrack_request_new(const char *vm,
				  const struct wtrack_restriction *wanted,
				  size_t size, unsigned int flags,
				  struct wtrack_request **ret)
{
	struct wtrack_request *request;
	int r = 0;

	if (flags & ~WTRACK_OPEN_INTERACTIVE)
		return -EINVAL;
	request = wtrack__sys_alloc(sizeof(*request));
	if (!request)
		return -ENOMEM;
	request->args.interactive = flags & WTRACK_OPEN_INTERACTIVE;
	if (wanted)
		r = load_wanted(request, wanted, size);
	if (!r)
		r = begin(request, vm);
	if (r < 0) {
		wtrack_request_close(request);
		return r;
	}
	*ret = request;
	return 0;
}

WTRACK_API int wtrack_request_get_fd(const struct wtrack_request *request)
{
	return wtrack__bus_call_get_fd(request->call);
}

/*
 * The kernel decides, which checks more than the VM's user. When the VM was
 * closed, the descriptor may be something else, which is no VM.
 */
static int attach(struct wtrack_session *session,
		  const struct bus_session *opened)
{
	int vm_fd, r;

	vm_fd = wtrack__sys_pidfd_getfd(opened->pidfd, opened->vm_fd);
	if (vm_fd == -EBADF)
		return -ESRCH;
	if (vm_fd < 0)
		return wtrack__process_error(opened->pidfd, vm_fd);
	r = wtrack_session_attach(session, vm_fd);
	wtrack__sys_close(vm_fd);
	return r == -EBADFD ? -ESRCH : r;
}

static int narrow(struct wtrack_session *session,
		  const struct wtrack_request *request)
{
	const struct wtrack_restriction limits = {
		.ranges = request->ranges,
		.nr_ranges = request->nr_ranges,
		.rights = request->rights ? request->rights : UINT64_MAX,
		.max_sync_us = UINT32_MAX,
	};

	if (!request->nr_ranges && !request->rights)
		return 0;
	return wtrack_session_restrict(session, &limits, sizeof(limits));
}

/* The descriptors go to the session, or are closed. */
static int take(const struct wtrack_request *request,
		struct bus_session *opened, struct wtrack_session **ret)
{
	struct wtrack_session *session;
	int r;

	r = wtrack_session_open_fd(opened->fd, &session);
	if (r < 0) {
		wtrack__bus_session_done(opened);
		return r == -ENOMEM ? r : -EPROTO;
	}
	opened->fd = -1;
	if (!opened->attached)
		r = attach(session, opened);
	wtrack__bus_session_done(opened);
	if (!r)
		r = narrow(session, request);
	if (r < 0) {
		wtrack_session_close(session);
		return r;
	}
	*ret = session;
	return 0;
}

/*
 * The daemon has the session attached if its policy permits what the kernel
 * does not.
 */
static int ask_again(struct wtrack_request *request)
{
	int r;

	request->args.attach = true;
	r = wtrack__bus_call_repeat(request->call, &request->args);
	return r < 0 ? r : -EAGAIN;
}

WTRACK_API int wtrack_request_finish(struct wtrack_request *request,
				     struct wtrack_session **ret,
				     char **ret_message)
{
	struct bus_session opened;
	struct bus_error error;
	int r;

	if (ret_message)
		*ret_message = NULL;
	if (request->finished)
		return -EALREADY;
	r = wtrack__bus_call_finish(request->call, &opened, &error);
	if (r == -EAGAIN)
		return r;
	if (r < 0) {
		request->finished = true;
		return fail(r, &error, ret_message);
	}
	r = take(request, &opened, ret);
	if ((r == -EACCES || r == -ENOSYS) && !request->args.attach) {
		r = ask_again(request);
		if (r != -EAGAIN)
			r = errno_of_call(r, &error);
	}
	request->finished = r != -EAGAIN;
	return r;
}

WTRACK_API void wtrack_request_close(struct wtrack_request *request)
{
	if (!request)
		return;
	if (request->call)
		wtrack__bus_call_free(request->call);
	if (request->ranges)
		wtrack__sys_free(request->ranges);
	if (request->vm)
		wtrack__sys_free(request->vm);
	wtrack__sys_free(request);
}

/* A signal ends the wait, and with it the request. */
static int open_daemon(const char *vm, const struct wtrack_restriction *wanted,
		       size_t size, unsigned int flags,
		       struct wtrack_session **ret, char **ret_message)
{
	struct wtrack_request *request;
	short revents;
	int r;

	if (ret_message)
		*ret_message = NULL;
	r = wtrack_request_new(vm, wanted, size, flags, &request);
	if (r < 0)
		return r;
	for (;;) {
		r = wtrack_request_finish(request, ret, ret_message);
		if (r != -EAGAIN)
			break;
		r = wtrack__sys_poll(wtrack_request_get_fd(request), POLLIN, -1,
				     &revents);
		if (r < 0)
			break;
	}
	wtrack_request_close(request);
	return r;
}

WTRACK_API int wtrack_session_open_daemon(const char *vm, unsigned int flags,
					  struct wtrack_session **ret,
					  char **ret_message)
{
	return open_daemon(vm, NULL, 0, flags, ret, ret_message);
}

WTRACK_API int wtrack_session_open_daemon_pid(int pid, unsigned int flags,
					      struct wtrack_session **ret,
					      char **ret_message)
{
	char vm[16];

	if (pid <= 0) {
		if (ret_message)
			*ret_message = NULL;
		return -EINVAL;
	}
	snprintf(vm, sizeof(vm), "%d", pid);
	return open_daemon(vm, NULL, 0, flags, ret, ret_message);
}

WTRACK_API int
wtrack_session_open_daemon_restricted(const char *vm,
				      const struct wtrack_restriction *wanted,
				      size_t size, unsigned int flags,
				      struct wtrack_session **ret,
				      char **ret_message)
{
	return open_daemon(vm, wanted, size, flags, ret, ret_message);
}
