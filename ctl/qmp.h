/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor for programs: QMP, on a socket that the user names. */
#ifndef CTL_QMP_H
#define CTL_QMP_H

/* How long QEMU may take for a greeting or an answer. */
#define QMP_MS		5000

/*
 * qmp_open() - connect, and leave the mode in which QMP only negotiates
 *
 * Return: the socket, which is the caller's to close, or
 *	-EPROTO		what answers does not speak QMP
 *	-ETIMEDOUT	nothing answers, as when the monitor has another client
 *	or the errors of connect(2)
 */
int qmp_open(const char *path);

/* Sends the command, which has no arguments. 0 or -errno. */
int qmp_send(int fd, const char *command);

/*
 * Waits for the answer to what was sent last. 0, -EPROTO if QEMU refuses, -EPIPE if
 * the connection is over, or -ETIMEDOUT.
 */
int qmp_wait(int fd);

#endif
