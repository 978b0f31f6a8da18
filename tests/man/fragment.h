/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pieces of programs in the manual take for granted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

static struct wtrack_session *session;
static struct wtrack_mirror *mirror;
static const struct wtrack_change *change;
static struct wtrack_range ranges[64];
static struct wtrack_resync_range range;
static struct { uint64_t pos; } *consumer;
static struct wtrack_region region;
static uint64_t pos, seq, generation;
static int r, n;

static inline void print(const struct wtrack_range *what, int nr)
{
	while (nr--)
		printf("%ju\n", (uintmax_t)what[nr].gfn);
}

static inline void reread(const struct wtrack_resync_range *what)
{
	printf("%ju\n", (uintmax_t)what->gfn);
}

static inline void use(const struct wtrack_region *what)
{
	printf("%ju\n", (uintmax_t)what->gfn);
}

static inline void look_at(const struct wtrack_change *what)
{
	printf("%ju\n", (uintmax_t)what->gpa);
}

static inline void fail(int err)
{
	fputs(wtrack_strerror(err), stderr);
	exit(1);
}
