/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page of the guest, as the VMM itself has it mapped. */
#ifndef DEMO_MEMORY_H
#define DEMO_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Where process vmm has the page at gpa that begins with the marker. Works for
 * guest memory that begins at 0 and is one mapping there, as QEMU's is up to
 * 2 GiB. 0 when there is not exactly one such place.
 */
uint64_t memory_find(pid_t vmm, uint64_t gpa, const uint8_t *marker);

/* Reads the whole page, or ends the program. */
void memory_read_page(pid_t vmm, uint64_t address, uint8_t *page);

#endif
