// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/epoll.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "genl_internal.h"
#include "manager.h"

/* Messages that are taken before other work gets its turn. */
#define BATCH		64

int genl_error(int nl_error)
{
	switch (-nl_error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOBUFS;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_INTR:
		return -EINTR;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	default:
		return -EPROTO;
	}
}

int genl_error_of(struct nlmsghdr *header)
{
	struct nlmsgerr *error = nlmsg_data(header);

	if ((size_t)nlmsg_datalen(header) < sizeof(*error))
		return -EBADMSG;
	return error->error < 0 ? error->error : 0;
}

bool genl_from_kernel(struct nl_msg *msg)
{
	struct sockaddr_nl *from = nlmsg_get_src(msg);

	return from->nl_pid == 0;
}

struct nl_sock *genl_socket(bool wait, nl_recvmsg_msg_cb_t fn,
			    void *userdata)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return NULL;
	r = genl_connect(sock);
	if (!r && !wait) {
		nl_socket_disable_seq_check(sock);
		r = nl_socket_set_nonblocking(sock);
	}
	if (!r && fn)
		r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn,
					userdata);
	if (r) {
		nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

int genl_receive(struct nl_sock *sock)
{
	int i, r = 0;

	for (i = 0; r >= 0 && i < BATCH; i++)
		r = genl_error(nl_recvmsgs_default(sock));
	return r;
}

int genl_listen(struct genl *genl, struct nl_sock *sock,
		sd_event_io_handler_t fn, sd_event_source **ret)
{
	int r;

	r = sd_event_add_io(genl->manager->event, ret, nl_socket_get_fd(sock),
			    EPOLLIN, fn, genl);
	if (r >= 0)
		r = sd_event_source_set_priority(*ret,
						 SD_EVENT_PRIORITY_IMPORTANT);
	return r;
}
