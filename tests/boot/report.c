// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <inttypes.h>
#include <stdio.h>

#include "guest.h"
#include "report.h"

enum { LEGACY_HOLE = 0xa0, LEGACY_END = 0x100 };

static const char *const fault_names[NR_FAULTS] = {
	"exits", "pf_taken", "pf_emulate", "insn_emulation",
	"insn_emulation_fail",
};

static const char *const cause_names[NR_CAUSES] = {
	[WTRACK_CAUSE_UNEMULATED] = "unemulated",
	[WTRACK_CAUSE_PAGE_WALK] = "page_walk",
	[WTRACK_CAUSE_EVENT] = "event",
	[WTRACK_CAUSE_BUDGET] = "budget",
	[WTRACK_CAUSE_NESTED] = "nested",
	[WTRACK_CAUSE_NEW_VCPU] = "new_vcpu",
	[WTRACK_CAUSE_OPERAND] = "operand",
	[WTRACK_CAUSE_SPLIT_LOCK] = "split-lock",
	[WTRACK_CAUSE_NATIVE] = "native",
	[WTRACK_CAUSE_HOLE] = "hole",
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
	line("tracked", "attach_ms",
	     (tracked->attached_ns - tracked->vm.start_ns) / 1000000);
	line("tracked", "pages", copy->tracked);
	line("tracked", "events", copy->seq);
	line("tracked", "writes", copy->writes);
	for (int i = 0; i < NR_CAUSES; i++)
		if (cause_names[i])
			line("disarmed", cause_names[i], copy->disarms[i]);
	line("tracked", "rearmed", copy->rearms);
	line("tracked", "unreported", copy->changed);
	line("tracked", "resyncs", copy->resyncs);
	line("tracked", "pages_read_again", copy->rereads);
	line("end", "pages_disarmed", copy->disarmed_at_end);
	line("end", "pages_different", tracked->comparison.different);
}

static unsigned int cases, failures;

static void tap(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++cases, what);
	failures += !good;
}

static bool all_tracked(const struct copy *copy)
{
	for (uint64_t gfn = 0; gfn < RAM_PAGES; gfn++)
		if (!copy->pages[gfn].tracked &&
		    (gfn < LEGACY_HOLE || gfn >= LEGACY_END))
			return false;
	return true;
}

/* Of what went to the resync set there is no event. */
static bool counts_agree(const struct copy *copy)
{
	const struct wtrack_status *status = &copy->status;
	uint64_t disarms = 0;

	for (int i = 0; i < NR_CAUSES; i++)
		disarms += copy->disarms[i];
	return copy->resyncs == status->overflows &&
	       (copy->resyncs ||
		(copy->seq == status->events && disarms == status->disarms &&
		 copy->rearms == status->rearms));
}

static bool guest_is_well(const struct vm *vm)
{
	return vm->works && !vm->broken && vm->results == GUEST_RESULTS && !vm->complaints;
}

bool verdict(const struct outcome *untracked, const struct outcome *tracked)
{
	const struct copy *copy = &tracked->copy;
	const uint64_t *disarms = copy->disarms;

	tap(guest_is_well(&untracked->vm) && untracked->vm.off,
	    "untracked, the guest boots, works and powers off");
	tap(untracked->comparison.different,
	    "a copy that nobody keeps is not the memory");
	tap(all_tracked(copy), "all memory that the guest can write is tracked");
	tap(tracked->vm.user_ns, "tracked, the guest reaches user space");
	tap(guest_is_well(&tracked->vm), "its programs get the right results");
	tap(tracked->vm.off, "it powers off");
	tap(copy->writes && disarms[WTRACK_CAUSE_PAGE_WALK] &&
	    disarms[WTRACK_CAUSE_BUDGET] && copy->rearms,
	    "page walks and the budget had the guard act");
	tap(disarms[WTRACK_CAUSE_UNEMULATED],
	    "so had stores that KVM cannot emulate");
	tap(!copy->gaps && !copy->lost, "no event and no page is lost");
	tap(counts_agree(copy), "the module has counted the same");
	tap(!copy->disarmed, "in the end all pages are observed again");
	tap(copy->disarmed_at_end < RAM_PAGES / 20,
	    "of 20 pages at most one was not observed when the guest stopped");
	tap(tracked->looks && !tracked->wrong,
	    "whenever the guest is paused, what is observed is exact");
	tap(!tracked->comparison.different, "the copy is the memory");
	printf("1..%u\n", cases);
	return !failures;
}
