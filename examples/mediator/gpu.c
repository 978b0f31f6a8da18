// SPDX-License-Identifier: GPL-2.0-or-later
#include "gpu.h"

int gpu_page_at(uint64_t gfn)
{
	uint64_t gpa = gfn * PAGE_BYTES;
	uint64_t region, index;

	if (gpa == GPU_DIRECTORY)
		return PAGE_DIRECTORY;
	if (gpa < GPU_POOL(0) || gpa >= GPU_POOL(REGIONS))
		return NO_PAGE;
	region = gpa / GPU_POOL(0) - 1;
	index = (gpa - GPU_POOL(region)) / PAGE_BYTES;
	if (index >= REGION_TABLES)
		return NO_PAGE;
	return region * REGION_TABLES + index;
}

uint64_t gpu_page_gpa(int page)
{
	if (page == PAGE_DIRECTORY)
		return GPU_DIRECTORY;
	return GPU_POOL(page / REGION_TABLES) +
	       page % REGION_TABLES * PAGE_BYTES;
}

/*
 * The guest may write anything into its directory. Only pages of the pools are
 * taken for tables: whatever else was tracked, the guest could hurt itself
 * with it (its x86 page tables, its stacks).
 */
int gpu_linked_table(uint64_t pde)
{
	int page;

	if (!(pde & GPU_VALID))
		return NO_PAGE;
	page = gpu_page_at((pde & GPU_ADDRESS) / PAGE_BYTES);
	return page == PAGE_DIRECTORY ? NO_PAGE : page;
}

/* As if an IOMMU had scattered the guest's memory over 64 GiB of bus. */
static uint64_t bus_address(uint64_t gfn)
{
	return (gfn * 0x9e3779b1 & 0xffffff) * PAGE_BYTES;
}

uint64_t gpu_translate(uint64_t pte)
{
	uint64_t gfn = (pte & GPU_ADDRESS) / PAGE_BYTES;
	uint64_t shadow;

	if (!(pte & GPU_VALID))
		return 0;
	if (gfn >= GUEST_BYTES / PAGE_BYTES)
		return SHADOW_SCRATCH;
	shadow = SHADOW_PRESENT | bus_address(gfn);
	if (!(pte & GPU_WRITE))
		shadow |= SHADOW_READONLY;
	if (pte & GPU_CACHED)
		shadow |= SHADOW_SNOOP;
	return shadow;
}
