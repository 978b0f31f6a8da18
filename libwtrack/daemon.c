// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions that wtrackd opens for who may not open the device. */
#include <errno.h>
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

static int open_daemon(const struct bus_open *args, struct wtrack_session **ret,
		       char **ret_message)
{
	struct bus_error error;
	int fd, r;

	if (ret_message)
		*ret_message = NULL;
	fd = wtrack__bus_open_session(args, &error);
	if (fd < 0)
		return fail(fd, &error, ret_message);
	r = wtrack_session_open_fd(fd, ret);
	if (r < 0) {
		wtrack__sys_close(fd);
		return r == -ENOMEM ? r : -EPROTO;
	}
	return 0;
}

WTRACK_API int wtrack_session_open_daemon(const char *vm,
					  struct wtrack_session **ret,
					  char **ret_message)
{
	const struct bus_open args = { .vm = vm };

	return open_daemon(&args, ret, ret_message);
}

WTRACK_API int wtrack_session_open_daemon_pid(int pid,
					      struct wtrack_session **ret,
					      char **ret_message)
{
	char vm[16];
	const struct bus_open args = { .vm = vm };

	if (pid <= 0) {
		if (ret_message)
			*ret_message = NULL;
		return -EINVAL;
	}
	snprintf(vm, sizeof(vm), "%d", pid);
	return open_daemon(&args, ret, ret_message);
}

WTRACK_API int
wtrack_session_open_daemon_restricted(const char *vm,
				      const struct wtrack_restriction *wanted,
				      size_t size, struct wtrack_session **ret,
				      char **ret_message)
{
	struct wtrack_restriction limits;
	struct bus_open args = { .vm = vm };
	int r;

	if (ret_message)
		*ret_message = NULL;
	r = wtrack__load_sized(&limits, sizeof(limits), wanted, size);
	if (r < 0)
		return r;
	if (limits.reserved || limits.budget || limits.period_ms)
		return -EINVAL;
	args.ranges = limits.ranges;
	args.nr_ranges = limits.nr_ranges;
	args.max_pages = limits.max_pages;
	args.max_records = limits.max_records;
	return open_daemon(&args, ret, ret_message);
}
