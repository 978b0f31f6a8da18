/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BOOT_WORK_H
#define BOOT_WORK_H

#include <stdbool.h>

/* glibc's memcpy(), of many sizes and alignments. */
bool copies_are_right(void);
/* Processes that take turns, each with floating point state of its own. */
bool floats_are_right(void);

#endif /* BOOT_WORK_H */
