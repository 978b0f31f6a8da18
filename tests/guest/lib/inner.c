// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "inner.h"
#include "mode.h"
#include "module.h"

#define LARGE		(2ULL << 20)
#define LARGE_BIT	0x80ULL
/*
 * AMD: present, writable, and user's, as all of nested paging has to be. Intel:
 * all kinds of access; and of a page, that its memory is cached.
 */
#define ENTRY		7ULL
#define INTEL_CACHED	(6ULL << 3)

bool inner_is_vmx(void)
{
	return !strcmp(module_vendor(), "kvm_intel");
}

static uint64_t *table(struct vcpu *v, unsigned int page)
{
	return mode_data(v->vm, INNER_AT(page));
}

void inner_fill(struct vcpu *v)
{
	uint64_t page = LARGE_BIT | ENTRY | (inner_is_vmx() ? INTEL_CACHED : 0);

	table(v, INNER_PML5)[0] = INNER_AT(INNER_PML4) | ENTRY;
	table(v, INNER_PML4)[0] = INNER_AT(INNER_PDPT) | ENTRY;
	table(v, INNER_PDPT)[0] = INNER_AT(INNER_PD) | ENTRY;
	table(v, INNER_PD)[0] = 0 | page;
	table(v, INNER_PD)[1] = LARGE | page;
}

void inner_load(struct vcpu *v, const struct inner *inner)
{
	if (inner_is_vmx())
		inner_load_vmx(v, inner);
	else
		inner_load_svm(v, inner);
}
