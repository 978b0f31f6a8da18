// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

#include "open.h"
#include "pause.h"
#include "qmp.h"
#include "stream.h"
#include "sysfile.h"

#define STOP_NS		UINT64_C(2000000000)
#define NAP_US		500

/* What the child is told. */
#define KEEPER_STOPPED	'S'
#define KEEPER_GOES_ON	'C'

static int send_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) ? -errno :
									0;
}

static int go_on(const struct pauser *pauser)
{
	int r;

	if (pauser->qmp < 0)
		return send_signal(pauser->pidfd, SIGCONT);
	r = qmp_send(pauser->qmp, "cont");
	return r ? r : qmp_wait(pauser->qmp);
}

/* Nothing but SIGKILL ends it before the parent is gone. */
static void ignore_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGUSR1,
		SIGUSR2, SIGALRM,
	};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
}

/*
 * Keeps three descriptors and no other: the session, the terminal and pipes are the
 * parent's alone.
 */
static void keep_descriptors(struct pauser *pauser, int fd)
{
	const int kept[] = {
		fcntl(fd, F_DUPFD, 3), fcntl(pauser->pidfd, F_DUPFD, 3),
		fcntl(pauser->qmp, F_DUPFD, 3),
	};
	int i;

	for (i = 0; i < 3; i++)
		if (kept[i] < 0 || dup2(kept[i], i) < 0)
			close(i);
	close_range(3, ~0U, 0);
	pauser->pidfd = 1;
	if (pauser->qmp >= 0)
		pauser->qmp = 2;
}

static void run_keeper(struct pauser *pauser, int fd)
{
	bool stopped = false;
	char what;
	ssize_t n;

	setsid();
	prctl(PR_SET_NAME, "wtrackctl-cont");
	ignore_signals();
	keep_descriptors(pauser, fd);
	while ((n = recv(0, &what, 1, 0)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			stopped = what == KEEPER_STOPPED;
	if (stopped)
		go_on(pauser);
	_exit(0);
}

static int start_keeper(struct pauser *pauser)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	fflush(NULL);
	pauser->keeper_pid = fork();
	if (!pauser->keeper_pid) {
		close(fds[0]);
		run_keeper(pauser, fds[1]);
	}
	close(fds[1]);
	pauser->keeper = fds[0];
	return pauser->keeper_pid < 0 ? -errno : 0;
}

static int tell_keeper(const struct pauser *pauser, char what)
{
	return send(pauser->keeper, &what, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/*
 * The VMM is the process of this number if the session still has its VM when the
 * process was opened.
 */
static int open_vmm(struct pauser *pauser, struct ctl *ctl,
		    struct wtrack_session *session)
{
	struct wtrack_status status;
	int r = wtrack_session_get_status(session, &status, sizeof(status));

	if (r)
		return open_fail(ctl, r, "asking for the VMM");
	if (!status.vm_pid)
		return ctl_fail(ctl, EXIT_NOT_FOUND, "the VMM has ended, or is "
				"not visible in this pid namespace");
	pauser->pid = status.vm_pid;
	pauser->pidfd = (int)syscall(SYS_pidfd_open, pauser->pid, 0);
	if (pauser->pidfd < 0)
		return open_fail(ctl, -errno, "opening the VMM");
	r = wtrack_session_get_status(session, &status, sizeof(status));
	if (r || status.vm_pid != pauser->pid)
		return ctl_fail(ctl, EXIT_NOT_FOUND, "the VMM has ended");
	return 0;
}

static int open_qmp(struct pauser *pauser, struct ctl *ctl, const char *path)
{
	pauser->qmp = qmp_open(path);
	if (pauser->qmp == -EPROTO)
		return ctl_fail(ctl, EXIT_FAILED, "--qmp=%s: this is no QMP", path);
	if (pauser->qmp == -ETIMEDOUT)
		return ctl_fail(ctl, EXIT_TIMEOUT, "--qmp=%s: no answer; does "
				"another program use this monitor?", path);
	if (pauser->qmp < 0)
		return ctl_fail(ctl, exit_code_of(pauser->qmp), "--qmp=%s: %s",
				path, strerror(-pauser->qmp));
	return 0;
}

static int check_signal(const struct pauser *pauser, struct ctl *ctl)
{
	int r = send_signal(pauser->pidfd, 0);

	if (r == -EPERM)
		return ctl_fail(ctl, EXIT_PERMISSION, "the VMM, process %d, "
				"belongs to another user, who alone may stop it; "
				"be that user or root, or name its --qmp socket",
				(int)pauser->pid);
	return r ? open_fail(ctl, r, "asking whether the VMM can be stopped") :
		   0;
}

int pauser_open(struct pauser *pauser, struct ctl *ctl,
		struct wtrack_session *session, const char *qmp_path)
{
	int r = open_vmm(pauser, ctl, session);

	if (!r)
		r = qmp_path ? open_qmp(pauser, ctl, qmp_path) :
			       check_signal(pauser, ctl);
	if (r)
		return r;
	r = start_keeper(pauser);
	return r ? open_fail(ctl, r, "starting a process") : 0;
}

int pauser_stop(struct pauser *pauser)
{
	int r;

	if (pauser->stopped)
		return 0;
	/* Before the VM is stopped: whatever happens, the child knows. */
	r = tell_keeper(pauser, KEEPER_STOPPED);
	if (r)
		return r;
	pauser->stopped = true;
	if (pauser->qmp >= 0)
		return qmp_send(pauser->qmp, "stop");
	return send_signal(pauser->pidfd, SIGSTOP);
}

/* Behind the name, which may contain anything, in /proc/PID/task/TID/stat. */
static bool is_task_stopped(pid_t pid, const char *tid)
{
	char path[64], stat[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", (int)pid, tid);
	if (sysfile_read(path, stat, sizeof(stat)) <= 0)
		return true;
	state = strrchr(stat, ')');
	return state && state[1] == ' ' && strchr("TtZX", state[2]);
}

static bool are_all_stopped(pid_t pid, uint64_t until_ns)
{
	struct dirent *entry;
	bool stopped = true;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (stopped && dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			stopped = is_task_stopped(pid, entry->d_name) &&
				  stream_now_ns() < until_ns;
	if (dir)
		closedir(dir);
	return stopped && dir;
}

static bool has_ended(const struct pauser *pauser)
{
	struct pollfd pfd = { .fd = pauser->pidfd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

int pauser_wait(struct pauser *pauser)
{
	uint64_t until_ns = stream_now_ns() + STOP_NS;

	if (pauser->qmp >= 0)
		return qmp_wait(pauser->qmp);
	while (!are_all_stopped(pauser->pid, until_ns)) {
		if (has_ended(pauser))
			return -ESRCH;
		if (stream_now_ns() >= until_ns)
			return -ETIMEDOUT;
		usleep(NAP_US);
	}
	return 0;
}

int pauser_continue(struct pauser *pauser)
{
	int r;

	if (!pauser->stopped)
		return 0;
	r = go_on(pauser);
	/* Otherwise the child tries again in the end. */
	if (!r || r == -ESRCH) {
		pauser->stopped = false;
		tell_keeper(pauser, KEEPER_GOES_ON);
	}
	return r;
}

void pauser_close(struct pauser *pauser)
{
	pauser_continue(pauser);
	if (pauser->keeper >= 0)
		close(pauser->keeper);
	if (pauser->keeper_pid > 0)
		kill(pauser->keeper_pid, SIGCONT);
	if (pauser->keeper_pid > 0)
		while (waitpid(pauser->keeper_pid, NULL, 0) < 0 &&
		       errno == EINTR)
			;
	if (pauser->qmp >= 0)
		close(pauser->qmp);
	if (pauser->pidfd >= 0)
		close(pauser->pidfd);
}
