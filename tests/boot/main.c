// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: follow QEMU ARGUMENT...
 *
 * Lets a guest boot, work and power off twice: by itself, and with every page
 * of its memory tracked from the moment when its kernel starts, while a copy
 * of that memory is kept by events. At the end the copy must be the memory.
 */
#include <err.h>
#include <stdio.h>

#include "compare.h"
#include "copy.h"
#include "report.h"
#include "vm.h"

enum { LIMIT_S = 3000, NOTE_S = 10 };

static void note_progress(const struct vm *vm, const struct copy *copy)
{
	static uint64_t next;

	if (now_ns() < next)
		return;
	next = now_ns() + NOTE_S * UINT64_C(1000000000);
	printf("# %.0f s: %llu writes, %u pages not observed, guest says: %s\n",
	       (now_ns() - vm->start_ns) / 1e9,
	       (unsigned long long)copy->writes, copy->disarmed, vm->last);
}

/* All that is observed is exact now: looks for mistakes where they happen. */
static void look(struct outcome *outcome)
{
	uint64_t start = now_ns();
	struct comparison now;

	vm_pause(&outcome->vm);
	copy_catch_up(&outcome->copy);
	compare(&now, &outcome->copy);
	printf("# paused: %u pages differ, %u more are not observed\n",
	       now.different, now.unobserved);
	outcome->wrong += now.different;
	outcome->looks++;
	vm_resume(&outcome->vm);
	outcome->paused_ns += now_ns() - start;
}

static void follow(struct outcome *outcome)
{
	struct copy *copy = &outcome->copy;
	struct vm *vm = &outcome->vm;
	int fd = copy->session ? wtrack_session_get_fd(copy->session) : -1;
	unsigned int heard = 0;

	while (!vm->stopped && !vm->broken) {
		vm_hear(vm, fd);
		copy_step(copy);
		if (copy->session)
			note_progress(vm, copy);
		if (copy->session && vm->said > heard) {
			heard = vm->said;
			look(outcome);
		}
		if (now_ns() - vm->start_ns > LIMIT_S * UINT64_C(1000000000)) {
			vm_describe(vm);
			errx(1, "the guest is not done after %d s", LIMIT_S);
		}
	}
}

static void run(struct outcome *outcome, char **command,
		void (*start)(struct copy *, const struct vm *))
{
	vm_start(&outcome->vm, command);
	vm_continue(&outcome->vm);
	while (!outcome->vm.started)
		vm_hear(&outcome->vm, -1);
	start(&outcome->copy, &outcome->vm);
	outcome->attached_ns = now_ns();
	follow(outcome);
	copy_finish(&outcome->copy);
	compare(&outcome->comparison, &outcome->copy);
	report_faults(outcome);
	vm_end(&outcome->vm);
}

int main(int argc, char **argv)
{
	static struct outcome untracked, tracked;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		errx(2, "usage: follow QEMU ARGUMENT...");
	run(&untracked, argv + 1, copy_start_unkept);
	copy_free(&untracked.copy);
	run(&tracked, argv + 1, copy_start);
	report(&untracked, &tracked);
	return verdict(&untracked, &tracked) ? 0 : 1;
}
