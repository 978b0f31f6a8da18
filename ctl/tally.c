// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "mem.h"
#include "tally.h"

#define FIRST_SLOTS	64

void tally_init(struct tally *tally, size_t max)
{
	*tally = (struct tally) {
		.slots = mem_zalloc(FIRST_SLOTS * sizeof(*tally->slots)),
		.nr_slots = FIRST_SLOTS,
		.max = max,
	};
}

void tally_done(struct tally *tally)
{
	free(tally->slots);
	*tally = (struct tally) { 0 };
}

/* Keys come from the guest: each bit of them moves all bits of the result. */
static size_t hash(uint64_t key)
{
	key ^= key >> 33;
	key *= UINT64_C(0xff51afd7ed558ccd);
	key ^= key >> 33;
	key *= UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(key ^ key >> 33);
}

static struct tally_entry *find(const struct tally *tally, uint64_t key)
{
	size_t at = hash(key);

	for (;; at++) {
		struct tally_entry *entry;

		entry = &tally->slots[at & (tally->nr_slots - 1)];
		if (!entry->used || entry->key == key)
			return entry;
	}
}

static void grow(struct tally *tally)
{
	struct tally_entry *old = tally->slots;
	size_t nr_old = tally->nr_slots, i;

	tally->nr_slots *= 2;
	tally->slots = mem_zalloc(tally->nr_slots * sizeof(*tally->slots));
	for (i = 0; i < nr_old; i++)
		if (old[i].used)
			*find(tally, old[i].key) = old[i];
	free(old);
}

struct tally_entry *tally_get(struct tally *tally, uint64_t key)
{
	struct tally_entry *entry = find(tally, key);

	if (entry->used)
		return entry;
	if (tally->nr == tally->max)
		return NULL;
	if (tally->nr * 2 >= tally->nr_slots) {
		grow(tally);
		entry = find(tally, key);
	}
	entry->key = key;
	entry->used = true;
	tally->nr++;
	return entry;
}

void tally_add(struct tally *tally, uint64_t key, uint64_t bytes,
	       uint64_t time_ns)
{
	struct tally_entry *entry = tally_get(tally, key);

	if (!entry) {
		tally->other++;
		return;
	}
	if (!entry->count++)
		entry->first_ns = time_ns;
	entry->last_ns = time_ns;
	entry->bytes += bytes;
}

static int by_key(const void *a, const void *b)
{
	const struct tally_entry *one = *(struct tally_entry *const *)a;
	const struct tally_entry *other = *(struct tally_entry *const *)b;

	return one->key < other->key ? -1 : one->key > other->key;
}

static int by_count(const void *a, const void *b)
{
	const struct tally_entry *one = *(struct tally_entry *const *)a;
	const struct tally_entry *other = *(struct tally_entry *const *)b;

	if (one->count != other->count)
		return one->count > other->count ? -1 : 1;
	return by_key(a, b);
}

struct tally_entry **tally_sorted(const struct tally *tally,
				  enum tally_order order, size_t max,
				  size_t *ret_nr)
{
	struct tally_entry **list;
	size_t i, nr = 0;

	list = mem_zalloc((tally->nr + 1) * sizeof(struct tally_entry *));
	for (i = 0; i < tally->nr_slots; i++)
		if (tally->slots[i].used)
			list[nr++] = &tally->slots[i];
	qsort(list, nr, sizeof(*list),
	      order == TALLY_BY_KEY ? by_key : by_count);
	*ret_nr = nr < max ? nr : max;
	return list;
}
