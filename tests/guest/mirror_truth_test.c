// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The library's mirror against the truth: vCPUs store in all ways there are, and
 * race, while pages are added and removed, memory comes and goes, and dirty pages
 * are logged. Then they are parked, and after a sync each byte of each page that
 * the mirror has must be what memory has; and what it said of its changes must
 * have led there.
 *
 * wtrack.stops=N on the host's command line has it look more often.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "module.h"
#include "session.h"

enum {
	PAGES = 16,		/* at VM_DATA; a store may end in one more */
	NEXT_PAGES = 8,		/* in a slot of their own, which comes and goes */
	HUGE_PAGES = MEM_HUGE / PAGE,	/* of the slot, where they shall be huge */
	ALL = PAGES + 1 + NEXT_PAGES,
	FEW_STOPS = 2,
	STEPS = 40,		/* of each vCPU between two stops, at least */
	BUDGET = 20, BUDGET_MS = 20,
};

#define NEXT_GPA	(VM_DATA + (1ULL << 30))
#define NEXT_GFN	(NEXT_GPA / PAGE)

/*
 * (pages' address, pages, seed, counter, address of pages that may be away, mask):
 * stores of a kind that a random number chooses, to a place that it chooses, for
 * ever. The counter counts them. With mask 0 they are all of integers.
 */
GUEST_CODE(g_all_kinds,
	"fninit\n"
	"mov %r9, %rbp\n"
	"1:\n"
	"mov %rdx, %rax\n"
	"shl $13, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %rax\n"
	"shr $7, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %rax\n"
	"shl $17, %rax\n"
	"xor %rax, %rdx\n"
	"mov %rdx, %r9\n"
	/* r10: the page, r11: the offset in it, of 8 bytes */
	"mov %rdx, %rax\n"
	"shr $20, %rax\n"
	"xor %edx, %edx\n"
	"div %rsi\n"
	"mov %rdx, %r10\n"
	"mov %r9, %rdx\n"
	"shl $12, %r10\n"
	"add %rdi, %r10\n"
	"mov %r9, %r11\n"
	"shr $8, %r11\n"
	"and $0xff8, %r11\n"
	"mov %r9, %rax\n"
	"shr $50, %rax\n"
	"and $15, %eax\n"
	"jz 20f\n"
	"dec %eax\n jz 21f\n"
	"dec %eax\n jz 22f\n"
	"dec %eax\n jz 23f\n"
	"dec %eax\n jz 24f\n"
	"dec %eax\n jz 25f\n"
	"dec %eax\n jz 26f\n"
	"dec %eax\n jz 27f\n"
	"dec %eax\n jz 28f\n"
	"dec %eax\n jz 29f\n"
	"dec %eax\n jz 30f\n"
	"dec %eax\n jz 31f\n"
	"dec %eax\n jz 32f\n"
	"dec %eax\n jz 33f\n"
	"dec %eax\n jz 34f\n"
	/* The pages that may be away. */
	"mov %rdx, (%r8, %r11)\n"
	"2: incq (%rcx)\n"
	"jmp 1b\n"
	"20: mov %rdx, (%r10, %r11)\n jmp 2b\n"
	"21: mov %edx, 4(%r10, %r11)\n jmp 2b\n"
	"22: mov %dx, 1(%r10, %r11)\n jmp 2b\n"
	"23: mov %dl, 3(%r10, %r11)\n jmp 2b\n"
	/* Across the end of the page. */
	"24: mov %rdx, 0xffd(%r10)\n jmp 2b\n"
	"25: mov %rdx, %rax\n lock xadd %rax, (%r10, %r11)\n jmp 2b\n"
	"26: mov %rdx, %rax\n xchg %rax, (%r10, %r11)\n jmp 2b\n"
	"27: mov (%r10, %r11), %rax\n"
	"lock cmpxchg %rdx, (%r10, %r11)\n jmp 2b\n"
	"28: mov %rdi, %r12\n mov %rcx, %r13\n"
	"lea (%r10, %r11), %rdi\n mov %edx, %eax\n mov $40, %ecx\n"
	"rep stosb\n"
	"mov %r12, %rdi\n mov %r13, %rcx\n jmp 2b\n"
	/* From the guest's own code to a tracked page. */
	"29: mov %rdi, %r12\n mov %rcx, %r13\n mov %rsi, %r14\n"
	"lea (%r10, %r11), %rdi\n lea 1b(%rip), %rsi\n mov $3, %ecx\n"
	"rep movsq\n"
	"mov %r12, %rdi\n mov %r13, %rcx\n mov %r14, %rsi\n jmp 2b\n"
	"30: movq %rdx, %xmm0\n punpcklqdq %xmm0, %xmm0\n"
	"movups %xmm0, (%r10, %r11)\n jmp 2b\n"
	"31: or %rdx, (%r10, %r11)\n jmp 2b\n"
	"32: mov %rsp, %r12\n lea 8(%r10, %r11), %rsp\n push %rdx\n"
	"mov %r12, %rsp\n jmp 2b\n"
	/* All vCPUs, to the same eight words. */
	"33: and $0x38, %r11\n mov %rdx, (%rdi, %r11)\n jmp 2b\n"
	/* What KVM cannot emulate, and what it does not tell of; both seldom. */
	"34: test %rbp, %r9\n jnz 20b\n"
	"test %rbp, %rbp\n jz 20b\n"
	"bt $3, %r9\n jc 35f\n"
	"fldpi\n fstpl (%r10, %r11)\n jmp 2b\n"
	"35: fxsave (%r10)\n jmp 2b\n");

enum { SELDOM = 0x70, NEVER = 0 };

struct world;

struct kind {
	unsigned int vcpus;
	uint32_t records, flags;
	uint32_t budget;
	uint32_t sync_us;
	uint64_t mask;
	bool pages_change;	/* are added and removed */
	bool memory_changes;	/* comes and goes */
	bool ordinary;		/* its pages do not outlive their memory */
	bool logged;		/* dirty pages are */
	bool migrated;		/* by the log of dirty pages */
	uint64_t slot_pages;	/* at VM_DATA; 0: PAGES + 1 */
	void *(*memory)(uint64_t bytes);
	/* What the host does to this memory now and then. */
	void (*disturb)(struct world *w);
	/* Says whether the memory was what it should be, and puts it back. */
	void (*end)(struct world *w);
};

struct world {
	const struct kind *kind;
	struct vm *vm;
	struct vcpu *v[VM_MAX_VCPUS];
	unsigned char *next;		/* memory at NEXT_GPA, or NULL */
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	bool wanted[ALL];		/* is in the mirror */
	unsigned char *told;		/* the copy, as the changes have it */
	unsigned char *moved;		/* the copy of a migration */
	uint64_t disturbed;		/* how often the host did what it should */
	uint64_t seed;
	uint64_t compared, writes, rereads, states;
};

static pthread_rwlock_t guest_runs =
	PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static uint64_t gfn_of(unsigned int page)
{
	return page <= PAGES ? VM_DATA_GFN + page :
			       NEXT_GFN + page - PAGES - 1;
}

static const unsigned char *memory_of(const struct world *w, unsigned int page)
{
	if (page <= PAGES)
		return w->vm->data + page * PAGE;
	return w->next ? w->next + (page - PAGES - 1) * PAGE : NULL;
}

static unsigned int page_at(uint64_t gpa)
{
	uint64_t gfn = gpa / PAGE;
	unsigned int page = gfn < NEXT_GFN ? gfn - VM_DATA_GFN :
					     gfn - NEXT_GFN + PAGES + 1;

	CHECK(page < ALL);
	return page;
}

static uint64_t chance(struct world *w, uint64_t n)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w->seed >> 33) % n;
}

static volatile uint64_t *counter(struct world *w, unsigned int vcpu)
{
	return (uint64_t *)(w->vm->low + VM_REAL_PAGE + 64 * vcpu);
}

static const unsigned char *copy_of(const struct world *w, unsigned int page)
{
	return wtrack_mirror_page(w->mirror, gfn_of(page));
}

/* Each change begins where the ones before it have led. */
static void follow_change(struct world *w, const struct wtrack_change *change)
{
	unsigned char *told;

	if (change->what == WTRACK_CHANGED_STATE) {
		CHECK(change->len && !(change->len % PAGE));
		CHECK(!change->old_bytes && !change->new_bytes);
		w->states++;
		return;
	}
	CHECK(change->len && change->gpa % PAGE + change->len <= PAGE);
	CHECK_EQ(!!change->event, change->what == WTRACK_CHANGED_WRITE);
	told = w->told + page_at(change->gpa) * PAGE + change->gpa % PAGE;
	CHECK(!memcmp(told, change->old_bytes, change->len));
	memcpy(told, change->new_bytes, change->len);
	if (change->what == WTRACK_CHANGED_WRITE)
		w->writes++;
	else
		w->rereads++;
}

static void update(struct world *w)
{
	const struct wtrack_change *change;
	int r;

	while ((r = wtrack_mirror_update(w->mirror, &change)) > 0)
		follow_change(w, change);
	CHECK_OK(r);
}

static void sync_up(struct world *w)
{
	const struct wtrack_change *change;
	int r;

	while ((r = wtrack_mirror_sync(w->mirror, &change)) > 0)
		follow_change(w, change);
	CHECK_OK(r);
}

static void add_page(struct world *w, unsigned int page)
{
	const struct wtrack_range range = { gfn_of(page), 1 };
	struct wtrack_result result;
	int r = wtrack_mirror_add(w->mirror, &range, 1, &result, 0);

	if (r == -ENOENT && page > PAGES && w->kind->ordinary) {
		CHECK_EQ(result.done, 0);
		return;
	}
	CHECK_OK(r);
	CHECK_EQ(result.done, 1);
	if (!w->wanted[page])
		memcpy(w->told + page * PAGE, copy_of(w, page), PAGE);
	else if (page > PAGES)
		/* It may have been absent, and was read anew. */
		memcpy(w->told + page * PAGE, copy_of(w, page), PAGE);
	w->wanted[page] = true;
}

static void remove_page(struct world *w, unsigned int page)
{
	const struct wtrack_range range = { gfn_of(page), 1 };

	CHECK_WTRACK(wtrack_mirror_remove(w->mirror, &range, 1),
		     w->wanted[page] ? 0 : ENOENT,
		     w->wanted[page] ? "no error" : "no memory");
	w->wanted[page] = false;
	CHECK(!copy_of(w, page));
	CHECK_EQ(wtrack_mirror_get_state(w->mirror, gfn_of(page)), -ENOENT);
}

static void change_page(struct world *w)
{
	unsigned int page = chance(w, ALL);

	if (chance(w, 2))
		add_page(w, page);
	else
		remove_page(w, page);
}

/* It comes while no guest runs: KVM 7.3 says WARNING otherwise. */
static void change_memory(struct world *w)
{
	const uint64_t bytes = NEXT_PAGES * PAGE;

	if (w->next) {
		vm_slot(w->vm, VM_SLOT_EXTRA, NEXT_GPA, w->next, 0, 0);
		CHECK_SYS(!munmap(w->next, bytes));
		w->next = NULL;
		return;
	}
	w->next = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_SYS(w->next != MAP_FAILED);
	memset(w->next, chance(w, 256), bytes);
	CHECK(!pthread_rwlock_wrlock(&guest_runs));
	vm_slot(w->vm, VM_SLOT_EXTRA, NEXT_GPA, w->next, bytes, 0);
	CHECK(!pthread_rwlock_unlock(&guest_runs));
}

static void change_logging(struct world *w)
{
	vm_slot(w->vm, VM_SLOT_DATA, VM_DATA, w->vm->data,
		w->vm->data_pages * PAGE,
		chance(w, 2) ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

/* One round of a migration: what is dirty is copied. */
static void migrate_round(struct world *w)
{
	uint64_t dirty = 0;
	struct kvm_dirty_log log = {
		.slot = VM_SLOT_DATA, .dirty_bitmap = &dirty,
	};
	unsigned int i;

	CHECK_SYS(!ioctl(w->vm->fd, KVM_GET_DIRTY_LOG, &log));
	for (i = 0; i <= PAGES; i++)
		if (dirty >> i & 1)
			memcpy(w->moved + i * PAGE, w->vm->data + i * PAGE,
			       PAGE);
}

static void migrate_begin(struct world *w)
{
	w->moved = calloc(PAGES + 1, PAGE);
	CHECK(w->moved);
	vm_slot(w->vm, VM_SLOT_DATA, VM_DATA, w->vm->data, (PAGES + 1) * PAGE,
		KVM_MEM_LOG_DIRTY_PAGES);
	memcpy(w->moved, w->vm->data, (PAGES + 1) * PAGE);
}

static void change_something(struct world *w)
{
	const struct kind *kind = w->kind;

	if (kind->pages_change && chance(w, 2))
		change_page(w);
	if (kind->memory_changes && !chance(w, 8))
		change_memory(w);
	if (kind->logged && !chance(w, 8))
		change_logging(w);
	if (kind->migrated && !chance(w, 8))
		migrate_round(w);
	if (kind->disturb && !chance(w, 4))
		kind->disturb(w);
}

static bool all_stepped(struct world *w, const uint64_t *from)
{
	unsigned int i;

	for (i = 0; i < w->kind->vcpus; i++)
		if (*counter(w, i) < from[i] + STEPS)
			return false;
	return true;
}

static void let_run(struct world *w)
{
	uint64_t from[VM_MAX_VCPUS];
	unsigned int i;

	for (i = 0; i < w->kind->vcpus; i++) {
		from[i] = *counter(w, i);
		vcpu_go(w->v[i]);
	}
	/* Now the ring is read at once, and now it overflows. */
	CHECK_SOON((change_something(w), chance(w, 3) || (update(w), true),
		    all_stepped(w, from)));
	for (i = 0; i < w->kind->vcpus; i++)
		vcpu_stop(w->v[i]);
}

static void compare_page(struct world *w, unsigned int page)
{
	const unsigned char *memory = memory_of(w, page);
	const unsigned char *copy = copy_of(w, page);
	int state = wtrack_mirror_get_state(w->mirror, gfn_of(page));
	unsigned int i;

	tap_trying("page %u, state %d", page, state);
	CHECK_EQ(!!copy, w->wanted[page]);
	if (!copy)
		return;
	CHECK(!memcmp(copy, w->told + page * PAGE, PAGE));
	if (!memory) {
		CHECK_EQ(state, WTRACK_MIRROR_ABSENT);
		return;
	}
	CHECK(state == WTRACK_MIRROR_LIVE || state == WTRACK_MIRROR_DISARMED);
	for (i = 0; i < PAGE; i++) {
		tap_trying("page %u, byte %#x, state %d", page, i, state);
		CHECK_EQ(copy[i], memory[i]);
	}
	w->compared++;
}

/* It may be refused for the moment: a vCPU has touched the hole. */
static bool is_back(const struct world *w)
{
	unsigned int i;

	for (i = PAGES + 1; w->next && i < ALL; i++)
		if (wtrack_mirror_get_state(w->mirror, gfn_of(i)) ==
		    WTRACK_MIRROR_ABSENT)
			return false;
	return true;
}

static void stop_and_compare(struct world *w)
{
	unsigned int i;

	let_run(w);
	CHECK_SOON((sync_up(w), is_back(w)));
	for (i = 0; i < ALL; i++)
		compare_page(w, i);
	if (w->kind->migrated) {
		migrate_round(w);
		CHECK(!memcmp(w->moved, w->vm->data, (PAGES + 1) * PAGE));
	}
}

static void open_world(struct world *w, const struct kind *kind)
{
	const struct wtrack_mirror_options options = {
		.records = kind->records, .ring_flags = kind->flags,
	};
	const uint64_t pages = kind->slot_pages ?: PAGES + 1;
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->seed = kind->vcpus * 1000 + kind->records;
	w->told = calloc(ALL, PAGE);
	CHECK(w->told);
	w->vm = kind->memory ? vm_new_with(kind->memory(pages * PAGE), pages) :
			       vm_new(pages);
	if (kind->migrated)
		migrate_begin(w);
	for (i = 0; i < kind->vcpus; i++) {
		w->v[i] = vcpu_new(w->vm);
		w->v[i]->ignore_mmio = true;
		w->v[i]->runs = &guest_runs;
		vcpu_load(w->v[i], g_all_kinds, (const uint64_t[6]){
			  VM_DATA, PAGES, 88172645463325252ULL + i,
			  VM_REAL_PAGE + 64 * i, NEXT_GPA, kind->mask });
	}
	change_memory(w);
	CHECK_OK(wtrack_session_open_vm_fd(w->vm->fd, &w->session));
	if (kind->budget)
		CHECK_OK(wtrack_session_set_budget(w->session, kind->budget,
						   BUDGET_MS));
	CHECK_OK(wtrack_session_set_sync(w->session, kind->sync_us));
	/* A mirror that makes the ring chooses the other kind. */
	if (kind->ordinary)
		CHECK_OK(wtrack_session_make_ring(w->session, kind->records,
						  kind->flags, 0, 0));
	CHECK_OK(wtrack_mirror_new(w->session, kind->ordinary ? NULL : &options,
				   sizeof(options), &w->mirror));
	for (i = 0; i < ALL; i++)
		add_page(w, i);
}

static unsigned int stops(void)
{
	static const char name[] = "wtrack.stops=";
	char line[4096] = "";
	FILE *f = fopen("/proc/cmdline", "r");
	char *at;

	CHECK_SYS(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strstr(line, name);
	return at ? atoi(at + strlen(name)) : FEW_STOPS;
}

static void report(struct world *w)
{
	struct wtrack_mirror_status s;

	CHECK_OK(wtrack_mirror_get_status(w->mirror, &s, sizeof(s)));
	tap_note("%llu pages compared, %llu writes",
		 (unsigned long long)w->compared, (unsigned long long)s.writes);
	tap_note("%llu read again, %llu conflicts, %llu overflows, %llu states",
		 (unsigned long long)s.rereads,
		 (unsigned long long)s.conflicts,
		 (unsigned long long)s.resyncs, (unsigned long long)w->states);
	CHECK(w->compared);
}

static void try_kind(const struct kind *kind)
{
	unsigned int i, nr = stops();
	struct world w;

	open_world(&w, kind);
	for (i = 0; i < nr; i++)
		stop_and_compare(&w);
	report(&w);
	wtrack_mirror_close(w.mirror);
	CHECK_EQ(session_status(w.session).pages, 0);
	wtrack_session_close(w.session);
	if (kind->end)
		kind->end(&w);
}

#define TRUTH_WHERE(can, claim, ...)					\
	CASE_WITHIN(claim, 300)						\
	{								\
		const struct kind kind = { __VA_ARGS__ };		\
									\
		if (can())						\
			try_kind(&kind);				\
		else							\
			tap_note("this kernel has no such memory");	\
	}

static bool everywhere(void)
{
	return true;
}

#define TRUTH(claim, ...)	TRUTH_WHERE(everywhere, claim, __VA_ARGS__)

TRUTH(one_vcpu_is_followed, .vcpus = 1, .records = 4096, .mask = SELDOM)
TRUTH(two_vcpus_that_race_are_followed, .vcpus = 2, .records = 4096,
      .mask = NEVER)
TRUTH(four_vcpus_are_followed, .vcpus = 4, .records = 4096, .mask = SELDOM)
TRUTH(a_ring_that_overflows_is_followed, .vcpus = 2, .records = 64,
      .mask = SELDOM, .pages_change = true)
TRUTH(pages_that_come_and_go_are_followed, .vcpus = 4, .records = 512,
      .mask = SELDOM, .pages_change = true, .memory_changes = true,
      .logged = true)
TRUTH(so_they_are_by_an_ordinary_session, .vcpus = 2, .records = 512,
      .mask = SELDOM, .pages_change = true, .memory_changes = true,
      .ordinary = true)
TRUTH(a_coalescing_ring_is_followed, .vcpus = 2, .records = 64,
      .flags = WTRACK_RING_COALESCE, .mask = SELDOM, .pages_change = true,
      .memory_changes = true)
TRUTH(pages_over_their_budgets_are_followed, .vcpus = 2, .records = 256,
      .budget = BUDGET, .mask = SELDOM, .memory_changes = true)
TRUTH(first_touches_are_followed, .vcpus = 2, .records = 64,
      .flags = WTRACK_RING_ONCE, .mask = SELDOM, .pages_change = true,
      .memory_changes = true)
TRUTH(pages_that_are_not_emulated_are_followed, .vcpus = 2, .records = 256,
      .flags = WTRACK_RING_NATIVE, .mask = SELDOM)
TRUTH(vcpus_that_wait_are_followed, .vcpus = 2, .records = 64,
      .flags = WTRACK_RING_SYNC | WTRACK_RING_ONCE, .sync_us = 2000,
      .mask = SELDOM, .pages_change = true, .memory_changes = true)

/* The kinds of memory, and what the host does to them under a guest's feet. */

TRUTH(a_guest_that_is_migrated_is_followed, .vcpus = 2, .records = 4096,
      .mask = SELDOM, .migrated = true)

/* The host moves pages to have room for large ones. */
static void compact(struct world *w)
{
	file_write("/proc/sys/vm/compact_memory", "1");
	w->disturbed++;
}

TRUTH(memory_of_a_file_is_followed, .vcpus = 2, .records = 512, .mask = SELDOM,
      .memory = mem_file, .disturb = compact)

static void *reserved_huge(uint64_t bytes)
{
	mem_huge_pages(1);
	return mem_huge(bytes);
}

static void give_huge_pages_back(struct world *w)
{
	CHECK_SYS(!munmap(w->vm->data, MEM_HUGE));
	mem_huge_pages(0);
}

TRUTH(memory_of_huge_pages_is_followed, .vcpus = 2, .records = 512,
      .mask = SELDOM, .pages_change = true, .slot_pages = HUGE_PAGES,
      .memory = reserved_huge, .end = give_huge_pages_back)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25	/* Linux 6.1; not in the headers of Debian 12 */
#endif

/* The page is split, and made anew elsewhere. */
static void split_and_collapse(struct world *w)
{
	CHECK_SYS(!madvise(w->vm->data + (HUGE_PAGES - 1) * PAGE, PAGE,
			   MADV_DONTNEED));
	if (!madvise(w->vm->data, MEM_HUGE, MADV_COLLAPSE))
		w->disturbed++;
}

static void was_disturbed(struct world *w)
{
	tap_note("%llu times", (unsigned long long)w->disturbed);
	CHECK(w->disturbed);
}

TRUTH(transparent_huge_pages_are_followed, .vcpus = 2, .records = 512,
      .mask = SELDOM, .pages_change = true, .slot_pages = HUGE_PAGES,
      .memory = mem_transparent_huge, .disturb = split_and_collapse,
      .end = was_disturbed)

static void *merged(uint64_t bytes)
{
	void *mem = mem_sparse(bytes);

	memset(mem, 0x77, bytes);
	mem_merge(mem, bytes);
	return mem;
}

static void part_again(struct world *w)
{
	(void)w;
	mem_merge_stop();
}

TRUTH_WHERE(mem_can_merge, merged_pages_are_followed, .vcpus = 2,
	    .records = 512, .mask = SELDOM, .memory = merged, .end = part_again)

static void *swapped(uint64_t bytes)
{
	mem_swap_start();
	return mem_sparse(bytes);
}

static void swap_out(struct world *w)
{
	CHECK_SYS(!madvise(w->vm->data, (PAGES + 1) * PAGE, MADV_PAGEOUT));
	w->disturbed += mem_swapped_pages();
}

static void end_swapping(struct world *w)
{
	was_disturbed(w);
	mem_swap_stop();
}

TRUTH_WHERE(mem_can_swap, pages_that_are_swapped_out_are_followed, .vcpus = 2,
	    .records = 512, .mask = SELDOM, .pages_change = true,
	    .memory = swapped, .disturb = swap_out, .end = end_swapping)

/*
 * The guest gives a page back: what it had is gone without a store, so a copy
 * must not have it. The guest may well store to it again.
 */
static void inflate_balloon(struct world *w)
{
	unsigned int page = chance(w, PAGES + 1);

	if (w->wanted[page])
		remove_page(w, page);
	CHECK_SYS(!madvise(w->vm->data + page * PAGE, PAGE, MADV_DONTNEED));
	w->disturbed++;
}

TRUTH(a_balloon_is_followed, .vcpus = 2, .records = 512, .mask = SELDOM,
      .pages_change = true, .memory = mem_sparse, .disturb = inflate_balloon,
      .end = was_disturbed)

static void were_served(struct world *w)
{
	was_disturbed(w);
	CHECK(mem_served_pages() > PAGES);
}

TRUTH(pages_that_a_migration_has_yet_to_bring_are_followed, .vcpus = 2,
      .records = 512, .mask = SELDOM, .pages_change = true,
      .memory = mem_served, .disturb = inflate_balloon, .end = were_served)
