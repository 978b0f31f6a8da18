// SPDX-License-Identifier: GPL-2.0-or-later
/* What a new recording says of itself. */
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

#include <wtrack/status.h>

#include "bus.h"
#include "follow.h"
#include "mem.h"
#include "rec_start.h"
#include "recording.h"

/* The daemon knows names; without one it is what the user called the VM. */
static char *vm_name(struct ctl *ctl)
{
	const char *vm = args_vm(&ctl->args), *path;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char *name = NULL, *copy;
	int r;

	r = bus_open(ctl);
	if (r >= 0)
		r = bus_call(ctl, BUS_PATH, BUS_MANAGER, "FindVM", &error,
			     &reply, "s", vm);
	if (r >= 0)
		r = sd_bus_message_read_basic(reply, 'o', &path);
	if (r >= 0)
		r = sd_bus_get_property_string(ctl->bus, BUS_NAME, path,
					       BUS_VM, "Name", &error, &name);
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	copy = mem_strdup(r >= 0 && name ? name : vm);
	free(name);
	return copy;
}

static uint64_t realtime_of(uint64_t mono_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec -
	       (stream_now_ns() - mono_ns);
}

int rec_start(struct follow *follow, int fd, struct rec_writer **ret)
{
	const struct args *args = &follow->ctl->args;
	struct utsname host;
	struct wtrack_status status = { 0 };
	struct rec_meta meta = {
		.program = (char *)"wtrackctl " VERSION,
		.vm_name = vm_name(follow->ctl),
		.mono_ns = follow->stream.started_ns,
		.real_ns = realtime_of(follow->stream.started_ns),
		.budget = follow->budget,
		.period_ms = follow->period_ms,
		.ranges = args->ranges,
		.nr_ranges = args->nr_ranges,
	};
	int r;

	uname(&host);
	meta.kernel = host.release;
	meta.host = host.nodename;
	if (!wtrack_session_get_status(follow->session, &status,
				       sizeof(status)))
		meta.vm_pid = status.vm_pid;
	r = rec_writer_new(fd, &meta, ret);
	free(meta.vm_name);
	return r;
}
