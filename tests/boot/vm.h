/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An unmodified QEMU with a guest, as its user has it in hand. */
#ifndef BOOT_VM_H
#define BOOT_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"

enum { PAGE_BYTES = 4096, RAM_PAGES = 65536 };

struct vm {
	pid_t pid;
	struct channel console, monitor;
	bool off;			/* the guest powered off */
	bool stopped;			/* no vCPU runs */
	/* CLOCK_MONOTONIC; 0: not yet */
	uint64_t begin_ns, start_ns, user_ns, end_ns;
	bool ready;			/* QEMU waits for "cont" */
	uint64_t ram;			/* address of its memory in QEMU */
	bool started;			/* the guest's kernel is starting */
	bool broken;			/* QEMU says so */
	unsigned int complaints;	/* of the guest's kernel */
	unsigned int told;		/* lines from the first one on */
	unsigned int said;		/* lines of the guest's programs */
	unsigned int results;		/* good ones of the guest's programs */
	bool works;			/* and all of them were */
	char last[80];			/* line of the console */
};

uint64_t now_ns(void);

/*
 * Starts QEMU, which is expected to make sockets "console" and "monitor" in the
 * working directory, and to wait for "cont" on the monitor with a guest that has
 * all of its memory, and has executed nothing.
 */
void vm_start(struct vm *vm, char **command);
void vm_continue(struct vm *vm);
/* Not when the guest powers off meanwhile: it stays stopped then. */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
/* What the guest and QEMU said; waits up to a second, or until fd has input. */
void vm_hear(struct vm *vm, int fd);
/* Where the guest is. */
void vm_describe(struct vm *vm);
void vm_end(struct vm *vm);

/* Reads pages of guest memory from the process. */
void vm_read(const struct vm *vm, uint64_t gfn, uint64_t nr_pages, void *to);

#endif /* BOOT_VM_H */
