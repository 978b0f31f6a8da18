// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a holder of a descriptor does over and over interrupts no other
 * processor: function call interrupts are counted. The kernel makes them when
 * it changes its own code, and for grace periods that are to be short.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

/* Function call interrupts of all processors since the start. */
static uint64_t interrupts(void)
{
	char line[4096], *p = NULL, *end;
	uint64_t sum = 0, n;
	FILE *f = fopen("/proc/interrupts", "re");

	CHECK_SYS(f);
	while (!p && fgets(line, sizeof(line), f))
		p = strstr(line, "CAL:");
	fclose(f);
	CHECK(p);
	for (p += strlen("CAL:"); n = strtoull(p, &end, 10), end != p; p = end)
		sum += n;
	return sum;
}

/* Others are about as well. A call that waits may be woken by one of them. */
static void check_quiet(const char *what, uint64_t before, unsigned int rounds,
			unsigned int limit)
{
	uint64_t n = interrupts() - before;

	tap_note("%u rounds of %s: %llu interrupts", rounds, what,
		 (unsigned long long)n);
	CHECK(n < limit);
}

/* Once before, since the first time may be another matter. */
CASE_WITHIN(attaching_and_closing_interrupts_nobody, 60)
{
	const unsigned int rounds = 60;
	struct vm *vm = vm_new(1);
	uint64_t before = 0;
	unsigned int i;
	int fd;

	for (i = 0; i <= rounds; i++) {
		if (i == 1)
			before = interrupts();
		fd = wt_open();
		wt_attach(fd, vm->fd);
		close(fd);
	}
	/* 8 a round are wake-ups of who waits; with changes of code it is 52. */
	check_quiet("ATTACH and close", before, rounds, 20 * rounds);
}

/* A VM that is gone is given up by other code. */
CASE_WITHIN(vms_that_come_and_go_interrupt_nobody, 60)
{
	const unsigned int rounds = 30;
	uint64_t before = 0, n;
	struct vmm *vmm;
	unsigned int i;
	int fd, vm_fd;

	for (i = 0; i <= rounds; i++) {
		if (i == 1)
			before = interrupts();
		vmm = vmm_fork(1);
		vm_fd = vmm_take_fd(vmm);
		fd = wt_open();
		wt_attach(fd, vm_fd);
		close(vm_fd);
		vmm_kill(vmm);
		close(fd);
	}
	/* 30 for a process that comes and goes; with changes of code it is 84. */
	n = interrupts() - before;
	tap_note("%u VMs: %llu interrupts", rounds, (unsigned long long)n);
	CHECK(n < 55 * rounds);
}

CASE_WITHIN(a_fence_interrupts_nobody, 60)
{
	const unsigned int rounds = 1000;
	struct wt *wt = wt_session(vm_new(1)->fd, 64, 0);
	uint64_t before = interrupts();
	unsigned int i;

	for (i = 0; i < rounds; i++)
		CHECK_EQ(wt_fence(wt->fd), 0);
	check_quiet("FENCE", before, rounds, rounds / 2);
}

CASE_WITHIN(a_fenced_removal_interrupts_nobody, 60)
{
	const unsigned int rounds = 1000;
	struct wt *wt = wt_session(vm_new(1)->fd, 64, 0);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 };
	WT_ARG(remove, r, .flags = KVM_WTRACK_REMOVE_F_FENCE,
	       .changes = (uintptr_t)&c, .nr_changes = 1);
	uint64_t before = interrupts();
	unsigned int i;

	for (i = 0; i < rounds; i++)
		CHECK_ERRNO(__wt_remove(wt->fd, &r), 0);
	check_quiet("REMOVE with the fence", before, rounds, rounds / 2);
}
