/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2^64 divided by the square of the golden ratio. */
#ifndef SHIM_LINUX_HASH_H
#define SHIM_LINUX_HASH_H

#define GOLDEN_RATIO_64		0x61C8864680B583EBull

#endif
