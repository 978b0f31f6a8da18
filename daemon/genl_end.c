// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Has the module end a session. The kernel does that within the call that sends the
 * request, and takes longer for a session with more pages: so a thread of its own
 * makes the call, and the daemon does something else meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl_internal.h"
#include "manager.h"

/* The thread has @sock, @msg, @done_fd and @result until it has written to @done_fd. */
struct genl_end {
	struct nl_sock *sock;
	struct nl_msg *msg;
	int done_fd;
	int result;
	pthread_t thread;
	sd_event_source *source;
	genl_end_fn fn;			/* NULL: nobody waits for it any more */
	void *userdata;
};

static void end_free(struct genl_end *end)
{
	sd_event_source_disable_unref(end->source);
	nlmsg_free(end->msg);
	nl_socket_free(end->sock);
	if (end->done_fd >= 0)
		close(end->done_fd);
	free(end);
}

static int answer(struct nl_sock *sock)
{
	struct sockaddr_nl from = {};
	unsigned char *data = NULL;
	struct nlmsghdr *header;
	int size, r = -EBADMSG;

	do {
		size = nl_recv(sock, &from, &data, NULL);
	} while (size == -NLE_INTR);
	if (size < 0)
		return genl_error(size);
	header = (struct nlmsghdr *)data;
	if (size && !from.nl_pid && nlmsg_ok(header, size) &&
	    header->nlmsg_type == NLMSG_ERROR)
		r = genl_error_of(header);
	free(data);
	return r;
}

static void *request_end(void *arg)
{
	struct genl_end *end = arg;
	int r = nl_send_auto(end->sock, end->msg);

	end->result = r < 0 ? genl_error(r) : answer(end->sock);
	(void)!write(end->done_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return NULL;
}

static int on_done(sd_event_source *source, int fd, uint32_t revents,
		   void *userdata)
{
	struct genl_end *end = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	pthread_join(end->thread, NULL);
	if (end->fn)
		end->fn(end->userdata, end->result);
	end_free(end);
	return 0;
}

static int prepare(struct genl_end *end, struct genl *genl, uint64_t session_id)
{
	int r;

	end->done_fd = eventfd(0, EFD_CLOEXEC);
	end->sock = genl_socket(true, NULL, NULL);
	end->msg = genl_request(genl->family, KVM_WTRACK_CMD_END_SESSION,
				NLM_F_ACK);
	if (end->done_fd < 0 || !end->sock || !end->msg)
		return -ENOMEM;
	r = nla_put_u64(end->msg, KVM_WTRACK_A_SESSION_ID, session_id);
	if (r < 0)
		return genl_error(r);
	return sd_event_add_io(genl->manager->event, &end->source, end->done_fd,
			       EPOLLIN, on_done, end);
}

int genl_end_session(struct genl *genl, uint64_t session_id, genl_end_fn fn,
		     void *userdata, struct genl_end **ret)
{
	struct genl_end *end;
	int r;

	if (!genl_is_up(genl))
		return -ENODEV;
	end = calloc(1, sizeof(*end));
	if (!end)
		return -ENOMEM;
	end->fn = fn;
	end->userdata = userdata;
	r = prepare(end, genl, session_id);
	if (r >= 0)
		r = -pthread_create(&end->thread, NULL, request_end, end);
	if (r < 0) {
		end_free(end);
		return r;
	}
	*ret = end;
	return 0;
}

void genl_end_forget(struct genl_end *end)
{
	if (end)
		end->fn = NULL;
}
