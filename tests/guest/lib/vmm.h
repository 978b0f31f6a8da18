/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VMM that is another process: it makes a VM with one vCPU and does what it
 * is told. The guest's memory at VM_DATA is shared with the test.
 */
#ifndef GUEST_VMM_H
#define GUEST_VMM_H

#include <stdint.h>
#include <sys/types.h>

struct vmm {
	pid_t pid;
	int pidfd;
	int sock;
	int vm_fd;		/* its number in the VMM */
	unsigned char *data;
	uint64_t pages;
};

/* What the VMM can be told; it has done it when vmm_tell() returns. */
enum vmm_order {
	VMM_STORE = 's',	/* one 8-byte store to each page */
	VMM_START = 'r',	/* start a thread that stores without end */
	VMM_STOP = 't',		/* stop it */
	VMM_DELETE = 'd',	/* delete the memslot at VM_DATA */
	VMM_CLOSE = 'c',	/* close all KVM descriptors, but live on */
	VMM_EXEC = 'x',		/* become another program; does not answer */
	VMM_EXIT = 'e',		/* exit(2); does not answer */
};

/* Call this before opening what the VMM shall not inherit. */
struct vmm *vmm_fork(uint64_t pages);
void vmm_tell(struct vmm *vmm, enum vmm_order order);
/* A descriptor of its VM, by pidfd_getfd(2). */
int vmm_take_fd(const struct vmm *vmm);
/* SIGKILL, and wait for the end. */
void vmm_kill(struct vmm *vmm);

#endif /* GUEST_VMM_H */
