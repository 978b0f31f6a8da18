// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <inttypes.h>
#include <stdio.h>

#include "guest.h"
#include "report.h"

static const char *const fault_names[NR_FAULTS] = {
	"exits", "pf_taken", "pf_emulate", "insn_emulation",
	"insn_emulation_fail",
};

void report_faults(struct outcome *outcome)
{
	char path[64];

	for (int i = 0; i < NR_FAULTS; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%s",
			 fault_names[i]);
		file = fopen(path, "re");
		if (!file ||
		    fscanf(file, "%" SCNu64, &outcome->faults[i]) != 1)
			err(1, "%s", path);
		fclose(file);
	}
}

static void line(const char *run, const char *name, uint64_t value)
{
	printf("# boot %s_%s %" PRIu64 "\n", run, name, value);
}

static void report_run(const char *run, const struct outcome *o)
{
	const struct vm *vm = &o->vm;

	line(run, "user_space_ms", (vm->user_ns - vm->start_ns) / 1000000);
	line(run, "power_off_ms",
	     (vm->end_ns - vm->start_ns - o->paused_ns) / 1000000);
	for (int i = 0; i < NR_FAULTS; i++)
		line(run, fault_names[i], o->faults[i]);
}

void report(const struct outcome *untracked, const struct outcome *tracked)
{
	const struct copy *copy = &tracked->copy;

	report_run("untracked", untracked);
	report_run("tracked", tracked);
	line("tracked", "pages", copy->mirror_status.pages);
	line("tracked", "events", copy->status.events);
	line("tracked", "disarmed", copy->status.disarms);
	line("tracked", "over_budget", copy->status.over_budget);
	line("tracked", "rearmed", copy->status.rearms);
	line("tracked", "unreported", copy->status.unreported);
	line("tracked", "overflows", copy->status.overflows);
	line("mirror", "writes", copy->writes);
	line("mirror", "changes_found", copy->rereads);
	line("mirror", "pages_read_again", copy->mirror_status.rereads);
	line("mirror", "pages_absent", copy->states[WTRACK_MIRROR_ABSENT]);
	line("mirror", "regions_changed", copy->regions);
	line("mirror", "looks", tracked->looks);
	line("end", "pages_disarmed", copy->unobserved);
	line("end", "pages_compared", tracked->comparison.compared);
	line("end", "pages_different", tracked->comparison.different);
}

static unsigned int cases, failures;

static void tap(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++cases, what);
	failures += !good;
}

static bool guest_is_well(const struct vm *vm)
{
	return vm->works && !vm->broken && vm->results == GUEST_RESULTS && !vm->complaints;
}

bool verdict(const struct outcome *untracked, const struct outcome *tracked)
{
	const struct comparison *end = &tracked->comparison;
	const struct copy *copy = &tracked->copy;
	const struct wtrack_status *status = &copy->status;

	tap(guest_is_well(&untracked->vm) && untracked->vm.off,
	    "untracked, the guest boots, works and powers off");
	tap(untracked->comparison.different,
	    "a copy that nobody keeps is not the memory");
	tap(tracked->vm.user_ns, "mirrored, the guest reaches user space");
	tap(guest_is_well(&tracked->vm), "its programs get the right results");
	tap(tracked->vm.off, "it powers off");
	tap(copy->writes && copy->rereads,
	    "the mirror followed stores, and found changes by reading");
	tap(status->over_budget && status->disarms > status->over_budget &&
	    status->rearms, "the budget and other causes had the guard act");
	tap(copy->states[WTRACK_MIRROR_ABSENT] && copy->regions > 1,
	    "memory went away and came");
	tap(!copy->mirror_status.removed, "no page's tracking has ended");
	tap(!copy->mirror_status.disarmed,
	    "in the end all pages are observed again");
	tap(copy->unobserved < RAM_PAGES / 20,
	    "of 20 pages at most one was not observed when the guest stopped");
	tap(tracked->looks >= LOOKS, "the guest was paused 20 times");
	tap(!tracked->wrong, "whenever it is paused, the copy is the memory");
	tap(end->compared && !end->different && !end->missing,
	    "in the end the copy is the memory");
	printf("1..%u\n", cases);
	return !failures;
}
