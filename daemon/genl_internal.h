/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the module's account call each other.
 *
 *	genl.c		the object; what happens when the module comes or goes
 *	genl_family.c	does it?
 *	genl_notice.c	what it tells without being asked
 *	genl_dump.c	dumps of VMs and sessions
 *	genl_ranges.c	dumps of what one session tracks
 *	genl_end.c	ends a session
 *	genl_socket.c	sockets
 */
#ifndef WTRACKD_GENL_INTERNAL_H
#define WTRACKD_GENL_INTERNAL_H

#include <netlink/netlink.h>
#include <systemd/sd-event.h>

#include "genl.h"

struct genl {
	struct manager *manager;
	int family;			/* 0 when the module is not there */
	struct nl_sock *control;	/* families that come and go */
	sd_event_source *control_source;
	struct nl_sock *notices;
	sd_event_source *notices_source;
	struct nl_sock *dumps;
	sd_event_source *refresh;	/* asked for by a notice */
	bool is_failing;		/* the last dump did, twice */
};

/* genl.c */
int genl_came(struct genl *genl, int family);
void genl_went(struct genl *genl);

/* genl_family.c. The family's number, 0 when there is none. */
int genl_find_family(struct genl *genl);
int genl_open_control(struct genl *genl);
void genl_close_control(struct genl *genl);

/* genl_notice.c */
int genl_open_notices(struct genl *genl);
void genl_close_notices(struct genl *genl);

/* genl_dump.c. attrs has KVM_WTRACK_A_MAX + 1 places; lengths are checked. */
int genl_dump_all(struct manager *m, struct nl_sock *sock, int family);
int genl_parse(struct nl_msg *msg, int family, struct nlattr **attrs);
uint64_t genl_u64(struct nlattr *const *attrs, int attr);
uint32_t genl_u32(struct nlattr *const *attrs, int attr);
/* @flags: NLM_F_* beside NLM_F_REQUEST. */
struct nl_msg *genl_request(int family, int cmd, int flags);

/* genl_socket.c. With wait, receiving waits for an answer. */
struct nl_sock *genl_socket(bool wait, nl_recvmsg_msg_cb_t fn, void *userdata);
/* A bounded number of messages; -EAGAIN when there were no more. */
int genl_receive(struct nl_sock *sock);
int genl_listen(struct genl *genl, struct nl_sock *sock,
		sd_event_io_handler_t fn, sd_event_source **ret);
int genl_error(int nl_error);
/* The errno, negative, in a message of type NLMSG_ERROR; 0 for success. */
int genl_error_of(struct nlmsghdr *header);
bool genl_from_kernel(struct nl_msg *msg);

#endif
