// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attach.h"
#include "attach/protocol.h"
#include "manager.h"
#include "util.h"
#include "vm.h"

struct attach {
	LIST_ENTRY(attach) link;
	uid_t uid;		/* for whom */
	pid_t pid;		/* of the VMM */
	attach_fn fn;		/* NULL when it was called, or nobody waits */
	void *userdata;
	sd_event_source *answer;	/* owns the connection */
	sd_event_source *deadline;
};

static void attach_free(struct attach *attach)
{
	LIST_REMOVE(attach, link);
	sd_event_source_disable_unref(attach->answer);
	sd_event_source_disable_unref(attach->deadline);
	free(attach);
}

static void tell(struct attach *attach, int result)
{
	attach_fn fn = attach->fn;

	attach->fn = NULL;
	if (fn)
		fn(attach->userdata, result);
}

/* In that process, whose descriptors may change at any time. */
static int result_of(const struct attach_answer *answer)
{
	bool getting = answer->step == ATTACH_STEP_GETFD;

	if (answer->result == -EPERM && getting)
		return -EACCES;
	if (answer->result == (getting ? -EBADF : -EBADFD))
		return -ESRCH;
	return answer->result <= 0 ? answer->result : -EPIPE;
}

/*
 * The answer, then the end of the process. A descriptor that it got may make it wait
 * even as it ends: a file system of the VMM's user is told that it is closed.
 */
static int on_answer(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct attach *attach = userdata;
	struct attach_answer answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);

	(void)source;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	tell(attach, n == sizeof(answer) ? result_of(&answer) : -EPIPE);
	if (n <= 0)
		attach_free(attach);
	return 0;
}

/* The process is still there, for systemd to end it, and counts until then. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	tell(userdata, -ETIMEDOUT);
	return 0;
}

static bool has_room(struct manager *m, uid_t uid, pid_t pid)
{
	unsigned int of_user = 0, of_vmm = 0;
	struct attach *attach;

	LIST_FOREACH(attach, &m->attaches, link) {
		of_user += attach->uid == uid;
		of_vmm += attach->uid == uid && attach->pid == pid;
	}
	return of_user < ATTACHES_PER_USER && of_vmm < ATTACHES_PER_VMM;
}

static int connect_to_it(void)
{
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = ATTACH_SOCKET,
	};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		int r = -errno;

		safe_close(fd);
		return r;
	}
	return fd;
}

static int send_request(int connection, int session_fd, const struct vm *vm)
{
	const int fds[] = { session_fd, vm->process->pidfd };
	struct attach_request request = { .vm_fd = vm->fd };
	struct iovec iov = { &request, sizeof(request) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = {};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ?
	       -errno : 0;
}

/* The connection goes over to the event source. */
static int wait_for_answer(struct manager *m, struct attach *attach,
			   int connection)
{
	int r;

	r = sd_event_add_io(m->event, &attach->answer, connection, EPOLLIN,
			    on_answer, attach);
	if (r < 0) {
		safe_close(connection);
		return r;
	}
	(void)sd_event_source_set_io_fd_own(attach->answer, 1);
	return sd_event_add_time_relative(m->event, &attach->deadline,
					  CLOCK_MONOTONIC, ATTACH_USEC, 0,
					  on_deadline, attach);
}

int attach_start(struct manager *m, uid_t uid, int session_fd,
		 const struct vm *vm, attach_fn fn, void *userdata,
		 struct attach **ret)
{
	CLEANUP(close_p) int connection = -1;
	struct attach *attach;
	int r;

	if (!has_room(m, uid, vm->process->pid))
		return -EBUSY;
	connection = connect_to_it();
	if (connection < 0)
		return connection == -EAGAIN ? -EBUSY : connection;
	r = send_request(connection, session_fd, vm);
	if (r < 0)
		return r;
	attach = calloc(1, sizeof(*attach));
	if (!attach)
		return -ENOMEM;
	*attach = (struct attach) {
		.uid = uid, .pid = vm->process->pid,
		.fn = fn, .userdata = userdata,
	};
	LIST_INSERT_HEAD(&m->attaches, attach, link);
	r = wait_for_answer(m, attach, TAKE_FD(connection));
	if (r < 0) {
		attach_free(attach);
		return r;
	}
	*ret = attach;
	return 0;
}

void attach_forget(struct attach *attach)
{
	if (attach)
		attach->fn = NULL;
}

void attaches_free(struct manager *m)
{
	struct attach *attach;

	while ((attach = LIST_FIRST(&m->attaches)))
		attach_free(attach);
}
