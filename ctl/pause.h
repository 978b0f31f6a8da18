/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stops a VM, and has it go on in any case: by a signal to the VMM or by QMP.
 *
 * A child waits for the end of this process. If the VM is stopped then, the child
 * has it go on; so it does when this process is killed.
 */
#ifndef CTL_PAUSE_H
#define CTL_PAUSE_H

#include <stdbool.h>
#include <sys/types.h>

#include "ctl.h"

struct wtrack_session;

/**
 * struct pauser - what can stop a VM
 * @pidfd: of the VMM, readable when the VMM has ended
 * @pid: the same process
 * @qmp: connection to QMP, or -1 if the VM is stopped by SIGSTOP
 * @keeper: socket to the child; the child has the other end
 * @keeper_pid: the child
 * @stopped: the VM was told to stop, and not to go on
 */
struct pauser {
	int pidfd;
	pid_t pid;
	int qmp;
	int keeper;
	pid_t keeper_pid;
	bool stopped;
};

#define PAUSER_NONE	{ .pidfd = -1, .qmp = -1, .keeper = -1 }

/*
 * Checks that the VMM may be stopped, and starts the child. @pauser is PAUSER_NONE, and
 * is to be closed in any case; @qmp_path may be NULL. 0, or the exit code after
 * ctl_fail().
 */
int pauser_open(struct pauser *pauser, struct ctl *ctl,
		struct wtrack_session *session, const char *qmp_path);

/* Tells the VM to stop, and does not wait. 0 or -errno. */
int pauser_stop(struct pauser *pauser);

/*
 * Waits until the VM has stopped, two seconds at most with SIGSTOP. 0, -ESRCH if the
 * VMM has ended, -ETIMEDOUT, or the errors of qmp_wait().
 */
int pauser_wait(struct pauser *pauser);

/* Has a VM go on that pauser_stop() has stopped. 0 or -errno. */
int pauser_continue(struct pauser *pauser);

/* The VM goes on, the child ends. */
void pauser_close(struct pauser *pauser);

#endif
