// SPDX-License-Identifier: GPL-2.0-or-later
/* `wtrackctl top` on a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <wtrack/session.h>

#include "top.h"
#include "top_screen.h"

/**
 * struct terminal - what wakes the screen, and what must not get onto it
 * @epoll: keys, the size, events
 * @size_fd: readable when the terminal has another size
 * @stderr_fd: stderr as it was
 * @message_fd: where it goes meanwhile
 * @message: of it, for the last line
 */
struct terminal {
	int epoll;
	int size_fd;
	int stderr_fd;
	int message_fd;
	char message[256];
};

static int hide_stderr(struct terminal *terminal)
{
	terminal->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	terminal->message_fd = memfd_create("messages", MFD_CLOEXEC);
	if (terminal->stderr_fd < 0 || terminal->message_fd < 0 ||
	    dup2(terminal->message_fd, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

static const char *take_message(struct terminal *terminal)
{
	char *text = terminal->message;
	ssize_t n;

	fflush(stderr);
	n = pread(terminal->message_fd, text, sizeof(terminal->message) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	lseek(terminal->message_fd, 0, SEEK_SET);
	if (ftruncate(terminal->message_fd, 0))
		return NULL;
	return text[0] ? text : NULL;
}

/* A last word that came too late for the screen is still told. */
static void show_stderr(struct terminal *terminal)
{
	const char *last = take_message(terminal);

	dup2(terminal->stderr_fd, STDERR_FILENO);
	if (last)
		fprintf(stderr, "%s\n", last);
}

static int watch(struct terminal *terminal, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (fd < 0)
		return -errno;
	return epoll_ctl(terminal->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno :
								       0;
}

static int open_terminal(struct terminal *terminal,
			 const struct wtrack_session *session)
{
	sigset_t resized;
	int r;

	sigemptyset(&resized);
	sigaddset(&resized, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resized, NULL);
	terminal->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (terminal->epoll < 0)
		return -errno;
	terminal->size_fd = signalfd(-1, &resized, SFD_CLOEXEC | SFD_NONBLOCK);
	r = watch(terminal, terminal->size_fd);
	if (!r)
		r = watch(terminal, STDIN_FILENO);
	if (!r && session)
		r = watch(terminal, wtrack_session_get_fd(session));
	return r ? r : hide_stderr(terminal);
}

static void close_terminal(struct terminal *terminal)
{
	if (terminal->stderr_fd >= 0 && terminal->message_fd >= 0)
		show_stderr(terminal);
	close(terminal->stderr_fd);
	close(terminal->message_fd);
	close(terminal->size_fd);
	close(terminal->epoll);
}

static void on_tick(struct follow *follow)
{
	struct top *top = follow->userdata;

	if (follow->stream.reason != STREAM_GOES_ON)
		return;
	if (!top->view.paused) {
		(void)top_look(top);
		top->view.message = take_message(top->terminal);
	}
	screen_draw(&top->view, &top->model);
	stream_count(&follow->stream);
}

static void take_size(struct terminal *terminal)
{
	struct signalfd_siginfo info;

	if (read(terminal->size_fd, &info, sizeof(info)) == sizeof(info))
		screen_resize();
}

static void on_wake(struct follow *follow)
{
	struct top *top = follow->userdata;
	enum top_key key;
	bool any = false;

	take_size(top->terminal);
	while (screen_key(&key)) {
		top_view_key(&top->view, &top->model, key);
		any = true;
	}
	if (follow->tick_ns != top->view.interval_ns) {
		follow->tick_ns = top->view.interval_ns;
		follow->next_tick_ns = stream_now_ns() + follow->tick_ns;
	}
	if (top->view.quit)
		stream_stop(&follow->stream, STREAM_SIGNAL, EXIT_OK);
	else if (any)
		screen_draw(&top->view, &top->model);
}

static int follow_on_screen(struct top *top)
{
	struct follow *follow = &top->follow;

	if (screen_open())
		return ctl_fail(top->ctl, EXIT_FAILED, "this terminal cannot "
				"show a full screen; try --batch");
	follow->on_tick = on_tick;
	follow->on_wake = on_wake;
	follow->wake_fd = top->terminal->epoll;
	follow->tick_ns = top->view.interval_ns;
	screen_draw(&top->view, &top->model);
	follow_run(follow);
	screen_close();
	return stream_end(&follow->stream, NULL);
}

int top_run_screen(struct top *top)
{
	struct terminal terminal = { -1, -1, -1, -1, "" };
	int r = top_look(top);

	if (r)
		return r;
	top->terminal = &terminal;
	r = open_terminal(&terminal, top->follow.session);
	if (r)
		r = ctl_fail(top->ctl, EXIT_FAILED, "no descriptor: %s; close "
			     "programs", strerror(-r));
	else
		r = follow_on_screen(top);
	close_terminal(&terminal);
	return r;
}
