/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMs a watch is for. */
#ifndef WATCH_MATCH_H
#define WATCH_MATCH_H

#include <stdbool.h>
#include <sys/types.h>

/* What is NULL, or not given, matches anything. */
struct watch_match {
	char *machine;		/* globs, as of fnmatch(3) */
	char *qemu_name;
	char *cgroup;
	bool has_uid;
	uid_t uid;
};

/* What is known of a VM; "" or NULL where there is nothing to know. */
struct watch_subject {
	const char *machine;
	const char *qemu_name;
	const char *cgroup;
	uid_t uid;
};

bool watch_match_is_empty(const struct watch_match *match);

/*
 * All that is given has to match. A name that a VM does not have matches no
 * glob, not even "*". A glob for the cgroup matches the path of the VM's cgroup
 * or of one above it, and its "*" goes across slashes.
 */
bool watch_match(const struct watch_match *match,
		 const struct watch_subject *subject);
void watch_match_clear(struct watch_match *match);

/*
 * A user's name or number. -ESRCH when there is no such user; -EINVAL, -ERANGE
 * for what begins as a number and is none.
 */
int watch_match_parse_user(const char *text, uid_t *ret);

#endif
