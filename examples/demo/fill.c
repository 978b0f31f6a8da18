// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stores. Each is one instruction written down here, so that their number
 * is known; and this file is compiled without vector registers, of whose
 * stores KVM emulates only some.
 */
#include "fill.h"

#define STORE(name, instruction)					\
static void name(void *at, uint64_t value)				\
{									\
	asm volatile(instruction					\
		     : [value] "+&q" (value) : [at] "r" (at)		\
		     : "memory", "cc");					\
}

STORE(movb, "movb %b[value], (%[at])")
STORE(movw, "movw %w[value], (%[at])")
STORE(movl, "movl %k[value], (%[at])")
STORE(movq, "movq %[value], (%[at])")
STORE(orb, "orb %b[value], (%[at])")
STORE(addw, "addw %w[value], (%[at])")
STORE(incl, "incl (%[at])")
STORE(notq, "notq (%[at])")
STORE(xchgb, "xchgb %b[value], (%[at])")
STORE(lock_addl, "lock addl %k[value], (%[at])")
STORE(lock_xaddq, "lock xaddq %[value], (%[at])")

/* Nobody else stores here, so it is always taken. */
static void lock_cmpxchgq(void *at, uint64_t value)
{
	uint64_t expected = *(volatile uint64_t *)at;

	asm volatile("lock cmpxchgq %[value], (%[at])"
		     : "+a" (expected)
		     : [value] "r" (value), [at] "r" (at)
		     : "memory", "cc");
}

enum { MOVSB = 24, MOVSL = 8, STOSQ = 8 };

static void rep_movsb(void *at, uint64_t value)
{
	static const char text[MOVSB + 1] = "written by rep movsb ...";
	const char *from = text;
	unsigned long count = MOVSB;

	(void)value;
	asm volatile("rep movsb" : "+D" (at), "+S" (from), "+c" (count)
		     : : "memory");
}

static void rep_movsl(void *at, uint64_t value)
{
	uint32_t words[MOVSL], *from = words;
	unsigned long count = MOVSL;

	for (int i = 0; i < MOVSL; i++)
		words[i] = value + i;
	asm volatile("rep movsl" : "+D" (at), "+S" (from), "+c" (count)
		     : : "memory");
}

static void rep_stosq(void *at, uint64_t value)
{
	unsigned long count = STOSQ;

	asm volatile("rep stosq" : "+D" (at), "+c" (count)
		     : "a" (value) : "memory");
}

/* log2 of the size; instructions; stores that one instruction makes. */
static const struct kind {
	const char *what;
	void (*store)(void *at, uint64_t value);
	uint8_t size_log2, count, elements, misaligned;
} kinds[] = {
	{ "movb, 1 byte", movb, 0, 24, 1, 0 },
	{ "movw, 2 bytes", movw, 1, 24, 1, 0 },
	{ "movl, 4 bytes", movl, 2, 24, 1, 0 },
	{ "movq, 8 bytes", movq, 3, 24, 1, 0 },
	{ "movq to odd addresses", movq, 3, 8, 1, 1 },
	{ "orb, reads and writes", orb, 0, 8, 1, 0 },
	{ "addw, reads and writes", addw, 1, 8, 1, 0 },
	{ "incl, reads and writes", incl, 2, 8, 1, 0 },
	{ "notq, reads and writes", notq, 3, 8, 1, 0 },
	{ "xchgb, atomic", xchgb, 0, 8, 1, 0 },
	{ "lock addl, atomic", lock_addl, 2, 8, 1, 0 },
	{ "lock xaddq, atomic", lock_xaddq, 3, 8, 1, 0 },
	{ "lock cmpxchgq, atomic", lock_cmpxchgq, 3, 8, 1, 0 },
	{ "rep movsb, 24 bytes one by one", rep_movsb, 0, 1, MOVSB, 0 },
	{ "rep movsl, 8 times 4 bytes", rep_movsl, 2, 1, MOVSL, 0 },
	{ "rep stosq, 8 times 8 bytes", rep_stosq, 3, 1, STOSQ, 0 },
};

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Anywhere behind the marker where all of it fits. */
static uint8_t *choose(uint8_t *page, const struct kind *k, uint64_t random)
{
	unsigned int size = 1U << k->size_log2;
	unsigned int places = (PAGE_BYTES - MARKER_BYTES) / size - k->elements;
	uint8_t *at = page + MARKER_BYTES + random % places * size;

	return at + k->misaligned;
}

void fill(uint8_t *page, uint64_t seed, struct stores *made,
	  void (*before)(unsigned int count, const char *what),
	  void (*after)(void))
{
	uint64_t state = seed | 1;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		before(k->count, k->what);
		for (unsigned int n = 0; n < k->count; n++) {
			uint8_t *at = choose(page, k, random_next(&state));

			k->store(at, random_next(&state));
			made->by_size[k->size_log2] += k->elements;
			after();
		}
	}
}
