// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "util.h"

/* sd-bus has the same call, but waits for the answer and leaves out groups. */
int caller_ask(sd_bus_message *call, sd_bus_message_handler_t fn,
	       void *userdata, sd_bus_slot **ret)
{
	return sd_bus_call_method_async(sd_bus_message_get_bus(call), ret,
					"org.freedesktop.DBus",
					"/org/freedesktop/DBus",
					"org.freedesktop.DBus",
					"GetConnectionCredentials", fn,
					userdata, "s",
					sd_bus_message_get_sender(call));
}

struct credentials {
	struct policy_caller caller;
	gid_t *groups;
	bool has_uid;
};

static int read_number(sd_bus_message *m, uint32_t *ret)
{
	return sd_bus_message_read(m, "v", "u", ret);
}

static int read_groups(sd_bus_message *m, struct credentials *c)
{
	const void *groups;
	size_t size;
	int r;

	_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "au is no gid_t[]");
	r = sd_bus_message_enter_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'u', &groups, &size);
	if (r < 0)
		return r;
	free(c->groups);
	c->groups = malloc(size + 1);
	if (!c->groups)
		return -ENOMEM;
	memcpy(c->groups, groups, size);
	c->caller.nr_groups = size / sizeof(gid_t);
	return sd_bus_message_exit_container(m);
}

static int read_one(sd_bus_message *m, const char *name, struct credentials *c)
{
	uint32_t number;
	int r;

	if (!strcmp(name, "UnixUserID")) {
		r = read_number(m, &number);
		c->caller.uid = number;
		c->has_uid = r >= 0;
		return r;
	}
	if (!strcmp(name, "ProcessID")) {
		r = read_number(m, &number);
		c->caller.pid = (pid_t)number;
		return r;
	}
	if (!strcmp(name, "UnixGroupIDs"))
		return read_groups(m, c);
	return sd_bus_message_skip(m, "v");
}

static int read_all(sd_bus_message *m, struct credentials *c)
{
	const char *name;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = read_one(m, name, c);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : c->has_uid ? 0 : -ENODATA;
}

int caller_read(sd_bus_message *reply, struct policy_caller *ret,
		gid_t **ret_groups)
{
	struct credentials c = {};
	int r;

	if (sd_bus_message_is_method_error(reply, NULL))
		return -sd_bus_message_get_errno(reply);
	r = read_all(reply, &c);
	if (r < 0) {
		free(c.groups);
		return r;
	}
	*ret = c.caller;
	ret->groups = c.groups;
	*ret_groups = c.groups;
	return 0;
}
