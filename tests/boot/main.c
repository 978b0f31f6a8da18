// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: follow QEMU ARGUMENT...
 *
 * Lets a guest boot, work and power off twice: by itself, and with a mirror of
 * all of its memory from before the first instruction on. Whenever the guest is
 * paused, and at the end, the copy must be the memory.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "copy.h"
#include "report.h"
#include "vm.h"

enum { LIMIT_S = 3000, NOTE_S = 10, LOOK_WRITES = 100000 };

static void note_progress(const struct vm *vm, const struct copy *copy)
{
	static uint64_t next;

	if (now_ns() < next)
		return;
	next = now_ns() + NOTE_S * UINT64_C(1000000000);
	printf("# %.0f s: %llu writes, guest says: %s\n",
	       (now_ns() - vm->begin_ns) / 1e9,
	       (unsigned long long)copy->writes, vm->last);
}

static void look(struct outcome *outcome)
{
	uint64_t start = now_ns();
	struct comparison now;

	vm_pause(&outcome->vm);
	copy_sync(&outcome->copy);
	compare(&now, &outcome->copy);
	printf("# %llu writes: %u pages compared, %u differ, %u are missing\n",
	       (unsigned long long)outcome->copy.writes, now.compared,
	       now.different, now.missing);
	outcome->wrong += now.different + now.missing;
	outcome->looks++;
	vm_resume(&outcome->vm);
	if (outcome->vm.started)
		outcome->paused_ns += now_ns() - start;
}

static void follow(struct outcome *outcome)
{
	struct copy *copy = &outcome->copy;
	struct vm *vm = &outcome->vm;
	int fd = copy->session ? wtrack_mirror_get_fd(copy->mirror) : -1;
	uint64_t next_look = LOOK_WRITES;
	unsigned int heard = 0;

	while (!vm->stopped && !vm->broken) {
		vm_hear(vm, fd);
		copy_step(copy);
		if (copy->session)
			note_progress(vm, copy);
		if (copy->session &&
		    (vm->said > heard || copy->writes >= next_look)) {
			heard = vm->said;
			next_look = copy->writes + LOOK_WRITES;
			look(outcome);
		}
		if (now_ns() - vm->begin_ns > LIMIT_S * UINT64_C(1000000000)) {
			vm_describe(vm);
			errx(1, "the guest is not done after %d s", LIMIT_S);
		}
	}
}

static void run_once(struct outcome *outcome, char **command,
		     void (*start)(struct copy *, const struct vm *))
{
	memset(outcome, 0, sizeof(*outcome));
	vm_start(&outcome->vm, command);
	start(&outcome->copy, &outcome->vm);
	vm_continue(&outcome->vm);
	follow(outcome);
	copy_finish(&outcome->copy);
	compare(&outcome->comparison, &outcome->copy);
	report_faults(outcome);
	vm_end(&outcome->vm);
}

/* Its kernel complained, and a mirror of its memory was right all the while. */
static bool died_by_itself(const struct outcome *outcome)
{
	return outcome->vm.complaints && !outcome->wrong &&
	       (!outcome->copy.session || (!outcome->comparison.different &&
					   !outcome->comparison.missing));
}

/*
 * QEMU 7.2 may deliver an interrupt to the guest twice when it emulates SVM, of
 * which a Linux dies, tracked or not: see tests/host/README.md. So there is another
 * chance, unless the copy was wrong.
 */
static void run(struct outcome *outcome, char **command,
		void (*start)(struct copy *, const struct vm *))
{
	run_once(outcome, command, start);
	if (!died_by_itself(outcome))
		return;
	printf("# the guest died, %u lines above; once more\n",
	       outcome->vm.told);
	copy_free(&outcome->copy);
	run_once(outcome, command, start);
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
