// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "common/vm_text.h"
#include "mem.h"
#include "open.h"

/* How many refused ranges are told of one by one. */
#define MAX_REFUSALS	8
#define LEAST_RECORDS	64

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

/*
 * Ask for just what is needed: all of it counts against the limits of the user. polkit
 * may ask the user for a password, on the terminal or on the desktop, unless
 * --no-ask-password was given.
 */
static int ask_daemon(struct ctl *ctl, const char *vm, uint64_t max_pages,
		      uint32_t max_records, struct wtrack_session **ret,
		      char **ret_message)
{
	const struct wtrack_restriction wanted = {
		.ranges = ctl->args.ranges,
		.nr_ranges = ctl->args.nr_ranges,
		.max_pages = max_pages,
		.max_records = max_records,
	};
	bool ask = ctl->ask_password;
	pid_t agent = ask ? agent_start() : 0;
	int r;

	r = wtrack_session_open_daemon_restricted(vm, &wanted, sizeof(wanted),
						  ask ? WTRACK_OPEN_INTERACTIVE
						      : 0,
						  ret, ret_message);
	agent_stop(agent);
	return r;
}

/* PID or PID:FD; names only the daemon knows. */
static int open_directly(const char *vm, struct wtrack_session **ret)
{
	pid_t pid;
	int fd;

	if (vm_text_parse(vm, &pid, &fd))
		return -ECONNREFUSED;
	if (fd >= 0)
		return wtrack_session_open_pid_fd(pid, fd, ret);
	return wtrack_session_open_pid(pid, ret);
}

static const char *hint_of(int err)
{
	switch (err) {
	case -ESRCH:
		return "`wtrackctl list` shows those that run";
	case -ENOTUNIQ:
		return "name it by PID or PID:FD, as `wtrackctl list` shows them";
	case -EACCES:
	case -EDQUOT:
		return "wtrackd.conf(5) tells who may do what";
	case -ETIMEDOUT:
		return "`systemctl status wtrackd` tells what it does";
	default:
		return "`wtrackctl doctor` tells what is missing";
	}
}

static int tell(struct ctl *ctl, int err, const char *vm, const char *message)
{
	if (message)
		return ctl_fail(ctl, exit_code_of(err), "%s; %s", message,
				hint_of(err));
	if (err == -ECONNREFUSED)
		return ctl_fail(ctl, EXIT_UNSUPPORTED, "VM %s: wtrackd does not "
				"run; start it with `systemctl start wtrackd`",
				vm);
	return ctl_fail(ctl, exit_code_of(err), "VM %s: %s", vm,
			wtrack_strerror(err));
}

static int open_limited(struct ctl *ctl, uint64_t max_pages,
			uint32_t max_records, struct wtrack_session **ret)
{
	const char *vm = args_vm(&ctl->args);
	char *message = NULL;
	int r, direct;

	r = ask_daemon(ctl, vm, max_pages, max_records, ret, &message);
	if (r == -ECONNREFUSED) {
		direct = open_directly(vm, ret);
		/* What is missing then is the daemon, rather than rights. */
		r = direct == -EACCES ? r : direct;
	}
	if (r)
		r = tell(ctl, r, vm, message);
	free(message);
	return r;
}

int open_session(struct ctl *ctl, uint32_t max_records,
		 struct wtrack_session **ret)
{
	return open_limited(ctl, nr_pages(&ctl->args), max_records, ret);
}

static int check_sync(struct ctl *ctl)
{
	struct wtrack_info info;
	int r = wtrack_get_info(&info, sizeof(info));

	/* To some users only the daemon gives a session. */
	if (r || info.features & WTRACK_FEAT_SYNC)
		return 0;
	return ctl_fail(ctl, EXIT_UNSUPPORTED, "this module does not let vCPUs "
			"wait; load that of this release");
}

/* The same VM, if the VMM's number is of the same process in the end. */
static int open_past_daemon(const struct ctl *ctl, pid_t vm_pid,
			    struct wtrack_session **ret)
{
	const char *vm = args_vm(&ctl->args);
	pid_t pid;
	int fd;

	if (vm_text_parse(vm, &pid, &fd) || fd < 0)
		return wtrack_session_open_pid(vm_pid, ret);
	return wtrack_session_open_pid_fd(pid, fd, ret);
}

static int replace_session(struct ctl *ctl, struct wtrack_session **session,
			   const struct wtrack_status *status)
{
	struct wtrack_session *direct;
	struct wtrack_status now;
	int r = open_past_daemon(ctl, status->vm_pid, &direct);

	if (!r)
		r = wtrack_session_get_status(direct, &now, sizeof(now));
	if (!r && now.vm_id != status->vm_id) {
		wtrack_session_close(direct);
		r = -ESRCH;
	}
	wtrack_session_close(*session);
	if (r == -EACCES || r == -EPERM)
		return ctl_fail(ctl, EXIT_PERMISSION, "wtrackd gives you no "
				"session for which vCPUs wait; be root, or be let "
				"open /dev/kvm-wtrack: kvm-wtrack(7)");
	*session = direct;
	return r ? open_fail(ctl, r, "opening the VM") : 0;
}

int open_sync_session(struct ctl *ctl, uint32_t max_records,
		      struct wtrack_session **ret)
{
	struct wtrack_status status;
	int r = check_sync(ctl);

	if (!r)
		r = open_session(ctl, max_records, ret);
	if (r)
		return r;
	r = wtrack_session_get_status(*ret, &status, sizeof(status));
	if (!r && !(status.rights & WTRACK_RIGHT_SYNC))
		return replace_session(ctl, ret, &status);
	if (r) {
		wtrack_session_close(*ret);
		return open_fail(ctl, r, "asking for the session's rights");
	}
	return 0;
}

/* The least there is: 0 would mean all that the user may have. */
int open_reader(struct ctl *ctl, struct wtrack_session **ret)
{
	return open_limited(ctl, 1, LEAST_RECORDS, ret);
}

int open_sampler(struct ctl *ctl, uint64_t max_pages, uint32_t max_records,
		 struct wtrack_session **ret)
{
	return open_limited(ctl, max_pages, max_records, ret);
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

/* @r: what adding the pages of --gfn and --gpa returned. */
static int added(struct ctl *ctl, int r, const struct wtrack_result *results)
{
	uint64_t done = 0;
	size_t i;

	for (i = 0; i < ctl->args.nr_ranges; i++)
		done += results[i].done;
	if (r && done && r != -ESRCH) {
		tell_refusals(ctl, results);
		r = 0;
	}
	return r ? open_fail(ctl, r, "tracking the pages") : 0;
}

int open_pages(struct ctl *ctl, struct wtrack_session *session, bool *ret_all)
{
	const struct args *args = &ctl->args;
	struct wtrack_result *results;
	size_t i;
	int r;

	results = mem_zalloc(args->nr_ranges * sizeof(*results));
	r = wtrack_session_add(session, args->ranges, args->nr_ranges, results,
			       0);
	for (i = 0; i < args->nr_ranges; i++)
		*ret_all &= results[i].error != -ENOENT;
	r = added(ctl, r, results);
	free(results);
	return r;
}

int open_mirror_pages(struct ctl *ctl, struct wtrack_mirror *mirror)
{
	const struct args *args = &ctl->args;
	struct wtrack_result *results;
	int r;

	results = mem_zalloc(args->nr_ranges * sizeof(*results));
	r = wtrack_mirror_add(mirror, args->ranges, args->nr_ranges, results,
			      0);
	r = added(ctl, r, results);
	free(results);
	return r;
}
