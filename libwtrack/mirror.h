/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a mirror. Nothing here is shared with other threads.
 *
 *	mirror.c	life; pages are added, removed and asked for
 *	mirror_page.c	the pages: finding them, what is known of each
 *	mirror_update.c	events become changes
 *	mirror_read.c	pages are read, and read again
 *	mirror_race.c	may a record be older than what it would overwrite?
 */
#ifndef WTRACK_MIRROR_INTERNAL_H
#define WTRACK_MIRROR_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/mirror.h>

#include "internal.h"

#define GFN_SHIFT	12
#define PAGE_BYTES	4096
#define STATES		(WTRACK_MIRROR_REMOVED + 1)

/* A list of pages: a ring of links with the head in it. */
struct link {
	struct link *prev, *next;	/* NULL while it is in no list */
};

/*
 * The writer of a store: a vCPU's number, or one of the numbers for unknown
 * writers.
 */
#define NOBODY	UINT32_MAX

/**
 * struct page - a page of the mirror
 * @gfn: its number
 * @born: events up to this sequence number are about the page before it was
 *	added
 * @contains: the copy was read when the stores of all records up to this number
 *	were in memory
 * @looked: the records up to this one were looked at when it was read
 * @applied: the records after @contains up to this one were applied when it was
 *	read
 * @writer: the writer of the last known store, or NOBODY
 * @last: sequence number of that store
 * @other: sequence number of the last store of another writer
 * @state: WTRACK_MIRROR_*
 * @told: the state that the caller knows
 * @conflict: @in_stale because of a conflict
 * @unwatched: it is absent, and no event reports when there is memory
 * @once: the session does not observe it until it is armed again
 * @target: where records ahead are applied while the page is read, or NULL
 * @in_state: in mirror.states[@state]
 * @in_stale: in mirror.stale: memory has to be read
 * @in_untold: in mirror.untold: @state may differ from @told
 * @bytes: the copy
 */
struct page {
	uint64_t gfn;
	uint64_t born;
	uint64_t contains;
	uint64_t looked;
	uint64_t applied;
	uint64_t last, other;
	uint32_t writer;
	uint8_t state, told;
	bool conflict, once, unwatched;
	unsigned char *target;
	struct link in_state, in_stale, in_untold;
	unsigned char bytes[PAGE_BYTES];
};

/* Open addressing; a power of two of places, half of them empty at least. */
struct table {
	struct page **pages;
	size_t size, nr;
};

/* Of the last stores: see mirror_race.c. */
#define STORES	256

struct store {
	uint64_t seq;
	uint64_t gpa;
	uint32_t len;
	uint32_t writer;
};

struct race {
	uint64_t *clock;		/* of each vCPU */
	uint32_t nr_clocks;
	uint64_t floor;			/* of all */
	uint64_t fence_from, fence_at;	/* when the floor rises, and to where */
	struct store stores[STORES];
};

/* Pages that were read together, and are compared with the copy. */
#define BATCH	32

struct batch {
	struct page *pages[BATCH];	/* NULL: removed meanwhile */
	unsigned char *bytes;		/* PAGE_BYTES for each of them */
	unsigned int nr, at;
	unsigned int offset;		/* in the page at */
};

struct wtrack_mirror {
	struct wtrack_session *session;
	struct table table;
	struct link states[STATES];
	struct link stale, untold;
	uint64_t nr_state[STATES];
	uint64_t nr_stale;
	uint64_t nr_unwatched;
	struct race race;
	struct batch batch;
	uint64_t taken;			/* number of the last event */
	uint64_t removed;		/* no event of a removed page is later */
	uint32_t unreleased;		/* events */
	/* How far the calls have come that end with one that returns 0. */
	bool syncing;
	bool reading;			/* events were taken, pages are read */
	uint64_t sync_seq;		/* a sync takes all events up to here */
	unsigned int cuts;		/* resync sets that it did not get to the end of */
	uint64_t events;		/* that were taken */
	uint64_t left;			/* stale pages still to be read */
	unsigned int rounds;
	uint64_t generation;		/* when absent pages were looked at */
	bool resync;			/* the set is to be fetched */
	uint64_t writes, rereads, conflicts, resyncs;
	struct wtrack_change change;
	unsigned char old[KVM_WTRACK_DATA_BYTES];
};

/* The page that has this link at the offset. */
#define page_of(link, member) \
	((struct page *)((char *)(link) - offsetof(struct page, member)))

/* mirror_page.c */
void wtrack__list_init(struct link *list);
void wtrack__list_add(struct link *list, struct link *link);
void wtrack__list_del(struct link *link);
struct page *wtrack__page_find(const struct wtrack_mirror *mirror,
			       uint64_t gfn);
struct page *wtrack__page_new(struct wtrack_mirror *mirror, uint64_t gfn);
void wtrack__page_free(struct wtrack_mirror *mirror, struct page *page);
void wtrack__page_set_state(struct wtrack_mirror *mirror, struct page *page,
			    uint8_t state);
/*
 * The page has no memory. With @unwatched, no event reports when there is
 * memory.
 */
void wtrack__page_lose(struct wtrack_mirror *mirror, struct page *page,
		       bool unwatched);
/* The page has to be read; or it need not be read, or not any more. */
void wtrack__page_stale(struct wtrack_mirror *mirror, struct page *page);
void wtrack__page_unstale(struct wtrack_mirror *mirror, struct page *page);
/* Calls fn for each page of the range that is in the mirror, in any order. */
typedef void (*page_fn)(struct wtrack_mirror *mirror, struct page *page,
			void *userdata);
void wtrack__page_each(struct wtrack_mirror *mirror,
		       const struct wtrack_range *range, page_fn fn,
		       void *userdata);
void wtrack__page_drop_all(struct wtrack_mirror *mirror);

/* mirror_race.c */
int wtrack__race_init(struct race *race);
void wtrack__race_exit(struct race *race);
void wtrack__race_fence(struct race *race, uint64_t taken, uint64_t seq);
bool wtrack__race_store(struct race *race, struct page *page, uint64_t seq,
			uint64_t gpa, uint32_t len, uint32_t writer);
bool wtrack__race_ahead(struct race *race, struct page *page, uint64_t seq,
			uint64_t gpa, uint32_t len, uint32_t writer);
void wtrack__race_told(struct race *race, uint64_t seq, uint32_t writer,
		       bool more);
void wtrack__race_page(struct race *race, struct page *page, uint64_t seq);
void wtrack__race_reset(struct page *page);
void wtrack__race_contained(struct race *race, struct page *page, uint64_t seq,
			    uint64_t gpa, uint32_t len, uint32_t writer);

/* mirror_read.c */
/* The event is of a store that was in memory when the page was read. */
void wtrack__note_contained(struct wtrack_mirror *mirror, struct page *page,
			    const struct wtrack_event *event);
int wtrack__read_batch(struct wtrack_mirror *mirror);
bool wtrack__read_next(struct wtrack_mirror *mirror);
/* Called for a page that cannot be read, which it may free. */
typedef void (*refuse_fn)(struct wtrack_mirror *mirror, struct page *page,
			  int err, void *userdata);
int wtrack__read_first(struct wtrack_mirror *mirror, struct link *fresh,
		       refuse_fn refuse, void *userdata);
void wtrack__refuse_all(struct wtrack_mirror *mirror, struct link *fresh,
			int err, refuse_fn refuse, void *userdata);
int wtrack__read_absent(struct wtrack_mirror *mirror);
void wtrack__find_armed(struct wtrack_mirror *mirror);
int wtrack__arm_absent(struct wtrack_mirror *mirror);

/* mirror.c */
bool wtrack__session_stops(const struct wtrack_mirror *mirror);
bool wtrack__session_is_once(const struct wtrack_mirror *mirror);
bool wtrack__session_is_sticky(const struct wtrack_mirror *mirror);
bool wtrack__session_waits(const struct wtrack_mirror *mirror);
bool wtrack__session_merges(const struct wtrack_mirror *mirror);

/* mirror_update.c */
bool wtrack__tells_bytes(const struct wtrack_event *event, uint64_t gpa,
			 size_t len);
uint32_t wtrack__writer_of(const struct wtrack_event *event);
void wtrack__lose_all(struct wtrack_mirror *mirror);

#endif
