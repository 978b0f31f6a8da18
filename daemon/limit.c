// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "limit.h"

void limits_init(struct limits *limits)
{
	LIST_INIT(&limits->users);
}

void limits_done(struct limits *limits)
{
	struct limit_user *user;

	while ((user = LIST_FIRST(&limits->users))) {
		LIST_REMOVE(user, link);
		free(user);
	}
}

static struct limit_user *find_user(const struct limits *limits, uid_t uid)
{
	struct limit_user *user;

	LIST_FOREACH(user, &limits->users, link)
		if (user->uid == uid)
			return user;
	return NULL;
}

static struct limit_user *get_user(struct limits *limits, uid_t uid)
{
	struct limit_user *user = find_user(limits, uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	LIST_INSERT_HEAD(&limits->users, user, link);
	return user;
}

/* A limit may have been lowered below what is used. */
static bool fits(uint64_t used, uint64_t want, uint64_t max, uint64_t *ret_free)
{
	*ret_free = used < max ? max - used : 0;
	return want <= *ret_free;
}

static const char *find_exceeded(const struct limit_amount *used,
				 const struct limit_amount *want,
				 const struct limit_amount *max,
				 uint64_t *ret_free)
{
	if (!fits(used->sessions, want->sessions, max->sessions, ret_free))
		return "UserSessions";
	if (!fits(used->pages, want->pages, max->pages, ret_free))
		return "UserPages";
	if (!fits(used->ring_bytes, want->ring_bytes, max->ring_bytes,
		  ret_free))
		return "UserRingBytes";
	return NULL;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t subtract(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

int limits_charge(struct limits *limits, uid_t uid,
		  const struct limit_amount *amount)
{
	struct limit_user *user = get_user(limits, uid);

	if (!user)
		return -ENOMEM;
	user->used.sessions = add(user->used.sessions, amount->sessions);
	user->used.pages = add(user->used.pages, amount->pages);
	user->used.ring_bytes = add(user->used.ring_bytes, amount->ring_bytes);
	return 0;
}

int limits_reserve(struct limits *limits, uid_t uid,
		   const struct limit_amount *want,
		   const struct limit_amount *max, const char **ret_key,
		   uint64_t *ret_free)
{
	struct limit_amount used = limits_used(limits, uid);
	const char *key;
	uint64_t left;

	key = find_exceeded(&used, want, max, &left);
	if (key) {
		*ret_key = key;
		*ret_free = left;
		return -EDQUOT;
	}
	return limits_charge(limits, uid, want);
}

void limits_release(struct limits *limits, uid_t uid,
		    const struct limit_amount *amount)
{
	struct limit_user *user = find_user(limits, uid);

	if (!user)
		return;
	user->used.sessions = subtract(user->used.sessions, amount->sessions);
	user->used.pages = subtract(user->used.pages, amount->pages);
	user->used.ring_bytes = subtract(user->used.ring_bytes,
					 amount->ring_bytes);
	if (user->used.sessions)
		return;
	LIST_REMOVE(user, link);
	free(user);
}

struct limit_amount limits_used(const struct limits *limits, uid_t uid)
{
	const struct limit_user *user = find_user(limits, uid);

	return user ? user->used : (struct limit_amount) {};
}
