// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest: a GPU driver that never stops changing its mind. Runs on both
 * vCPUs, in 64-bit mode, without interrupts; its stacks and its variables are
 * not on tracked pages.
 *
 * What each vCPU does follows from the seed; how the two interleave, and so
 * which table an edit of a common region meets, does not.
 */
#include "layout.h"

enum {
	RUN_ENTRIES = 16,	/* longest burst */
	HOT_ENTRIES = 4,	/* of each table, edited more often than others */
	LOCKED_EDITS = 4,	/* most edits while the lock is held */
	OWN_RING = 40,		/* edits of its own before it rings, on average */
	LOCKED_RING = 8,	/* turns with the lock before it rings */
	MEET_EVERY = 500,	/* edits between the doorbells that both ring */
};

struct driver {
	struct control *control;
	uint64_t *made;
	uint64_t random;
	uint64_t left;
	unsigned int vcpu;
};

/* The VMM starts each vCPU here, its index in rdi. */
asm(".pushsection .text.entry, \"ax\"\n"
    "call guest_main\n"
    "hlt\n"
    ".popsection");
void guest_main(uint64_t vcpu);

static uint64_t *const directory = (uint64_t *)GPU_DIRECTORY;

static uint64_t *pool(unsigned int region)
{
	return (uint64_t *)GPU_POOL(region);
}

/* xorshift64 */
static uint64_t random(struct driver *d)
{
	d->random ^= d->random << 13;
	d->random ^= d->random >> 7;
	d->random ^= d->random << 17;
	return d->random * 0x9e3779b97f4a7c15ULL >> 8;
}

static unsigned int below(struct driver *d, unsigned int limit)
{
	return random(d) % limit;
}

static void ring(uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "N"(DOORBELL_PORT)
		     : "memory");
}

static void lock(struct control *c)
{
	uint32_t taken = 1;

	for (;;) {
		asm volatile("xchgl %0, %1" : "+r"(taken), "+m"(c->lock)
			     : : "memory");
		if (!taken)
			return;
		asm volatile("pause");
	}
}

static void unlock(struct control *c)
{
	asm volatile("movl $0, %0" : "=m"(c->lock) : : "memory");
}

/* Mostly a page that the guest has, sometimes one beyond its memory. */
static uint64_t random_pte(struct driver *d)
{
	uint64_t r = random(d);

	if (r % 8 == 0)
		return 0;
	return (r & ~GPU_ADDRESS) | (r >> 3) % (GUEST_BYTES * 5 / 4) / 4096 * 4096;
}

/* Mostly a table of the region's pool, otherwise nothing or nonsense. */
static uint64_t random_pde(struct driver *d, unsigned int region)
{
	uint64_t r = random(d);

	if (r % 8 == 0)
		return 0;
	if (r % 8 == 1)
		return r;
	return (r & ~(GPU_ADDRESS | 0xff)) | GPU_VALID |
	       (GPU_POOL(region) + r / 8 % REGION_TABLES * PAGE_BYTES);
}

/* A run of entries that an edit may change. */
struct run {
	uint64_t *first;
	uint64_t *other;	/* as many entries, of the same kind */
	uint64_t nr;
	uint64_t value;
};

static void choose_tables(struct driver *d, unsigned int region,
			  struct run *run)
{
	uint64_t *slots = directory + REGION_SLOT(region);

	run->nr = 1 + below(d, RUN_ENTRIES);
	run->first = slots + below(d, REGION_SLOTS - run->nr + 1);
	run->other = slots + below(d, REGION_SLOTS - run->nr + 1);
	run->value = random_pde(d, region);
}

/*
 * Mostly in a table that is linked. Runs may go on in the next page, be it
 * linked or not.
 */
static void choose_entries(struct driver *d, unsigned int region,
			   struct run *run)
{
	uint64_t pde = directory[REGION_SLOT(region) + below(d, REGION_SLOTS)];
	uint64_t linked = ((pde & GPU_ADDRESS) - GPU_POOL(region)) / PAGE_BYTES;
	uint64_t page = below(d, REGION_TABLES);
	uint64_t limit = REGION_TABLES * ENTRIES;
	uint64_t at;

	if (pde & GPU_VALID && linked < REGION_TABLES)
		page = linked;
	at = page * ENTRIES + below(d, below(d, 2) ? ENTRIES : HOT_ENTRIES);
	run->nr = 1 + below(d, RUN_ENTRIES);
	if (run->nr > limit - at)
		run->nr = limit - at;
	run->first = pool(region) + at;
	run->other = pool(region) + below(d, limit - run->nr + 1);
	run->value = random_pte(d);
}

static enum edit random_edit(struct driver *d)
{
	unsigned int r = below(d, 16);

	return r < 6 ? EDIT_STORE : r < 10 ? EDIT_HALF : r < 13 ? EDIT_XCHG :
	       r < 15 ? EDIT_FILL : EDIT_COPY;
}

/* Each kind is one instruction: the compiler must not choose another. */
static void make(struct driver *d, enum edit edit, struct run *run)
{
	uint32_t *half = (uint32_t *)run->first + (random(d) & 1);

	switch (edit) {
	case EDIT_STORE:
		asm volatile("movq %1, %0" : "=m"(*run->first)
			     : "r"(run->value) : "memory");
		break;
	case EDIT_HALF:
		asm volatile("movl %1, %0" : "=m"(*half)
			     : "r"((uint32_t)run->value) : "memory");
		break;
	case EDIT_XCHG:
		asm volatile("xchgq %1, %0"
			     : "+m"(*run->first), "+r"(run->value)
			     : : "memory");
		break;
	case EDIT_FILL:
		asm volatile("rep stosq" : "+D"(run->first), "+c"(run->nr)
			     : "a"(run->value) : "memory");
		break;
	default:
		asm volatile("rep movsq" : "+D"(run->first), "+S"(run->other),
			     "+c"(run->nr) : : "memory");
	}
}

static void edit_region(struct driver *d, unsigned int region)
{
	enum edit edit = random_edit(d);
	struct run run;

	if (below(d, 24))
		choose_entries(d, region, &run);
	else
		choose_tables(d, region, &run);
	make(d, edit, &run);
	d->made[edit]++;
	d->left--;
}

static void edit_own(struct driver *d)
{
	edit_region(d, d->vcpu);
	if (!below(d, OWN_RING))
		ring(d->vcpu);
}

static void edit_locked(struct driver *d)
{
	unsigned int n = 1 + below(d, LOCKED_EDITS);

	lock(d->control);
	while (n-- && d->left)
		edit_region(d, REGION_LOCKED);
	if (!below(d, LOCKED_RING))
		ring(REGION_LOCKED);
	unlock(d->control);
}

static void edit_something(struct driver *d)
{
	unsigned int r = below(d, 16);

	if (r < 11)
		edit_own(d);
	else if (r < 13)
		edit_locked(d);
	else
		edit_region(d, REGION_RACED);
}

/* Both vCPUs make as many edits, and so meet as often. */
void guest_main(uint64_t vcpu)
{
	struct control *c = (struct control *)GUEST_CONTROL;
	struct driver d = {
		.control = c,
		.made = c->made[vcpu],
		.random = (c->seed * NR_VCPUS + vcpu) * 2 + 1,
		.left = c->edits,
		.vcpu = vcpu,
	};
	uint64_t next = MEET_EVERY;

	while (d.left) {
		edit_something(&d);
		if (c->edits - d.left >= next) {
			ring(DOORBELL_ALL);
			next += MEET_EVERY;
		}
	}
}
