// SPDX-License-Identifier: GPL-2.0-or-later
/* READ: bytes of guest memory, exactly those that the session may have. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { PAGES = 64, BYTES = PAGES * 4096, CANARY = 0xa5 };

static unsigned char got[BYTES + 16];

static int session(struct vm *vm)
{
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	return fd;
}

/* No two places look the same. */
static void fill(unsigned char *mem, uint64_t bytes)
{
	uint64_t i;

	for (i = 0; i < bytes; i++)
		mem[i] = i * 7 + i / 251;
}

CASE(what_is_read_is_what_memory_has)
{
	const uint64_t at[] = { 0, 1, 4095, 4096, 65535, 65536, 65537 };
	const uint64_t lens[] = { 1, 8, 4095, 4097, 65536, 65537, 140000 };
	struct vm *vm = vm_new(PAGES);
	struct kvm_wtrack_read read;
	int fd = session(vm);
	unsigned int i, j;

	fill(vm->data, BYTES);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			tap_trying("%llu bytes at %llu",
				   (unsigned long long)lens[j],
				   (unsigned long long)at[i]);
			memset(got, CANARY, sizeof(got));
			CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA + at[i], got + 8,
						    lens[j], 0, &read), 0);
			CHECK_EQ(read.out_done, lens[j]);
			CHECK_ERRNO(read.out_error, 0);
			CHECK_EQ(read.out_seq, 0);
			CHECK(!memcmp(got + 8, vm->data + at[i], lens[j]));
			CHECK_EQ(got[7], CANARY);
			CHECK_EQ(got[8 + lens[j]], CANARY);
		}
}
