// SPDX-License-Identifier: LGPL-2.1-or-later
/* The only place that talks to the system bus. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "bus.h"

/* Whoever is asked for a password has five minutes. */
#define TIMEOUT_USEC	(UINT64_C(6) * 60 * 1000000)

static int append_ranges(sd_bus_message *call, const struct bus_open *args)
{
	size_t i;
	int r;

	r = sd_bus_message_open_container(call, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append(call, "s", "ranges");
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'v', "a(tt)");
	if (r >= 0)
		r = sd_bus_message_open_container(call, 'a', "(tt)");
	for (i = 0; r >= 0 && i < args->nr_ranges; i++)
		r = sd_bus_message_append(call, "(tt)", args->ranges[i].gfn,
					  args->ranges[i].nr_pages);
	for (i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(call);
	return r;
}

static int append_options(sd_bus_message *call, const struct bus_open *args)
{
	int r;

	r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0 && args->max_pages)
		r = sd_bus_message_append(call, "{sv}", "max_pages", "t",
					  args->max_pages);
	if (r >= 0 && args->max_records)
		r = sd_bus_message_append(call, "{sv}", "max_records", "u",
					  args->max_records);
	if (r >= 0 && args->nr_ranges)
		r = append_ranges(call, args);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int make_call(sd_bus *bus, const struct bus_open *args,
		     sd_bus_message **ret)
{
	int r;

	r = sd_bus_message_new_method_call(bus, ret, "org.wtrack1",
					   "/org/wtrack1",
					   "org.wtrack1.Manager",
					   "OpenSession");
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(*ret,
								       true);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "s", args->vm);
	return r < 0 ? r : append_options(*ret, args);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int take_error(const sd_bus_error *error, int r,
		      struct bus_error *ret_error)
{
	if (!sd_bus_error_is_set(error))
		return r;
	ret_error->name = copy(error->name);
	ret_error->message = copy(error->message);
	return -EREMOTEIO;
}

/* The message keeps its descriptor. */
static int take_fd(sd_bus_message *reply)
{
	int fd, r;

	r = sd_bus_message_read(reply, "h", &fd);
	if (r < 0)
		return r == -ENOMEM ? r : -EPROTO;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

static int call_daemon(sd_bus *bus, const struct bus_open *args,
		       struct bus_error *ret_error)
{
	sd_bus_message *call = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = make_call(bus, args, &call);
	if (r >= 0)
		r = sd_bus_call(bus, call, TIMEOUT_USEC, &error, &reply);
	r = r < 0 ? take_error(&error, r, ret_error) : take_fd(reply);
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(call);
	return r;
}

int wtrack__bus_open_session(const struct bus_open *args,
			     struct bus_error *ret_error)
{
	int saved = errno;
	sd_bus *bus = NULL;
	int r;

	*ret_error = (struct bus_error) { NULL, NULL };
	/* One of its own: the caller's threads may use theirs meanwhile. */
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = call_daemon(bus, args, ret_error);
	else if (r != -ENOMEM && r != -EMFILE && r != -ENFILE)
		r = -ECONNREFUSED;
	sd_bus_flush_close_unref(bus);
	errno = saved;
	return r;
}

void wtrack__bus_error_done(struct bus_error *error)
{
	int saved = errno;

	free(error->name);
	free(error->message);
	*error = (struct bus_error) { NULL, NULL };
	errno = saved;
}
