// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stops a VM behind a store. The vCPU waits for this reader of a synchronous session
 * when it has stored. While it waits, the VMM is told to stop, and the event is
 * released when the thread of each vCPU that waits has a signal: then the vCPU leaves
 * KVM before its next instruction (wtrack/ring.h).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

#include "command.h"
#include "diff.h"
#include "event.h"
#include "event_text.h"
#include "filter.h"
#include "follow.h"
#include "json.h"
#include "pause.h"
#include "ranges.h"

#define LOOK_US		50

/**
 * struct breaker - one run of the command
 * @ctl: the run
 * @diff: the mirror of the pages, in a synchronous session
 * @pauser: what stops the VM
 * @filter: which stores stop it
 * @stopping: the VM was told to stop, which was not shown yet
 * @place: where it stops, enum event_stop
 * @vcpu: whose store it is, or -1
 * @more: its next event has more of the same store
 * @hold_ns: for how long to wait for a key, UINT64_MAX without a bound
 * @keys: standard input may have some
 */
struct breaker {
	struct ctl *ctl;
	struct diff diff;
	struct pauser pauser;
	struct filter filter;
	bool stopping;
	enum event_stop place;
	int32_t vcpu;
	bool more;
	uint64_t hold_ns;
	bool keys;
};

static void show(const struct breaker *breaker, const struct event *event)
{
	const struct ctl *ctl = breaker->ctl;

	if (ctl->json != JSON_OFF)
		json_print(ctl, event_to_json(event));
	else
		event_print(stdout, event, breaker->diff.stream.started_ns);
}

static void show_step(const struct breaker *breaker, int type, uint32_t code)
{
	const struct event event = {
		.type = type,
		.time_ns = stream_now_ns(),
		.vcpu = -1,
		.code = code,
	};

	show(breaker, &event);
}

static void fail(struct breaker *breaker, int err, const char *what)
{
	stream_stop(&breaker->diff.stream, STREAM_ERROR,
		    ctl_fail(breaker->ctl, exit_code_of(err), "%s: %s", what,
			     strerror(-err)));
}

/*
 * The VMM's threads tell each other of the signal: true when each vCPU that waits
 * knows of it, false when none waits any more. The module bounds how long they wait.
 */
static bool wait_until_signalled(const struct breaker *breaker)
{
	uint32_t waiters, signalled;

	for (;;) {
		if (wtrack_session_get_waiters(breaker->diff.session, &waiters,
					       &signalled) || !waiters)
			return false;
		if (signalled == waiters)
			return true;
		usleep(LOOK_US);
	}
}

static void stop_vm(struct breaker *breaker, const struct wtrack_change *change)
{
	bool is_store = change->what == WTRACK_CHANGED_WRITE;
	int r = pauser_stop(&breaker->pauser);
	bool waits = !r && wait_until_signalled(breaker);

	if (r && r != -ESRCH)
		fail(breaker, r, "stopping the VM");
	if (breaker->stopping || r)
		return;
	breaker->stopping = true;
	breaker->vcpu = is_store ? wtrack_event_get_vcpu(change->event) : -1;
	breaker->more = is_store && wtrack_event_has_more(change->event);
	breaker->place = !is_store ? STOP_UNSEEN :
		waits && !wtrack_event_is_async(change->event) ? STOP_EXACT :
								STOP_LATE;
}

/* Another store of this vCPU: it is ahead of the stop, unless it is the same store. */
static void check_place(struct breaker *breaker,
			const struct wtrack_change *change)
{
	if (!breaker->stopping || change->what != WTRACK_CHANGED_WRITE ||
	    wtrack_event_get_vcpu(change->event) != breaker->vcpu)
		return;
	if (!breaker->more && breaker->place == STOP_EXACT)
		breaker->place = STOP_LATE;
	breaker->more = wtrack_event_has_more(change->event);
}

static void on_change(struct diff *diff, const struct wtrack_change *change)
{
	struct breaker *breaker = diff->userdata;
	struct event event;

	event_from_change(&event, change, stream_now_ns());
	if (event_is_loss(&event))
		diff->stream.losses++;
	check_place(breaker, change);
	if (!filter_match(&breaker->filter, &event))
		return;
	/* The vCPU waits: first of all, it is kept from going on. */
	if (event.type != EVENT_STATE)
		stop_vm(breaker, change);
	show(breaker, &event);
}

/* Of other vCPUs, until all are stopped. */
static void take_rest(struct breaker *breaker)
{
	const struct wtrack_change *change;

	while (wtrack_mirror_update(breaker->diff.mirror, &change) > 0)
		on_change(&breaker->diff, change);
}

/*
 * Without ICANON a key is there when it is pressed. What was typed before the VM has
 * stopped was not meant for it.
 */
static bool set_terminal(struct termios *ret_before)
{
	struct termios wanted;

	if (tcgetattr(STDIN_FILENO, ret_before))
		return false;
	wanted = *ret_before;
	wanted.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	wanted.c_cc[VMIN] = 1;
	wanted.c_cc[VTIME] = 0;
	return !tcsetattr(STDIN_FILENO, TCSAFLUSH, &wanted);
}

static bool add_to(int set, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return !epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* A key, or the end of keys; the end of the terminal ends the command. */
static void read_key(struct breaker *breaker)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n > 0)
		return;
	breaker->keys = false;
	if (n < 0 || isatty(STDIN_FILENO))
		stream_stop(&breaker->diff.stream, STREAM_SIGNAL, EXIT_OK);
}

/* The keys of a terminal are those of the jobs in its foreground. */
static bool is_in_background(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp();
}

/* Until there is a key, its time is over, the stream ends, or the VMM does. */
static void hold(struct breaker *breaker)
{
	struct stream *stream = &breaker->diff.stream;
	int64_t left = breaker->hold_ns > INT64_MAX ? -1 :
						(int64_t)breaker->hold_ns;
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { 0 };
	bool keys = breaker->keys && !is_in_background();
	struct termios before;
	bool restore;

	/* Files and /dev/null, which cannot be waited for, have no keys. */
	keys = keys && add_to(set, STDIN_FILENO);
	if (keys || left >= 0) {
		restore = keys && set_terminal(&before);
		add_to(set, breaker->pauser.pidfd);
		if (stream_wait(stream, set, left) == STREAM_READY &&
		    epoll_wait(set, &event, 1, 0) == 1 &&
		    event.data.fd == STDIN_FILENO)
			read_key(breaker);
		if (restore)
			tcsetattr(STDIN_FILENO, TCSANOW, &before);
	}
	close(set);
}

static void go_on(struct breaker *breaker)
{
	int r = pauser_continue(&breaker->pauser);

	breaker->stopping = false;
	if (r && r != -ESRCH)
		fail(breaker, r, "having the VM go on");
	else
		show_step(breaker, EVENT_CONTINUED, 0);
}

/* All events are released: those who waited leave KVM, and the VM stops. */
static void on_quiet(struct diff *diff)
{
	struct breaker *breaker = diff->userdata;
	int r;

	if (!breaker->stopping)
		return;
	r = pauser_wait(&breaker->pauser);
	if (r == -ESRCH) {
		breaker->stopping = false;
		return;
	}
	take_rest(breaker);
	if (r) {
		fail(breaker, r, "waiting until the VM has stopped");
	} else {
		show_step(breaker, EVENT_STOPPED, breaker->place);
		hold(breaker);
	}
	go_on(breaker);
	stream_count(&diff->stream);
}

/* Nothing is tracked before it is known that the VM can be stopped. */
static int on_session(struct diff *diff)
{
	struct breaker *breaker = diff->userdata;

	return pauser_open(&breaker->pauser, breaker->ctl, diff->session,
			   args_string(&breaker->ctl->args, "qmp", NULL));
}

static void start(const struct breaker *breaker)
{
	const struct args *args = &breaker->ctl->args;
	struct wtrack_mirror_status status;
	struct event event = {
		.type = EVENT_STARTED,
		.time_ns = breaker->diff.stream.started_ns,
		.nr_tracked = ranges_pages(args->ranges, args->nr_ranges),
		.vcpu = -1,
	};

	if (!wtrack_mirror_get_status(breaker->diff.mirror, &status,
				      sizeof(status)))
		event.nr_pages = status.pages - status.absent - status.removed;
	if (breaker->ctl->json == JSON_OFF && breaker->ctl->legend)
		event_print_heading(stdout);
	show(breaker, &event);
}

static int follow(struct breaker *breaker)
{
	struct diff *diff = &breaker->diff;
	int r = diff_open(diff, breaker->ctl, WTRACK_RING_SYNC);

	if (!r) {
		diff->stream.output_only = true;
		start(breaker);
		diff_run(diff);
	}
	/* Before the last line: whoever is to read it may not. */
	pauser_close(&breaker->pauser);
	if (r)
		return r;
	r = stream_end(&diff->stream, NULL);
	diff_close(diff);
	return r;
}

static int read_options(struct breaker *breaker)
{
	const struct args *args = &breaker->ctl->args;
	const char *value = args_string(args, "value", NULL);

	filter_init(&breaker->filter);
	filter_set_spans(&breaker->filter, args);
	breaker->hold_ns = args_number(args, "hold", UINT64_MAX);
	if (value && filter_set_value(&breaker->filter, value))
		return ctl_fail(breaker->ctl, EXIT_USAGE, "--value=%s: not a "
				"value; examples are 0x12, 0x1200/0xff00 and "
				"de:ad:??:ef", value);
	return 0;
}

/*
 * A reader of the output that has gone, and Ctrl-Z, would end or stop this process
 * while the VM is stopped.
 */
static int run(struct ctl *ctl)
{
	static const int unwanted[] = { SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };
	struct breaker breaker = { .ctl = ctl, .keys = true, .vcpu = -1 };
	struct pollfd out = { .fd = STDOUT_FILENO };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before[4];
	size_t i;
	int r;

	breaker.pauser = (struct pauser) PAUSER_NONE;
	breaker.diff.on_session = on_session;
	breaker.diff.on_change = on_change;
	breaker.diff.on_quiet = on_quiet;
	breaker.diff.userdata = &breaker;
	for (i = 0; i < 4; i++)
		sigaction(unwanted[i], &ignore, &before[i]);
	r = read_options(&breaker);
	if (!r)
		r = follow(&breaker);
	filter_done(&breaker.filter);
	for (i = 0; i < 4; i++)
		sigaction(unwanted[i], &before[i], NULL);
	/* The VM goes on: now as other streams end whose output nobody reads. */
	if (poll(&out, 1, 0) > 0 && out.revents & POLLERR)
		raise(SIGPIPE);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "value", .type = ARG_STRING, .metavar = "VALUE",
	  .summary = "stop at writes of 0x12, 0x1200/0xff00 or de:ad:??:ef" },
	{ .name = "hold", .type = ARG_SECONDS, .metavar = "SEC",
	  .max = ARG_MAX_NS,
	  .summary = "go on after that time, without a key" },
	{ .name = "qmp", .type = ARG_FILE, .metavar = "SOCKET",
	  .summary = "stop the VM by this monitor of QEMU, not by SIGSTOP" },
	OPTION_BUDGET,
	OPTION_FULL,
	OPTION_RECORDS,
	{ 0 }
};

const struct command command_break = {
	.name = "break",
	.arguments = "[VM]",
	.summary = "Stop a VM exactly behind a write",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_NEEDS_VM,
	.run = run,
};
