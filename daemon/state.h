/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be asked of the module: for whom a session was opened. One small
 * file for each session, so that a crash loses nothing.
 */
#ifndef WTRACKD_STATE_H
#define WTRACKD_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct state {
	uint64_t session_id;		/* the file's name */
	pid_t opener_pid;		/* the daemon, as the module knows it */
	uid_t uid;			/* client */
	pid_t pid;
	pid_t vm_pid;			/* VM that it was opened for */
	int vm_fd;
	uint64_t max_pages;
	uint32_t max_records;
};

/* As text; what is unknown or missing is -EBADMSG. */
int state_format(const struct state *state, char **ret);
int state_parse(const char *text, size_t size, struct state *ret);

/* dir must exist. Writing is complete or has not happened. */
int state_write(const char *dir, const struct state *state);
int state_read(const char *dir, uint64_t session_id, struct state *ret);
int state_remove(const char *dir, uint64_t session_id);
/* Removes files whose session is not kept, and what is left of a crash. */
int state_clean(const char *dir,
		int (*keep)(uint64_t session_id, void *userdata),
		void *userdata);

#endif
