/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What wtrackd and wtrack-attach say to each other, on a connection for each
 * request: one message of each side, on a socket that keeps messages apart.
 */
#ifndef ATTACH_PROTOCOL_H
#define ATTACH_PROTOCOL_H

#include <stdint.h>

#define ATTACH_SOCKET	"/run/wtrack-attach.socket"

/* Comes with two descriptors: of the session, and the pidfd of the VMM. */
struct attach_request {
	int32_t vm_fd;		/* the VM's descriptor in that process */
};

struct attach_answer {
	int32_t result;		/* 0, or a negative errno of what failed: */
	int32_t step;		/* enum attach_step */
};

enum attach_step {
	ATTACH_STEP_GETFD = 1,	/* pidfd_getfd(2) */
	ATTACH_STEP_ATTACH,	/* KVM_WTRACK_ATTACH */
};

#endif
