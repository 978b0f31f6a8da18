/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted of each key: of pages, of instructions, of vCPUs. */
#ifndef CTL_TALLY_H
#define CTL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct tally_entry - one key
 * @key: a page's number, an address
 * @count, @bytes: of writes
 * @first_ns, @last_ns: the first write and the last
 * @unseen_ns: how long the page was not seen, in closed gaps
 * @since_ns: since when it is not seen
 * @gap: in a gap now: 1 + its index in a list of gaps, or GAP_UNLISTED
 * @losses: gaps of this page
 * @used: the place is taken
 */
struct tally_entry {
	uint64_t key;
	uint64_t count;
	uint64_t bytes;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t unseen_ns;
	uint64_t since_ns;
	uint32_t gap;
	uint32_t losses;
	bool used;
};

/**
 * struct tally - entries, found by their key
 * @slots: a power of two, at most half of them used
 * @nr_slots: how many
 * @nr: used ones
 * @max: keys that are kept apart
 * @other: writes with further keys
 */
struct tally {
	struct tally_entry *slots;
	size_t nr_slots;
	size_t nr;
	size_t max;
	uint64_t other;
};

void tally_init(struct tally *tally, size_t max);
void tally_done(struct tally *tally);

/* The entry of a key, which may be new; NULL when there are too many. */
struct tally_entry *tally_get(struct tally *tally, uint64_t key);
void tally_add(struct tally *tally, uint64_t key, uint64_t bytes,
	       uint64_t time_ns);

/*
 * Entries in order, at most @max of them: an array to be freed, of which the
 * entries are the tally's own. By count, the highest first, or by key.
 */
enum tally_order { TALLY_BY_COUNT, TALLY_BY_KEY };
struct tally_entry **tally_sorted(const struct tally *tally,
				  enum tally_order order, size_t max,
				  size_t *ret_nr);

#endif
