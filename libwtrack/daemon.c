// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions that wtrackd opens for who may not open the device. */
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

/* What systemd could not start has one of many names. */
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

/* The message is the caller's, if there is one and he wants it. */
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
	uint64_t rights;	/* of those that the daemon grants; 0: all */
	bool finished;
};

/* What the caller may ask for; 0, or why not. */
static int load_wanted(const struct wtrack_restriction *wanted, size_t size,
		       struct bus_open *args, uint64_t *ret_rights)
{
	struct wtrack_restriction limits;
	int r;

	r = wtrack__load_sized(&limits, sizeof(limits), wanted, size);
	if (r < 0)
		return r;
	if (limits.budget || limits.period_ms || limits.max_sync_us)
		return -EINVAL;
	*ret_rights = limits.rights;
	args->ranges = limits.ranges;
	args->nr_ranges = limits.nr_ranges;
	args->max_pages = limits.max_pages;
	args->max_records = limits.max_records;
	return 0;
}

WTRACK_API int wtrack_request_new(const char *vm,
				  const struct wtrack_restriction *wanted,
				  size_t size, unsigned int flags,
				  struct wtrack_request **ret)
{
	struct bus_open args = {
		.vm = vm,
		.interactive = flags & WTRACK_OPEN_INTERACTIVE,
	};
	const struct bus_error none = { NULL, NULL };
	struct wtrack_request *request;
	uint64_t rights = 0;
	int r = 0;

	if (flags & ~WTRACK_OPEN_INTERACTIVE)
		return -EINVAL;
	if (wanted)
		r = load_wanted(wanted, size, &args, &rights);
	if (r < 0)
		return r;
	request = wtrack__sys_alloc(sizeof(*request));
	if (!request)
		return -ENOMEM;
	request->rights = rights;
	r = wtrack__bus_call_new(&args, &request->call);
	if (r < 0) {
		wtrack__sys_free(request);
		return errno_of_call(r, &none);
	}
	*ret = request;
	return 0;
}

WTRACK_API int wtrack_request_get_fd(const struct wtrack_request *request)
{
	return wtrack__bus_call_get_fd(request->call);
}

/* The daemon is not asked for fewer rights than it grants: they are given up. */
static int give_up_rights(const struct wtrack_request *request,
			  struct wtrack_session *session)
{
	const struct wtrack_restriction limits = { .rights = request->rights };

	if (!request->rights)
		return 0;
	return wtrack_session_restrict(session, &limits, sizeof(limits));
}

/* Takes the descriptor. */
static int take_session(const struct wtrack_request *request, int fd,
			struct wtrack_session **ret)
{
	struct wtrack_session *session;
	int r;

	r = wtrack_session_open_fd(fd, &session);
	if (r < 0) {
		wtrack__sys_close(fd);
		return r;
	}
	r = give_up_rights(request, session);
	if (r < 0) {
		wtrack_session_close(session);
		return r;
	}
	*ret = session;
	return 0;
}

WTRACK_API int wtrack_request_finish(struct wtrack_request *request,
				     struct wtrack_session **ret,
				     char **ret_message)
{
	struct bus_error error;
	int fd, r;

	if (ret_message)
		*ret_message = NULL;
	if (request->finished)
		return -EALREADY;
	fd = wtrack__bus_call_finish(request->call, &error);
	if (fd == -EAGAIN)
		return fd;
	request->finished = true;
	if (fd < 0)
		return fail(fd, &error, ret_message);
	r = take_session(request, fd, ret);
	return r == 0 || r == -ENOMEM ? r : -EPROTO;
}

WTRACK_API void wtrack_request_close(struct wtrack_request *request)
{
	if (!request)
		return;
	wtrack__bus_call_free(request->call);
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
