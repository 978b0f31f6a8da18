/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that outlive the process, in the service manager. They come back
 * with the next start unless the service was stopped meanwhile.
 */
#ifndef WATCH_FDSTORE_H
#define WATCH_FDSTORE_H

#include <stddef.h>
#include <stdint.h>

/* A descriptor's name has at most 255 characters, of these. */
#define FDSTORE_NAME_BYTES	256

/*
 * "watch-NAME-ID-PID": the watch's name with what a descriptor's name must not
 * have escaped, the module's number of the VM, and its process, which nobody
 * can tell any more when it is gone. -ENAMETOOLONG if it does not fit.
 */
int fdstore_name(const char *watch, uint64_t vm_id, int vm_pid,
		 char ret[FDSTORE_NAME_BYTES]);
/* The other way round: -EINVAL for what the function above does not make. */
int fdstore_parse(const char *name, char **ret_watch, uint64_t *ret_vm_id,
		  int *ret_vm_pid);

/*
 * Keeps a copy of @fd. It stays when there is an error or hang-up on it: that
 * of a VM that is gone may have events that nobody has read. 0, or -ENOTCONN
 * when no service manager is there.
 */
int fdstore_put(const char *name, int fd);
/* Drops all that have this name. */
int fdstore_remove(const char *name);

/*
 * *ret_fd hangs up when the service manager has taken in all that it was told
 * before.
 */
int fdstore_barrier(int *ret_fd);

#endif
