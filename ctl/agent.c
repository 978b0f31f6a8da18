// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define START_MS	5000

static void run_agent(int fd)
{
	char notify[16];

	/* Of a caller that is killed nothing stays on the terminal. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGXFSZ, SIG_DFL);
	fcntl(fd, F_SETFD, 0);
	snprintf(notify, sizeof(notify), "%d", fd);
	/*
	 * Not --fallback: polkit passes over such an agent if the caller is in
	 * no login session, and who types here looks here.
	 */
	execlp("pkttyagent", "pkttyagent", "--notify-fd", notify, NULL);
	_exit(127);
}

/* The agent closes its end when polkit knows it. */
static void wait_ready(int fd)
{
	struct pollfd pfd = { .fd = fd };

	poll(&pfd, 1, START_MS);
}

pid_t agent_start(void)
{
	int fds[2];
	pid_t pid;

	if (!geteuid() || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
	    pipe2(fds, O_CLOEXEC) < 0)
		return 0;
	fflush(NULL);
	pid = fork();
	if (!pid)
		run_agent(fds[1]);
	close(fds[1]);
	if (pid > 0)
		wait_ready(fds[0]);
	close(fds[0]);
	return pid > 0 ? pid : 0;
}

void agent_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	waitpid(pid, NULL, 0);
}
