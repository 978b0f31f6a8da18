// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/kvm_wtrack_genl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "genl.h"
#include "tap.h"
#include "wt.h"

struct nl_sock *genl_open(int *family)
{
	struct nl_sock *sock = nl_socket_alloc();

	CHECK(sock);
	CHECK(!genl_connect(sock));
	*family = genl_ctrl_resolve(sock, KVM_WTRACK_GENL_NAME);
	CHECK(*family >= 0);
	return sock;
}

/* libnl's own errors hide which errno it was. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	(void)from;
	*(int *)arg = -error->error;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	(void)msg;
	*(int *)arg = 0;
	return NL_STOP;
}

int genl_end_session(uint64_t id)
{
	struct nl_msg *msg = nlmsg_alloc();
	int family, err = -1;
	struct nl_sock *sock = genl_open(&family);

	nl_socket_disable_auto_ack(sock);
	nl_socket_modify_cb(sock, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &err);
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, &err);
	CHECK(genlmsg_put(msg, 0, 0, family, 0, NLM_F_ACK,
			  KVM_WTRACK_CMD_END_SESSION,
			  KVM_WTRACK_GENL_VERSION));
	if (id)
		CHECK(!nla_put_u64(msg, KVM_WTRACK_A_SESSION_ID, id));
	CHECK(nl_send_auto(sock, msg) >= 0);
	while (err < 0)
		nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return err;
}

uint64_t genl_session_id(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_session_id;
}

static int count(struct nl_msg *msg, void *arg)
{
	(void)msg;
	++*(unsigned int *)arg;
	return NL_OK;
}

unsigned int genl_nr_vms(void)
{
	struct nl_msg *msg = nlmsg_alloc();
	unsigned int nr = 0;
	int family;
	struct nl_sock *sock = genl_open(&family);

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, count, &nr);
	CHECK(genlmsg_put(msg, 0, 0, family, 0, NLM_F_DUMP,
			  KVM_WTRACK_CMD_GET_VM, KVM_WTRACK_GENL_VERSION));
	CHECK(nl_send_auto(sock, msg) >= 0);
	CHECK(!nl_recvmsgs_default(sock));
	nlmsg_free(msg);
	nl_socket_free(sock);
	return nr;
}
