// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "run.h"
#include "vm.h"

struct doorbells {
	struct mediator *mediator;
	pthread_barrier_t all;
};

/* DOORBELL_ALL waits for all vCPUs; one of them answers it for all. */
static void on_doorbell(uint32_t value, void *userdata)
{
	struct doorbells *d = userdata;

	if (value != DOORBELL_ALL) {
		mediator_doorbell(d->mediator, value);
		return;
	}
	if (pthread_barrier_wait(&d->all) == PTHREAD_BARRIER_SERIAL_THREAD)
		mediator_doorbell(d->mediator, DOORBELL_ALL);
	pthread_barrier_wait(&d->all);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* Nothing of the account may be missing when all is over. */
static void close_account(struct run *run, struct mediator *m,
			  const struct control *control)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < NR_EDITS; i++) {
		run->made[i] = control->made[0][i] + control->made[1][i];
		sum += run->made[i];
	}
	if (sum != control->edits * NR_VCPUS)
		mediator_mismatch(m, "%" PRIu64 " edits made", sum);
	mediator_check(wtrack_session_get_status(m->session, &run->status,
						 sizeof(run->status)),
		       "status");
	mediator_check(wtrack_mirror_get_status(m->mirror, &run->mirror,
						sizeof(run->mirror)),
		       "mirror's status");
	run->counts = m->counts;
}

void run(struct run *run)
{
	struct vm *vm = vm_new();
	struct control *control = (void *)(vm->memory + GUEST_CONTROL);
	struct doorbells d;

	control->seed = run->seed;
	control->edits = (run->edits + NR_VCPUS - 1) / NR_VCPUS;
	d.mediator = mediator_open(vm->fd, vm->memory, &run->ring);
	pthread_barrier_init(&d.all, NULL, NR_VCPUS);
	run->ms = now_ms();
	vm_run(vm, on_doorbell, &d);
	mediator_doorbell(d.mediator, DOORBELL_ALL);
	run->ms = now_ms() - run->ms;
	close_account(run, d.mediator, control);
	pthread_barrier_destroy(&d.all);
	mediator_close(d.mediator);
	vm_free(vm);
}

static void report_ring(const struct run *run)
{
	const struct ring_options *ring = &run->ring;

	printf("# ring of %" PRIu32 " records%s", ring->records,
	       ring->coalesce ? ", coalescing" : "");
	if (ring->budget)
		printf(", budget %" PRIu32 " in %d ms", ring->budget,
		       BUDGET_MS);
	printf(", seed %" PRIu64 ", %" PRIu64 ".%03" PRIu64 " s\n", run->seed,
	       run->ms / 1000, run->ms % 1000);
}

void run_report(const struct run *run)
{
	const struct counts *c = &run->counts;
	const uint64_t *made = run->made;
	const uint64_t *rung = c->doorbells;

	report_ring(run);
	printf("# edits %" PRIu64 ": stores %" PRIu64 ", halves %" PRIu64
	       ", xchg %" PRIu64 ", fills %" PRIu64 ", copies %" PRIu64 "\n",
	       made[EDIT_STORE] + made[EDIT_HALF] + made[EDIT_XCHG] +
	       made[EDIT_FILL] + made[EDIT_COPY], made[EDIT_STORE],
	       made[EDIT_HALF], made[EDIT_XCHG], made[EDIT_FILL],
	       made[EDIT_COPY]);
	printf("# doorbells: own %" PRIu64 " and %" PRIu64 ", locked %" PRIu64
	       ", all %" PRIu64 "\n", rung[0], rung[1], rung[REGION_LOCKED],
	       rung[DOORBELL_ALL]);
	printf("# records %" PRIu64 ", merged %" PRIu64 ", overflows %" PRIu64
	       " (%" PRIu64 " writes)\n", run->status.events,
	       run->status.merged, run->status.overflows,
	       run->status.resync_writes);
	printf("# pages disarmed %" PRIu64 ", armed again %" PRIu64 "\n",
	       run->status.disarms, run->status.rearms);
	printf("# changes %" PRIu64 ", of states %" PRIu64 ", pages read again %"
	       PRIu64 " (%" PRIu64 " conflicts)\n", c->changes, c->states,
	       run->mirror.rereads, run->mirror.conflicts);
	printf("# tables added %" PRIu64 ", removed %" PRIu64 "\n",
	       c->tables_added, c->tables_removed);
	printf("# compared %" PRIu64 " entries: %" PRIu64 " mismatches\n",
	       c->entries_compared, c->mismatches);
}
