// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "watch_match.h"

bool watch_match_is_empty(const struct watch_match *match)
{
	return !match->machine && !match->qemu_name && !match->cgroup &&
	       !match->has_uid;
}

static bool matches_name(const char *glob, const char *name)
{
	if (!glob)
		return true;
	return name && *name && !fnmatch(glob, name, 0);
}

/* FNM_LEADING_DIR: what follows a slash behind the match does not matter. */
static bool matches_cgroup(const char *glob, const char *path)
{
	if (!glob)
		return true;
	return path && *path && !fnmatch(glob, path, FNM_LEADING_DIR);
}

bool watch_match(const struct watch_match *match,
		 const struct watch_subject *subject)
{
	return matches_name(match->machine, subject->machine) &&
	       matches_name(match->qemu_name, subject->qemu_name) &&
	       matches_cgroup(match->cgroup, subject->cgroup) &&
	       (!match->has_uid || match->uid == subject->uid);
}

void watch_match_clear(struct watch_match *match)
{
	free(match->machine);
	free(match->qemu_name);
	free(match->cgroup);
	*match = (struct watch_match){ 0 };
}

int watch_match_parse_user(const char *text, uid_t *ret)
{
	const struct passwd *user;
	uint64_t uid;
	int r;

	/* (uid_t)-1 is nobody's: calls take it for "leave as it is". */
	if (isdigit((unsigned char)*text)) {
		r = number_parse_decimal(text, 0, UINT32_MAX - 1, &uid);
		if (!r)
			*ret = (uid_t)uid;
		return r;
	}
	user = getpwnam(text);
	if (!user)
		return -ESRCH;
	*ret = user->pw_uid;
	return 0;
}
