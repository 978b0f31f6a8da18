// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tracked pages that are the guest's own page tables: the processor walks
 * them, and sets bits in them. The guest goes through all levels, four or five,
 * to reach a window, and moves the window on its way.
 */
#include <string.h>

#include "guard.h"
#include "mode.h"
#include "module.h"

/* In VM_DATA, and where the window is in the guest's address space. */
enum { PML4, PDPT, PD, PT, FIRST, SECOND, PML5, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define WINDOW		0x400000ULL
#define LARGE		(2ULL << 20)
#define PRESENT		3ULL
#define ACCESSED	0x20ULL
#define DIRTY		0x40ULL
#define LARGE_BIT	0x80ULL

static uint64_t *table(struct vm *vm, unsigned int page)
{
	return mode_data(vm, PAGE_AT(page));
}

/* The lower 4 MiB as they are, then the window; its last page is the second. */
static void fill_tables(struct vm *vm, uint64_t used)
{
	const uint64_t dirty = used ? DIRTY : 0;

	table(vm, PML5)[0] = PAGE_AT(PML4) | PRESENT | used;
	table(vm, PML4)[0] = PAGE_AT(PDPT) | PRESENT | used;
	table(vm, PDPT)[0] = PAGE_AT(PD) | PRESENT | used;
	table(vm, PD)[0] = 0 | LARGE_BIT | PRESENT | used | dirty;
	table(vm, PD)[1] = LARGE | LARGE_BIT | PRESENT | used | dirty;
	table(vm, PD)[2] = PAGE_AT(PT) | PRESENT | used;
	table(vm, PT)[0] = PAGE_AT(FIRST) | PRESENT | used | dirty;
	table(vm, PT)[1] = PAGE_AT(SECOND) | PRESENT | used | dirty;
	table(vm, PT)[2] = PAGE_AT(SECOND) | PRESENT | used | dirty;
	memset(table(vm, FIRST), 0x11, PAGE);
	memset(table(vm, SECOND), 0x22, PAGE);
}

static void fill_used(struct vcpu *v)
{
	fill_tables(v->vm, ACCESSED);
}

static void fill_fresh(struct vcpu *v)
{
	fill_tables(v->vm, 0);
}

static void load(struct vcpu *v, unsigned int round)
{
	struct kvm_sregs s;

	(void)round;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.cr3 = PAGE_AT(s.cr4 & CR4_LA57 ? PML5 : PML4);
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

/*
 * rdi is the window, rsi the page of its table. rax, rbx, r12, r13: what was
 * read; two of the three entries are swapped, and back again.
 */
GUEST_CODE(g_walk,
	"mov 8(%rdi), %rax\n"
	"addq $3, 16(%rdi)\n"
	"mov 4104(%rdi), %rbx\n"
	"movq $0x77, 4112(%rdi)\n"
	"mov (%rsi), %r8\n"
	"mov 8(%rsi), %r9\n"
	"mov %r9, (%rsi)\n"
	"mov %r8, 8(%rsi)\n"
	"invlpg (%rdi)\n"
	"invlpg 4096(%rdi)\n"
	"mov 8(%rdi), %r12\n"
	"mov 4112(%rdi), %r13\n"
	"incq 24(%rdi)\n"
	"lock incq 24(%rdi)\n"
	"mov %r8, (%rsi)\n"
	"mov %r9, 8(%rsi)\n"
	"mov %cr3, %r10\n"
	"mov %r10, %cr3\n"
	"mov 4120(%rdi), %r14\n"
	"mov 8216(%rdi), %r15\n"
	"hlt");

static void try_walk(const char *name, unsigned int first, unsigned int last,
		     void (*fill)(struct vcpu *v), unsigned int seen)
{
	/* Bits that are set are not set again. */
	unsigned int none = paging_is_nested() ? 0 : SEEN_EXACT | SEEN_NO_STORE;
	struct guard_work w = {
		.name = name, .seen = seen, .later = seen | none,
		.code = g_walk,
		.args = { WINDOW, PAGE_AT(PT) },
		.pages = PAGES,
		.tracked = (2ULL << last) - (1ULL << first),
		.fill = fill, .load = load,
	};

	if (first == PML5) {
		w.feature = CPU_LA57;
		w.optional = true;
	}
	guard_try(&w);
}

/*
 * With shadow paging KVM walks the tables. It makes no store then; if it has
 * bits to set in them, it does so by itself and tells nobody.
 */
#define WALK(claim, class, first, last)					\
	CASE(claim##_in_use)						\
	{								\
		try_walk("page tables/" class, first, last, fill_used,	\
			 paging_is_nested() ? SEEN_PAGE_WALK :		\
			 SEEN_EXACT | SEEN_NO_STORE);			\
	}								\
	CASE(claim##_never_used_before)					\
	{								\
		try_walk("page tables, bits to set/" class, first, last, \
			 fill_fresh, paging_is_nested() ?		\
			 SEEN_PAGE_WALK : SEEN_NOT);			\
	}

WALK(the_page_of_the_pml5, "PML5", PML5, PML5)
WALK(the_page_of_the_pml4, "PML4", PML4, PML4)
WALK(the_page_of_the_pdpt, "PDPT", PDPT, PDPT)
WALK(the_page_of_the_page_directory, "PD", PD, PD)
WALK(the_page_of_the_page_table, "PT", PT, PT)
WALK(all_levels_at_once, "all levels", PML4, PT)
WALK(all_levels_and_what_they_map, "all levels and data", PML4, SECOND)
