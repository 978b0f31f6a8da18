// SPDX-License-Identifier: LGPL-2.1-or-later
/* The pages of a mirror: a hash table by number, and lists by state. */
#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "sys.h"

#define SMALLEST	64

void wtrack__list_init(struct link *list)
{
	list->prev = list->next = list;
}

/* At the end. */
void wtrack__list_add(struct link *list, struct link *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/* Works also for a link that is in no list. */
void wtrack__list_del(struct link *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* Spreads neighbours evenly over the table. */
static size_t place_of(const struct table *table, uint64_t gfn)
{
	return (size_t)((gfn * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (table->size - 1);
}

static size_t place_behind(const struct table *table, size_t place)
{
	return (place + 1) & (table->size - 1);
}

struct page *wtrack__page_find(const struct wtrack_mirror *mirror, uint64_t gfn)
{
	const struct table *table = &mirror->table;
	struct page *page;
	size_t place;

	if (!table->nr)
		return NULL;
	place = place_of(table, gfn);
	while ((page = table->pages[place]) && page->gfn != gfn)
		place = place_behind(table, place);
	return page;
}

static void table_put(struct table *table, struct page *page)
{
	size_t place = place_of(table, page->gfn);

	while (table->pages[place])
		place = place_behind(table, place);
	table->pages[place] = page;
}

static int table_resize(struct table *table, size_t size)
{
	struct table bigger = { .size = size, .nr = table->nr };
	size_t i;

	if (size > SIZE_MAX / sizeof(*bigger.pages))
		return -ENOMEM;
	bigger.pages = wtrack__sys_alloc(size * sizeof(*bigger.pages));
	if (!bigger.pages)
		return -ENOMEM;
	for (i = 0; i < table->size; i++)
		if (table->pages[i])
			table_put(&bigger, table->pages[i]);
	wtrack__sys_free(table->pages);
	*table = bigger;
	return 0;
}

static int table_add(struct table *table, struct page *page)
{
	int r = 0;

	if (2 * (table->nr + 1) > table->size)
		r = table_resize(table, table->size ? 2 * table->size :
						      SMALLEST);
	if (r < 0)
		return r;
	table_put(table, page);
	table->nr++;
	return 0;
}

/*
 * Entries that follow it in its run may have to move, so that they are found.
 */
static void table_del(struct table *table, const struct page *page)
{
	size_t place = place_of(table, page->gfn);
	struct page *moved;

	while (table->pages[place] != page)
		place = place_behind(table, place);
	table->pages[place] = NULL;
	table->nr--;
	for (place = place_behind(table, place); table->pages[place];
	     place = place_behind(table, place)) {
		moved = table->pages[place];
		table->pages[place] = NULL;
		table_put(table, moved);
	}
	/* Without memory for a smaller table the larger one stays. */
	if (table->size > SMALLEST && 8 * table->nr < table->size)
		(void)table_resize(table, table->size / 2);
}

static void link_state(struct wtrack_mirror *mirror, struct page *page,
		       uint8_t state)
{
	page->state = state;
	mirror->nr_state[state]++;
	wtrack__list_add(&mirror->states[state], &page->in_state);
}

static void unlink_state(struct wtrack_mirror *mirror, struct page *page)
{
	mirror->nr_state[page->state]--;
	mirror->nr_unwatched -= page->unwatched;
	page->unwatched = false;
	wtrack__list_del(&page->in_state);
}

/*
 * Returns NULL without memory. The page is live, which is the state that its
 * caller knows.
 */
struct page *wtrack__page_new(struct wtrack_mirror *mirror, uint64_t gfn)
{
	struct page *page = wtrack__sys_alloc(sizeof(*page));

	if (!page)
		return NULL;
	page->gfn = gfn;
	page->told = WTRACK_MIRROR_LIVE;
	page->writer = NOBODY;
	if (table_add(&mirror->table, page) < 0) {
		wtrack__sys_free(page);
		return NULL;
	}
	link_state(mirror, page, WTRACK_MIRROR_LIVE);
	return page;
}

void wtrack__page_free(struct wtrack_mirror *mirror, struct page *page)
{
	struct batch *batch = &mirror->batch;
	unsigned int i;

	for (i = batch->at; i < batch->nr; i++)
		if (batch->pages[i] == page)
			batch->pages[i] = NULL;
	wtrack__page_unstale(mirror, page);
	wtrack__list_del(&page->in_untold);
	unlink_state(mirror, page);
	table_del(&mirror->table, page);
	wtrack__sys_free(page);
}

void wtrack__page_set_state(struct wtrack_mirror *mirror, struct page *page,
			    uint8_t state)
{
	if (page->state == state)
		return;
	unlink_state(mirror, page);
	link_state(mirror, page, state);
	if (!page->in_untold.next)
		wtrack__list_add(&mirror->untold, &page->in_untold);
}

void wtrack__page_unstale(struct wtrack_mirror *mirror, struct page *page)
{
	if (page->in_stale.next)
		mirror->nr_stale--;
	wtrack__list_del(&page->in_stale);
	page->conflict = false;
}

void wtrack__page_lose(struct wtrack_mirror *mirror, struct page *page,
		       bool unwatched)
{
	wtrack__page_set_state(mirror, page, WTRACK_MIRROR_ABSENT);
	wtrack__page_unstale(mirror, page);
	/* There may be memory by now. */
	mirror->generation = 0;
	mirror->nr_unwatched += unwatched - page->unwatched;
	page->unwatched = unwatched;
}

void wtrack__page_stale(struct wtrack_mirror *mirror, struct page *page)
{
	if (page->in_stale.next)
		return;
	wtrack__list_add(&mirror->stale, &page->in_stale);
	mirror->nr_stale++;
}

static bool is_inside(const struct page *page, const struct wtrack_range *range)
{
	return page->gfn - range->gfn < range->nr_pages;
}

/*
 * For a range with more pages than the mirror. fn may change the state of the
 * page or free it; it is called again for a page whose new state comes later in
 * this loop.
 */
static void each_of_all(struct wtrack_mirror *mirror,
			const struct wtrack_range *range, page_fn fn,
			void *userdata)
{
	struct link *list, *link, *next;
	int state;

	for (state = WTRACK_MIRROR_LIVE; state < STATES; state++) {
		list = &mirror->states[state];
		for (link = list->next; link != list; link = next) {
			next = link->next;
			if (is_inside(page_of(link, in_state), range))
				fn(mirror, page_of(link, in_state), userdata);
		}
	}
}

void wtrack__page_each(struct wtrack_mirror *mirror,
		       const struct wtrack_range *range, page_fn fn,
		       void *userdata)
{
	struct page *page;
	uint64_t i;

	if (range->nr_pages > mirror->table.nr) {
		each_of_all(mirror, range, fn, userdata);
		return;
	}
	for (i = 0; i < range->nr_pages; i++) {
		page = wtrack__page_find(mirror, range->gfn + i);
		if (page)
			fn(mirror, page, userdata);
	}
}

void wtrack__page_drop_all(struct wtrack_mirror *mirror)
{
	struct table *table = &mirror->table;
	size_t i;

	for (i = 0; i < table->size; i++)
		wtrack__sys_free(table->pages[i]);
	wtrack__sys_free(table->pages);
}
