// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "tap.h"

pid_t child_fork(void (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	CHECK_SYS(pid >= 0);
	if (pid)
		return pid;
	fn(arg);
	_exit(0);
}

void child_join(pid_t pid)
{
	int status;

	CHECK_SYS(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

union fd_control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

void fd_send(int sock, int fd)
{
	union fd_control control = { 0 };
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK_SYS(sendmsg(sock, &msg, 0) == 1);
}

int fd_receive(int sock)
{
	union fd_control control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	CHECK_SYS(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1);
	c = CMSG_FIRSTHDR(&msg);
	CHECK(c && c->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

void socket_pair(int sock[2])
{
	CHECK_SYS(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
}

void byte_send(int fd, char byte)
{
	CHECK_SYS(write(fd, &byte, 1) == 1);
}

char byte_receive(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	CHECK_SYS(n == 1);
	return byte;
}

int pidfd_of(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	CHECK_SYS(fd >= 0);
	return fd;
}

int pidfd_take(int pidfd, int nr)
{
	int fd = syscall(SYS_pidfd_getfd, pidfd, nr, 0);

	CHECK_SYS(fd >= 0);
	return fd;
}
