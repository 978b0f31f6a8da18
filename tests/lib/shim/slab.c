// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocations: counted, failing on demand, and freed where they belong. */
#include <stdbool.h>
#include <stdlib.h>

#include <linux/slab.h>

#include "shim.h"

struct kmem_cache {
	size_t size;
};

/* In front of each allocation. */
struct header {
	struct kmem_cache *cache;
	size_t size;
};

static size_t bytes;
static unsigned int until_failure;
static bool has_failed;

void shim_fail_alloc(unsigned int nth)
{
	until_failure = nth;
	has_failed = false;
}

bool shim_alloc_failed(void)
{
	return has_failed;
}

size_t shim_bytes(void)
{
	return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

static bool fails(void)
{
	if (!until_failure || --until_failure)
		return false;
	has_failed = true;
	return true;
}

static void *allocate(struct kmem_cache *cache, size_t size)
{
	struct header *header = NULL;

	if (!fails())
		header = calloc(1, sizeof(*header) + size);
	if (!header)
		return NULL;
	header->cache = cache;
	header->size = size;
	__atomic_fetch_add(&bytes, size, __ATOMIC_RELAXED);
	return header + 1;
}

static void release(struct kmem_cache *cache, void *object)
{
	struct header *header = (struct header *)object - 1;

	if (header->cache != cache)
		shim_broken("freed to a cache that it is not from");
	__atomic_fetch_sub(&bytes, header->size, __ATOMIC_RELAXED);
	free(header);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *cache;

	shim_require(name && !align && flags == SLAB_ACCOUNT && !ctor);
	cache = fails() ? NULL : calloc(1, sizeof(*cache));
	if (cache)
		cache->size = size;
	return cache;
}

/* What is left in it is still in shim_bytes(). */
void kmem_cache_destroy(struct kmem_cache *cache)
{
	free(cache);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	shim_require(flags == GFP_KERNEL_ACCOUNT);
	return allocate(cache, cache->size);
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	release(cache, object);
}

void *kzalloc(size_t size, gfp_t flags)
{
	return kvzalloc(size, flags);
}

void kfree(const void *object)
{
	kvfree(object);
}

void *kvzalloc(size_t size, gfp_t flags)
{
	shim_require(flags == GFP_KERNEL_ACCOUNT);
	return allocate(NULL, size);
}

void kvfree(const void *object)
{
	if (object)
		release(NULL, (void *)object);
}
