/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user's sessions may use at most, all together. It is reserved when
 * a session is opened, because the session is restricted to it, and given back
 * when the session is closed.
 */
#ifndef WTRACKD_LIMIT_H
#define WTRACKD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct limit_amount {
	uint64_t sessions;
	uint64_t pages;
	uint64_t ring_bytes;
};

struct limit_user {
	LIST_ENTRY(limit_user) link;
	uid_t uid;
	struct limit_amount used;
};

struct limits {
	LIST_HEAD(, limit_user) users;
};

void limits_init(struct limits *limits);
void limits_done(struct limits *limits);

/*
 * 0; or -EDQUOT, with *ret_key naming the configuration key that is reached
 * and *ret_free what is left of it; or -ENOMEM.
 */
int limits_reserve(struct limits *limits, uid_t uid,
		   const struct limit_amount *want,
		   const struct limit_amount *max, const char **ret_key,
		   uint64_t *ret_free);
/* Without asking: a session that was opened before we were started. */
int limits_charge(struct limits *limits, uid_t uid,
		  const struct limit_amount *amount);
void limits_release(struct limits *limits, uid_t uid,
		    const struct limit_amount *amount);
struct limit_amount limits_used(const struct limits *limits, uid_t uid);

#endif
