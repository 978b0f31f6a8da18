// SPDX-License-Identifier: LGPL-2.1-or-later
/* The only place that talks to the system bus. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus.h"

#define TIMEOUT_USEC	(UINT64_C(30) * 1000000)
/* A user who is asked to authenticate has five minutes. */
#define INTERACTIVE_USEC	(UINT64_C(6) * 60 * 1000000)

#define BUS_NO_SESSION \
	((struct bus_session) { .fd = -1, .pidfd = -1, .vm_fd = -1 })

/*
 * The events and times for which sd-bus has to be polled change. The caller
 * gets one descriptor that stands for all of them.
 */
struct bus_call {
	sd_bus *bus;
	int poll_fd;		/* epoll of the bus's descriptor and the timer */
	int timer_fd;
	bool done;
	int result;		/* 0, or a negative errno */
	struct bus_session session;
	struct bus_error error;
};

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
	if (r >= 0 && args->attach)
		r = sd_bus_message_append(call, "{sv}", "attach", "b", 1);
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
								       args->interactive);
	if (r >= 0)
		r = sd_bus_message_append(*ret, "s", args->vm);
	return r < 0 ? r : append_options(*ret, args);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Handle the answer of the daemon, or of the bus in its place. */
static int take_error(const struct bus_call *c, const sd_bus_error *error,
		      struct bus_error *ret)
{
	/* When the bus ends, calls under way get no other answer. */
	if (sd_bus_is_open(c->bus) <= 0)
		return -ECONNRESET;
	ret->name = copy(error->name);
	ret->message = copy(error->message);
	return -EREMOTEIO;
}

static int dup_fd(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* The message keeps its descriptors. */
static int take_session(sd_bus_message *reply, struct bus_session *ret)
{
	struct bus_session session = BUS_NO_SESSION;
	int fd, pidfd, attached, r;

	r = sd_bus_message_read(reply, "htobhi", &fd, NULL, NULL, &attached,
				&pidfd, &session.vm_fd);
	if (r < 0)
		return r == -ENOMEM ? r : -EPROTO;
	session.attached = attached;
	r = session.fd = dup_fd(fd);
	if (r >= 0)
		r = session.pidfd = dup_fd(pidfd);
	if (r < 0) {
		wtrack__bus_session_done(&session);
		return r;
	}
	*ret = session;
	return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata,
		    sd_bus_error *ret_error)
{
	struct bus_call *c = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	(void)ret_error;
	c->done = true;
	c->result = error ? take_error(c, error, &c->error) :
			    take_session(reply, &c->session);
	return 1;
}

/*
 * A time as libsystemd returns it: in microseconds, 0 for now, UINT64_MAX for
 * never.
 */
static int set_timer(struct bus_call *c, uint64_t usec)
{
	struct itimerspec when = { { 0, 0 }, { 0, 0 } };

	if (usec != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(usec / 1000000);
		when.it_value.tv_nsec = (long)(usec % 1000000) * 1000;
		if (!usec)
			when.it_value.tv_nsec = 1;
	}
	return timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) ?
	       -errno : 0;
}

/* Make the descriptor readable when the bus has something to do. */
static int arm(struct bus_call *c)
{
	int events = sd_bus_get_events(c->bus);
	int fd = sd_bus_get_fd(c->bus);
	struct epoll_event event = { .events = (uint32_t)events };
	uint64_t usec;
	int r;

	if (events < 0 || fd < 0)
		return events < 0 ? events : fd;
	r = sd_bus_get_timeout(c->bus, &usec);
	if (r < 0)
		return r;
	r = set_timer(c, r ? usec : UINT64_MAX);
	if (r < 0)
		return r;
	if (!epoll_ctl(c->poll_fd, EPOLL_CTL_MOD, fd, &event))
		return 0;
	/* Needed the first time, and when sd-bus has tried another address. */
	return errno != ENOENT || epoll_ctl(c->poll_fd, EPOLL_CTL_ADD, fd,
					    &event) ? -errno : 0;
}

static int make_poll_fd(struct bus_call *c)
{
	struct epoll_event event = { .events = EPOLLIN };

	c->timer_fd = timerfd_create(CLOCK_MONOTONIC,
				     TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->timer_fd < 0)
		return -errno;
	c->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->poll_fd < 0 ||
	    epoll_ctl(c->poll_fd, EPOLL_CTL_ADD, c->timer_fd, &event))
		return -errno;
	return arm(c);
}

/* All errors of a bus that cannot be reached are one error for callers. */
static int connection_error(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE ? r : -ECONNREFUSED;
}

static int send_call(struct bus_call *c, const struct bus_open *args)
{
	sd_bus_message *call = NULL;
	int r;

	r = make_call(c->bus, args, &call);
	if (r >= 0)
		r = sd_bus_call_async(c->bus, NULL, call, on_reply, c,
				      args->interactive ? INTERACTIVE_USEC :
							  TIMEOUT_USEC);
	sd_bus_message_unref(call);
	return r;
}

static int begin(struct bus_call *c, const struct bus_open *args)
{
	int r;

	/*
	 * Open a connection of its own, because the caller's threads may use
	 * theirs meanwhile.
	 */
	r = sd_bus_open_system(&c->bus);
	if (r < 0)
		return connection_error(r);
	r = send_call(c, args);
	return r < 0 ? r : make_poll_fd(c);
}

int wtrack__bus_call_new(const struct bus_open *args, struct bus_call **ret)
{
	int saved = errno;
	struct bus_call *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c) {
		c->poll_fd = c->timer_fd = -1;
		c->session = BUS_NO_SESSION;
		r = begin(c, args);
	}
	if (r < 0)
		wtrack__bus_call_free(c);
	else
		*ret = c;
	errno = saved;
	return r < 0 ? r : 0;
}

int wtrack__bus_call_repeat(struct bus_call *c, const struct bus_open *args)
{
	int saved = errno;
	int r;

	c->done = false;
	r = send_call(c, args);
	if (r >= 0)
		r = arm(c);
	errno = saved;
	return r < 0 ? r : 0;
}

int wtrack__bus_call_get_fd(const struct bus_call *call)
{
	return call->poll_fd;
}

int wtrack__bus_call_finish(struct bus_call *c, struct bus_session *ret,
			    struct bus_error *ret_error)
{
	int saved = errno;
	int r;

	*ret_error = (struct bus_error) { NULL, NULL };
	do {
		r = sd_bus_process(c->bus, NULL);
	} while (r > 0 && !c->done);
	if (!c->done && r >= 0)
		r = arm(c);
	errno = saved;
	if (!c->done)
		return r < 0 ? connection_error(r) : -EAGAIN;
	*ret = c->session;
	c->session = BUS_NO_SESSION;
	*ret_error = c->error;
	c->error = (struct bus_error) { NULL, NULL };
	return c->result;
}

/* The daemon drops a request whose connection is closed. */
void wtrack__bus_call_free(struct bus_call *c)
{
	int saved = errno;

	if (!c)
		return;
	wtrack__bus_session_done(&c->session);
	wtrack__bus_error_done(&c->error);
	sd_bus_close_unref(c->bus);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	if (c->poll_fd >= 0)
		close(c->poll_fd);
	free(c);
	errno = saved;
}

void wtrack__bus_session_done(struct bus_session *session)
{
	int saved = errno;

	if (session->fd >= 0)
		close(session->fd);
	if (session->pidfd >= 0)
		close(session->pidfd);
	*session = BUS_NO_SESSION;
	errno = saved;
}

void wtrack__bus_error_done(struct bus_error *error)
{
	int saved = errno;

	free(error->name);
	free(error->message);
	*error = (struct bus_error) { NULL, NULL };
	errno = saved;
}
