/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of a file system whose server, another process, never provides the
 * file's page: what faults on it waits, with FUSE, until the server ends.
 */
#ifndef GUEST_STUCK_FILE_H
#define GUEST_STUCK_FILE_H

#include <sys/types.h>

struct stuck_file {
	pid_t server;
	int asked;		/* the server writes a byte for each page */
	unsigned char *page;	/* mapped shared, and writable */
};

/* Loads fuse if need be, mounts the file system, maps the file's page. */
void stuck_file_open(struct stuck_file *f);
/* Waits until something faults on the page. */
void stuck_file_wait(struct stuck_file *f);
/* Kills the server: whoever waits gets SIGBUS, or EFAULT in a system call. */
void stuck_file_end(struct stuck_file *f);

#endif /* GUEST_STUCK_FILE_H */
