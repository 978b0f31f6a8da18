/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What administrators do by generic netlink. */
#ifndef GUEST_GENL_H
#define GUEST_GENL_H

#include <stdint.h>

struct nl_sock;

/* A socket for requests to the module's family, whose number is stored. */
struct nl_sock *genl_open(int *family);
/* Ends a session; the errno, 0 for success. */
int genl_end_session(uint64_t id);
/* The id of a session. */
uint64_t genl_session_id(int fd);
/* The number of a VM's message of GET_VM, and of sessions; 0 if there is none. */
unsigned int genl_nr_vms(void);

#endif /* GUEST_GENL_H */
