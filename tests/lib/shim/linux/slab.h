/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT	1U
#define SLAB_ACCOUNT		2U

struct kmem_cache;

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags);
void kmem_cache_free(struct kmem_cache *cache, void *object);
void *kzalloc(size_t size, gfp_t flags);
void kfree(const void *object);
void *kvzalloc(size_t size, gfp_t flags);
void kvfree(const void *object);

#endif
