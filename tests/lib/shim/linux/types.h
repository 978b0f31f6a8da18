/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's header of this name, for the uapi header, and short names. */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include_next <linux/types.h>

/* The uapi types, as in the kernel: a uint64_t is not always one of them. */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef int32_t s32;
typedef int8_t s8;
typedef unsigned int gfp_t;

#define U16_MAX		UINT16_MAX
#define U64_MAX		((u64)~0ULL)

#define offsetofend(type, member)						\
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define container_of(ptr, type, member)					\
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
