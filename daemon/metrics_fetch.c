// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "metrics_fetch.h"

#define CALL_USEC	5000000

/* Does not start a daemon that somebody has stopped. */
static int call_daemon(sd_bus *bus, sd_bus_message **ret)
{
	sd_bus_message *call = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &call, "org.wtrack1",
					   "/org/wtrack1",
					   "org.wtrack1.Manager", "GetMetrics");
	if (r < 0)
		return r;
	r = sd_bus_message_set_auto_start(call, 0);
	if (r >= 0)
		r = sd_bus_call(bus, call, CALL_USEC, NULL, ret);
	sd_bus_message_unref(call);
	return r;
}

int metrics_fetch(char **ret)
{
	sd_bus_message *reply = NULL;
	sd_bus *bus = NULL;
	const char *text;
	int r;

	r = sd_bus_open_system(&bus);
	if (r < 0)
		return r;
	r = call_daemon(bus, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &text);
	if (r >= 0) {
		*ret = strdup(text);
		r = *ret ? 0 : -ENOMEM;
	}
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return r;
}
