// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"

enum { WORDS = PAGE_BYTES / 8, PRINT_PAGES = 20 };

static void print_page(const struct copy *copy, uint64_t gfn, int word,
		       uint64_t memory)
{
	const struct page *p = &copy->pages[gfn];
	const uint64_t *kept = (const void *)(copy->bytes + gfn * PAGE_BYTES);

	printf("# page %#" PRIx64 " differs at %#x: copy %016" PRIx64
	       ", memory %016" PRIx64 "\n", gfn, word * 8, kept[word], memory);
	printf("#   tracked %d, disarmed %d, %u writes, last by %#" PRIx64
	       ", read again %u times, last event %" PRIu64 " of %" PRIu64
	       ", by cause", p->tracked, p->disarmed, p->writes, p->rip,
	       p->rereads, p->seq, copy->seq);
	for (int i = 0; i < NR_CAUSES; i++)
		printf(" %u", p->causes[i]);
	printf("\n");
}

static void compare_page(struct comparison *result, const struct copy *copy,
			 uint64_t gfn, const uint64_t *memory)
{
	const uint64_t *kept = (const void *)(copy->bytes + gfn * PAGE_BYTES);
	int word = 0;

	if (copy->pages[gfn].disarmed) {
		result->unobserved++;
		return;
	}
	while (word < WORDS - 1 && kept[word] == memory[word])
		word++;
	if (result->different++ < PRINT_PAGES && copy->session)
		print_page(copy, gfn, word, memory[word]);
}

void compare(struct comparison *result, const struct copy *copy)
{
	static uint64_t memory[WORDS];

	memset(result, 0, sizeof(*result));
	for (uint64_t gfn = 0; gfn < RAM_PAGES; gfn++) {
		vm_read(copy->vm, gfn, 1, memory);
		if (memcmp(memory, copy->bytes + gfn * PAGE_BYTES, PAGE_BYTES))
			compare_page(result, copy, gfn, memory);
	}
}
