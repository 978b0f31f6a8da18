// SPDX-License-Identifier: GPL-2.0-or-later
/* Pointers that do not point to the caller's memory, or not to enough of it. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "abi.h"
#include "tap.h"

/* Two pages, the second one not there. */
static unsigned char *page_before_a_hole(void)
{
	unsigned char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_SYS(p != MAP_FAILED);
	CHECK_SYS(!munmap(p + PAGE, PAGE));
	return p;
}

CASE(an_argument_that_is_not_mapped_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		abi_refused(&a, NULL, EFAULT);
		abi_refused(&a, page + PAGE, EFAULT);
		abi_refused(&a, (void *)(1ULL << 63), EFAULT);
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(an_argument_that_ends_in_a_hole_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	unsigned int part;
	struct abi a;

	for_each_abi_call(c) {
		abi_init(&a, c);
		for (part = 2; part < c->bytes; part += 2) {
			tap_trying("%s, %u bytes of it", c->name, part);
			memcpy(page + PAGE - part, a.arg, part);
			abi_refused(&a, page + PAGE - part, EFAULT);
		}
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(an_argument_whose_tail_is_a_hole_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	unsigned char *arg;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		*abi_u32(&a, 0) = c->bytes + 64;
		arg = page + PAGE - c->bytes - 8;
		memcpy(arg, a.arg, c->bytes + 8);
		abi_refused(&a, arg, EFAULT);
		abi_taken(&a);
		abi_exit(&a);
	}
}

/* Refused also means: not attached, nothing fetched, nothing changed. */
CASE(an_argument_that_cannot_be_written_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (!c->has_out)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		memcpy(page, a.arg, sizeof(a.arg));
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ));
		abi_refused(&a, page, EFAULT);
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(an_argument_of_which_nothing_is_returned_need_not_be_writable)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	unsigned int n = 0;
	struct abi a;

	for_each_abi_call(c) {
		if (c->has_out)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		memcpy(page, a.arg, sizeof(a.arg));
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ));
		CHECK_ERRNO(abi_make(&a, page), 0);
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		abi_exit(&a);
		n++;
	}
	CHECK(n > 1);
}

CASE(an_array_that_is_not_mapped_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (!c->array)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		*abi_u64(&a, c->array) = 0;
		abi_refused(&a, a.arg, EFAULT);
		*abi_u64(&a, c->array) = (uintptr_t)page + PAGE;
		abi_refused(&a, a.arg, EFAULT);
		*abi_u64(&a, c->array) = 1ULL << 63;
		abi_refused(&a, a.arg, EFAULT);
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(an_array_that_ends_in_a_hole_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (!c->array)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		memcpy(page + PAGE - 8, &a.array, 8);
		*abi_u64(&a, c->array) = (uintptr_t)page + PAGE - 8;
		abi_refused(&a, a.arg, EFAULT);
		abi_taken(&a);
		abi_exit(&a);
	}
}

/* Changes carry results; all other ranges are results, but RESTRICT's. */
CASE(an_array_of_results_that_cannot_be_written_is_efault)
{
	unsigned char *page = page_before_a_hole();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (!c->array || !c->has_out)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		memcpy(page, &a.array, sizeof(a.array));
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ));
		*abi_u64(&a, c->array) = (uintptr_t)page;
		abi_refused(&a, a.arg, EFAULT);
		CHECK_SYS(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
		abi_taken(&a);
		abi_exit(&a);
	}
}
