// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches one session of kvm-wtrack to one VM of another user's process, which
 * wtrackd has permitted, and ends. It has CAP_SYS_PTRACE, the only privilege that
 * this takes, and nothing that it does looks into anything: it hands the
 * descriptors that it got to two system calls.
 *
 * The process may make the first of them wait for as long as it likes, for example
 * within an execve(2) that does not come to an end. Then this program, which serves
 * one request, waits, and systemd ends it after a while. It may also have a file of
 * its own file system in the place of the VM, and this program wait when it closes
 * that, as it ends: wtrackd counts it for as long as it is there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include <linux/kvm_wtrack.h>

#include "protocol.h"

#define CONNECTION	STDIN_FILENO	/* from systemd: Accept=yes */

enum { SESSION, VMM, NR_FDS };

/* The descriptors of a message, if it has as many as it should, and no other. */
static int take_fds(struct msghdr *message, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(NR_FDS * sizeof(*fds)))
		return -1;
	memcpy(fds, CMSG_DATA(c), NR_FDS * sizeof(*fds));
	return 0;
}

static int receive(struct attach_request *request, int *fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(NR_FDS * sizeof(*fds))];
	} control;
	struct iovec iov = { request, sizeof(*request) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do {
		n = recvmsg(CONNECTION, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*request) ||
	    message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -1;
	return take_fds(&message, fds);
}

/* A signal that does not end this program is no reason to give up. */
static int attach(int session, int vm)
{
	struct kvm_wtrack_attach args = { .size = sizeof(args), .vm_fd = vm };
	int r;

	do {
		r = ioctl(session, KVM_WTRACK_ATTACH, &args);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static struct attach_answer serve(const struct attach_request *request,
				  const int *fds)
{
	struct attach_answer answer = { .step = ATTACH_STEP_GETFD };
	int vm = (int)syscall(SYS_pidfd_getfd, fds[VMM], request->vm_fd, 0);

	if (vm < 0) {
		answer.result = -errno;
		return answer;
	}
	answer.step = ATTACH_STEP_ATTACH;
	answer.result = attach(fds[SESSION], vm);
	return answer;
}

int main(void)
{
	struct attach_request request;
	struct attach_answer answer;
	int fds[NR_FDS];

	if (receive(&request, fds)) {
		fputs("wtrack-attach: wtrackd starts it, with a session and a "
		      "process to attach it to\n", stderr);
		return EX_USAGE;
	}
	answer = serve(&request, fds);
	/*
	 * Whoever is answered finds no other holder of the session: what the VMM has
	 * in the place of its VM may make this program wait when it ends.
	 */
	close(fds[SESSION]);
	/* The daemon may have given up and closed its end. */
	if (send(CONNECTION, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		return EX_IOERR;
	return 0;
}
