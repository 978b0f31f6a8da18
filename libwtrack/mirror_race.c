// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * May the store of a record be older than a store that the copy contains
 * already?
 *
 * A record comes after its store. So two vCPUs that store to the same bytes may
 * be recorded in the opposite order: A stores, B stores, B is recorded, A is
 * recorded. A copy to which A's record is applied last has A's bytes, while
 * memory has B's. Then the page has to be read again.
 *
 * When is a record of A, number n, surely newer than an earlier one of B, number
 * m < n? When there is a record of A, number k, with m < k < n. For
 *
 *	B's store is before B's record takes its place m in the ring,
 *	places are taken in order: m is taken before k,
 *	A publishes record k before it executes its next instruction, and so
 *	before the store of record n.
 *
 * The number k is the clock of vCPU A. The parts of one store come from one
 * instruction and are no later than each other: only the last of them moves the
 * clock. Records of the guard do not, because others make them in a vCPU's place.
 *
 * A fence moves all clocks. Stores made before the fence was called have
 * records up to the number that the fence returned. So a record with a higher
 * number is of a store that was made after the call; it is newer than every
 * record that was taken before the call. A vCPU that a fence gave up waiting
 * for is the exception: the fence reports the page as CHANGED, and that counts
 * as a store to the whole page by an unknown writer (NOBODY). A later record of
 * any vCPU is not surely newer unless the vCPU's clock has passed that number.
 *
 * So this finds every conflict. It also reports some that are none, which cost
 * only that the page is read again.
 */
#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "sys.h"

#define MOST_CLOCKS	65536
#define FIRST_CLOCKS	16

int wtrack__race_init(struct race *race)
{
	race->clock = wtrack__sys_alloc(FIRST_CLOCKS * sizeof(*race->clock));
	if (!race->clock)
		return -ENOMEM;
	race->nr_clocks = FIRST_CLOCKS;
	return 0;
}

void wtrack__race_exit(struct race *race)
{
	wtrack__sys_free(race->clock);
}

/* Without memory the vCPU's clock stands still, which is safe. */
static void grow_clocks(struct race *race, uint32_t writer)
{
	uint32_t nr = race->nr_clocks;
	uint64_t *clock;

	while (nr <= writer)
		nr *= 2;
	clock = wtrack__sys_alloc(nr * sizeof(*clock));
	if (!clock)
		return;
	memcpy(clock, race->clock, race->nr_clocks * sizeof(*clock));
	wtrack__sys_free(race->clock);
	race->clock = clock;
	race->nr_clocks = nr;
}

/* The record with this number was taken: with @more, it is not the last part. */
void wtrack__race_told(struct race *race, uint64_t seq, uint32_t writer,
		       bool more)
{
	if (more || writer >= MOST_CLOCKS)
		return;
	if (writer >= race->nr_clocks)
		grow_clocks(race, writer);
	if (writer < race->nr_clocks)
		race->clock[writer] = seq;
}

/* A fence returned @seq; all up to @taken was taken before it was called. */
void wtrack__race_fence(struct race *race, uint64_t taken, uint64_t seq)
{
	race->fence_from = taken;
	race->fence_at = seq;
}

/* A record behind the fence was reached. */
static void raise_floor(struct race *race, uint64_t seq)
{
	if (seq > race->fence_at && race->fence_from > race->floor)
		race->floor = race->fence_from;
}

/* The stores of records up to this number surely precede the store of record @seq. */
static uint64_t clock_of(const struct race *race, uint64_t seq, uint32_t writer)
{
	uint64_t clock = writer < race->nr_clocks ? race->clock[writer] : 0;
	uint64_t floor = race->floor;

	if (seq > race->fence_at && race->fence_from > floor)
		floor = race->fence_from;
	return clock > floor ? clock : floor;
}

static void remember(struct race *race, uint64_t seq, uint64_t gpa,
		     uint32_t len, uint32_t writer)
{
	struct store *store = &race->stores[seq % STORES];

	/* One that was applied ahead keeps the place: see raced(). */
	if (store->seq > seq)
		return;
	*store = (struct store) {
		.seq = seq, .gpa = gpa, .len = len, .writer = writer,
	};
}

static bool overlaps(const struct store *store, uint64_t gpa, uint32_t len)
{
	return gpa < store->gpa + store->len && store->gpa < gpa + len;
}

/*
 * Has another writer stored to these bytes after record @clock and before @seq?
 * A time before the remembered stores counts as yes.
 */
static bool raced(const struct race *race, uint64_t clock, uint64_t seq,
		  uint64_t gpa, uint32_t len, uint32_t writer)
{
	const struct store *store;
	uint64_t i;

	if (seq - clock > STORES)
		return true;
	for (i = clock + 1; i < seq; i++) {
		store = &race->stores[i % STORES];
		/* One that was applied ahead has taken its place. */
		if (store->seq > i)
			return true;
		if (store->seq == i && overlaps(store, gpa, len) &&
		    (store->writer != writer || writer == NOBODY))
			return true;
	}
	return false;
}

static void note_writer(struct page *page, uint64_t seq, uint32_t writer)
{
	if (page->writer != writer || writer == NOBODY) {
		page->other = page->last;
		page->writer = writer;
	}
	page->last = seq;
}

/* The last store to the page that may not be of this writer. */
static uint64_t last_of_others(const struct page *page, uint32_t writer)
{
	return page->writer == writer && writer != NOBODY ? page->other :
							    page->last;
}

/*
 * Does a record conflict with what the copy contains? Called before it is
 * applied. Usually the last stores to the page are of the same vCPU, or old,
 * and nothing is looked up.
 *
 * A record that is applied before its turn finds the clocks where they stand for an
 * earlier one, which reports no conflict too few.
 */
bool wtrack__race_ahead(struct race *race, struct page *page, uint64_t seq,
			uint64_t gpa, uint32_t len, uint32_t writer)
{
	uint64_t clock = clock_of(race, seq, writer);
	bool conflict = last_of_others(page, writer) > clock &&
			raced(race, clock, seq, gpa, len, writer);

	note_writer(page, seq, writer);
	remember(race, seq, gpa, len, writer);
	return conflict;
}

/* The same for a record whose turn it is. */
bool wtrack__race_store(struct race *race, struct page *page, uint64_t seq,
			uint64_t gpa, uint32_t len, uint32_t writer)
{
	raise_floor(race, seq);
	return wtrack__race_ahead(race, page, seq, gpa, len, writer);
}

/*
 * An unknown writer has changed the page. The record, and later ones, may have
 * been looked at ahead.
 */
void wtrack__race_page(struct race *race, struct page *page, uint64_t seq)
{
	note_writer(page, seq > page->last ? seq : page->last, NOBODY);
	remember(race, seq, page->gfn << GFN_SHIFT, PAGE_BYTES, NOBODY);
}

/*
 * The page was read after a fence. Stores that the copy contains by that, and that
 * were made after the fence was called, are yet to be noted: those whose records have
 * numbers up to the one that the fence returned. See wtrack__race_contained().
 */
void wtrack__race_reset(struct page *page)
{
	page->writer = NOBODY;
	page->last = page->other = 0;
}

/*
 * The copy contains the store of a record that is not applied, since the page was read
 * after it. Between the call of the fence and its return vCPUs store as well. So the
 * record of a store that is older than this one may have a number behind the fence's,
 * and then it conflicts.
 */
void wtrack__race_contained(struct race *race, struct page *page, uint64_t seq,
			    uint64_t gpa, uint32_t len, uint32_t writer)
{
	note_writer(page, seq, writer);
	remember(race, seq, gpa, len, writer);
}
