// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

enum { WORDS = PAGE_BYTES / 8, BLOCK = 64, PRINT_PAGES = 20 };

static void print_page(const struct copy *copy, uint64_t gfn,
		       const uint64_t *memory)
{
	const struct page *p = &copy->pages[gfn];
	const uint64_t *kept = copy_page(copy, gfn);
	int word = 0;

	while (word < WORDS - 1 && kept[word] == memory[word])
		word++;
	printf("# page %#" PRIx64 " differs at %#x: copy %016" PRIx64
	       ", memory %016" PRIx64 "\n", gfn, word * 8, kept[word],
	       memory[word]);
	printf("#   state %d, %u writes, last by %#" PRIx64
	       ", found changed %u times\n", copy_state(copy, gfn), p->writes,
	       p->rip, p->rereads);
}

static bool is_kept(const struct copy *copy, uint64_t gfn)
{
	int state = copy_state(copy, gfn);

	return state == WTRACK_MIRROR_LIVE || state == WTRACK_MIRROR_DISARMED;
}

static void compare_page(struct comparison *result, const struct copy *copy,
			 uint64_t gfn, const uint64_t *memory)
{
	if (!is_kept(copy, gfn)) {
		if (copy->pages[gfn].guest && result->missing++ < PRINT_PAGES)
			printf("# page %#" PRIx64 " has state %d\n", gfn,
			       copy_state(copy, gfn));
		return;
	}
	result->compared++;
	if (!memcmp(memory, copy_page(copy, gfn), PAGE_BYTES))
		return;
	if (result->different++ < PRINT_PAGES && copy->session)
		print_page(copy, gfn, memory);
}

void compare(struct comparison *result, const struct copy *copy)
{
	static uint64_t memory[BLOCK * WORDS];

	memset(result, 0, sizeof(*result));
	for (uint64_t gfn = 0; gfn < RAM_PAGES; gfn++) {
		if (gfn % BLOCK == 0)
			vm_read(copy->vm, gfn, BLOCK, memory);
		compare_page(result, copy, gfn, memory + gfn % BLOCK * WORDS);
	}
}
