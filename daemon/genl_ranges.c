// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl_internal.h"
#include "manager.h"

/* Of one datagram, which the kernel fills with some 800 at most. */
#define MAX_RANGES	4096

struct genl_ranges {
	struct nl_sock *sock;
	sd_event_source *source;
	int family;
	genl_ranges_fn fn;
	void *userdata;
	struct wtrack_range ranges[MAX_RANGES];
};

void genl_ranges_cancel(struct genl_ranges *ranges)
{
	if (!ranges)
		return;
	sd_event_source_disable_unref(ranges->source);
	nl_socket_free(ranges->sock);
	free(ranges);
}

static void finish(struct genl_ranges *ranges, int result)
{
	genl_ranges_fn fn = ranges->fn;
	void *userdata = ranges->userdata;

	genl_ranges_cancel(ranges);
	fn(userdata, NULL, 0, result);
}

static int range_of(struct nlmsghdr *header, struct wtrack_range *ret)
{
	static struct nla_policy policy[KVM_WTRACK_A_MAX + 1] = {
		[KVM_WTRACK_A_GFN] = { .type = NLA_U64 },
		[KVM_WTRACK_A_NR_PAGES] = { .type = NLA_U64 },
	};
	struct nlattr *attrs[KVM_WTRACK_A_MAX + 1];

	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, KVM_WTRACK_A_MAX, policy) < 0 ||
	    !attrs[KVM_WTRACK_A_GFN] || !attrs[KVM_WTRACK_A_NR_PAGES])
		return -EBADMSG;
	ret->gfn = genl_u64(attrs, KVM_WTRACK_A_GFN);
	ret->nr_pages = genl_u64(attrs, KVM_WTRACK_A_NR_PAGES);
	return 0;
}

/* 1 at the end of the dump. */
static int take(struct genl_ranges *ranges, unsigned char *data, int size,
		size_t *nr)
{
	struct nlmsghdr *header = (struct nlmsghdr *)data;

	for (; nlmsg_ok(header, size); header = nlmsg_next(header, &size)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return genl_error_of(header) ?: 1;
		if (header->nlmsg_type == ranges->family && *nr < MAX_RANGES &&
		    range_of(header, &ranges->ranges[*nr]) >= 0)
			(*nr)++;
	}
	return 0;
}

/* One datagram at a time: the kernel prepares the next when it is read. */
static int on_readable(sd_event_source *source, int fd, uint32_t revents,
		       void *userdata)
{
	struct genl_ranges *ranges = userdata;
	struct sockaddr_nl from = {};
	unsigned char *data = NULL;
	size_t nr = 0;
	int size, r;

	(void)source;
	(void)fd;
	(void)revents;
	size = nl_recv(ranges->sock, &from, &data, NULL);
	if (size == -NLE_AGAIN || size == -NLE_INTR)
		return 0;
	r = size < 0 ? genl_error(size) :
	    size == 0 || from.nl_pid ? 0 : take(ranges, data, size, &nr);
	free(data);
	if (nr)
		ranges->fn(ranges->userdata, ranges->ranges, nr, 0);
	if (r)
		finish(ranges, r < 0 ? r : 0);
	return 0;
}

static int ask(struct genl_ranges *ranges, uint64_t session_id)
{
	struct nl_msg *msg;
	int r;

	msg = genl_request(ranges->family, KVM_WTRACK_CMD_GET_RANGE,
			   NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	r = nla_put_u64(msg, KVM_WTRACK_A_SESSION_ID, session_id);
	if (r >= 0)
		r = nl_send_auto(ranges->sock, msg);
	nlmsg_free(msg);
	return r < 0 ? genl_error(r) : 0;
}

static int start(struct genl_ranges *ranges, struct manager *m,
		 uint64_t session_id)
{
	int r;

	ranges->sock = nl_socket_alloc();
	if (!ranges->sock)
		return -ENOMEM;
	r = genl_connect(ranges->sock);
	if (!r)
		r = nl_socket_set_nonblocking(ranges->sock);
	if (r < 0)
		return genl_error(r);
	r = ask(ranges, session_id);
	if (r < 0)
		return r;
	return sd_event_add_io(m->event, &ranges->source,
			       nl_socket_get_fd(ranges->sock), EPOLLIN,
			       on_readable, ranges);
}

int genl_get_ranges(struct genl *genl, uint64_t session_id, genl_ranges_fn fn,
		    void *userdata, struct genl_ranges **ret)
{
	struct genl_ranges *ranges;
	int r;

	if (!genl_is_up(genl))
		return -ENODEV;
	ranges = calloc(1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ranges->family = genl->family;
	ranges->fn = fn;
	ranges->userdata = userdata;
	r = start(ranges, genl->manager, session_id);
	if (r < 0) {
		genl_ranges_cancel(ranges);
		return r;
	}
	*ret = ranges;
	return 0;
}
