// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "mem.h"
#include "open.h"
#include "parse.h"
#include "text.h"

/* How many refused ranges are told of one by one. */
#define MAX_REFUSALS	8

int open_fail(struct ctl *ctl, int err, const char *what)
{
	return ctl_fail(ctl, exit_code_of(err), "%s: %s", what,
			wtrack_strerror(err));
}

/* Ranges may overlap: never less than what is needed. */
static uint64_t nr_pages(const struct args *args)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < args->nr_ranges; i++)
		pages += args->ranges[i].nr_pages;
	return pages;
}

static int append_ranges(sd_bus_message *m, const struct args *args)
{
	size_t i;
	int r;

	r = sd_bus_message_open_container(m, 'e', "sv");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', "ranges");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(tt)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(tt)");
	for (i = 0; i < args->nr_ranges && r >= 0; i++)
		r = sd_bus_message_append(m, "(tt)", args->ranges[i].gfn,
					  args->ranges[i].nr_pages);
	for (i = 0; i < 3 && r >= 0; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* Just what is needed: all of it counts against the limits of the user. */
static int append_options(sd_bus_message *m, const struct args *args,
			  uint32_t max_records)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r >= 0 && args->nr_ranges)
		r = sd_bus_message_append(m, "{sv}", "max_pages", "t",
					  nr_pages(args));
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "max_records", "u",
					  max_records);
	if (r >= 0 && args->nr_ranges)
		r = append_ranges(m, args);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int ask(struct ctl *ctl, const char *vm, uint32_t max_records,
	       sd_bus_error *error, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int r;

	r = bus_open(ctl);
	if (r >= 0)
		r = sd_bus_message_new_method_call(ctl->bus, &m, BUS_NAME,
						   BUS_PATH, BUS_MANAGER,
						   "OpenSession");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', vm);
	if (r >= 0)
		r = append_options(m, &ctl->args, max_records);
	if (r >= 0)
		r = sd_bus_message_set_allow_interactive_authorization(m,
				isatty(STDIN_FILENO));
	if (r >= 0)
		r = sd_bus_call(ctl->bus, m, 0, error, ret);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

/* The descriptor of the message ends with the message. */
static int take(struct ctl *ctl, sd_bus_message *reply,
		struct wtrack_session **ret)
{
	int fd, copy, r;

	r = sd_bus_message_read_basic(reply, 'h', &fd);
	if (r < 0)
		return bus_fail_answer(ctl, r);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return open_fail(ctl, -errno, "the session of wtrackd");
	r = wtrack_session_open_fd(copy, ret);
	if (r < 0) {
		close(copy);
		return open_fail(ctl, r, "the session of wtrackd");
	}
	return 0;
}

/* PID or PID:FD; names only the daemon knows. */
static int open_directly(const char *vm, struct wtrack_session **ret)
{
	char *colon = strchr(vm, ':');
	char *pid_text = mem_strdup(vm);
	uint64_t pid, fd = 0;
	int r;

	pid_text[strcspn(pid_text, ":")] = '\0';
	r = parse_u64(pid_text, &pid);
	free(pid_text);
	if (!r && colon)
		r = parse_u64(colon + 1, &fd);
	if (r || pid > INT32_MAX || fd > INT32_MAX)
		return -ECONNREFUSED;
	if (colon)
		return wtrack_session_open_pid_fd((int)pid, (int)fd, ret);
	return wtrack_session_open_pid((int)pid, ret);
}

int open_session(struct ctl *ctl, uint32_t max_records,
		 struct wtrack_session **ret)
{
	const char *vm = args_vm(&ctl->args);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char *what;
	int r;

	r = ask(ctl, vm, max_records, &error, &reply);
	if (!r) {
		r = take(ctl, reply, ret);
		sd_bus_message_unref(reply);
		return r;
	}
	what = text_printf("VM %s", vm);
	if (!bus_is_absent(r, &error)) {
		r = bus_fail(ctl, r, &error, what);
	} else {
		int direct = open_directly(vm, ret);

		/* What is missing is the daemon, rather than rights. */
		if (!direct)
			r = 0;
		else if (direct == -ECONNREFUSED || direct == -EACCES)
			r = bus_fail(ctl, r, &error, what);
		else
			r = open_fail(ctl, direct, what);
		sd_bus_error_free(&error);
	}
	free(what);
	return r;
}

static void tell_refusals(const struct ctl *ctl,
			  const struct wtrack_result *results)
{
	const struct args *args = &ctl->args;
	size_t i, told = 0;

	for (i = 0; i < args->nr_ranges; i++) {
		if (!results[i].error || told++ >= MAX_REFUSALS)
			continue;
		ctl_note(ctl, "wtrackctl: gfn %#llx: %llu of %llu pages are "
			 "tracked: %s",
			 (unsigned long long)results[i].error_gfn,
			 (unsigned long long)results[i].done,
			 (unsigned long long)args->ranges[i].nr_pages,
			 wtrack_strerror(results[i].error));
	}
}

static int add_pages(struct ctl *ctl, struct wtrack_session *session)
{
	const struct args *args = &ctl->args;
	struct wtrack_result *results;
	uint64_t done = 0;
	size_t i;
	int r;

	results = mem_zalloc(args->nr_ranges * sizeof(*results));
	r = wtrack_session_add(session, args->ranges, args->nr_ranges, results,
			       0);
	for (i = 0; i < args->nr_ranges; i++)
		done += results[i].done;
	if (r && done && r != -ESRCH) {
		tell_refusals(ctl, results);
		r = 0;
	}
	free(results);
	return r ? open_fail(ctl, r, "tracking the pages") : 0;
}

int open_ring(struct ctl *ctl, struct wtrack_session *session,
	      uint32_t records, unsigned int flags)
{
	int r = wtrack_session_make_ring(session, records, flags, 0, 0);

	if (r < 0)
		return open_fail(ctl, r, "making the ring");
	return add_pages(ctl, session);
}
