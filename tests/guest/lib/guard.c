// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cpuid.h"
#include "guard.h"
#include "guest.h"
#include "outcome.h"
#include "vm_internal.h"

enum { ROUNDS = 3, PLAIN_STORES = 4 };

/* One go through the rounds. */
struct attempt {
	const struct guard_work *work;
	struct vm *vm;
	struct vcpu *v, *other;
	struct mirror *mirror;		/* without one nothing is tracked */
	unsigned int seen;		/* in the first round */
	/* What is running, where, and its only instruction that stores. */
	struct vcpu *on;
	struct guest_code code;
	const unsigned char *at;
	struct outcome after[ROUNDS];
};

/* Who stored is known of each store, and where its code was. */
static void look(void *arg, const struct kvm_wtrack_record *r)
{
	const unsigned int known = KVM_WTRACK_RECORD_F_VCPU |
				   KVM_WTRACK_RECORD_F_RIP;
	struct attempt *a = arg;
	uint64_t base = vcpu_code_rip(a->on);

	if (r->type == KVM_WTRACK_RECORD_GUARD &&
	    r->guard.action == KVM_WTRACK_GUARD_REARMED)
		return;
	CHECK_EQ(r->flags & known, known);
	CHECK_EQ(r->vcpu, a->on->index);
	if (a->at)
		CHECK_EQ(r->rip, base + (a->at - a->code.start));
	else
		CHECK(r->rip - base <= (uint64_t)(a->code.end - a->code.start));
}

static unsigned int classify(struct attempt *a)
{
	const uint64_t *disarmed = a->mirror->guard[KVM_WTRACK_GUARD_DISARMED];
	unsigned int seen = 0;

	if (disarmed[KVM_WTRACK_CAUSE_UNEMULATED])
		seen |= SEEN_UNEMULATED;
	if (disarmed[KVM_WTRACK_CAUSE_PAGE_WALK])
		seen |= SEEN_PAGE_WALK;
	if (disarmed[KVM_WTRACK_CAUSE_EVENT])
		seen |= SEEN_EVENT;
	if (disarmed[KVM_WTRACK_CAUSE_OPERAND])
		seen |= SEEN_OPERAND;
	if (disarmed[KVM_WTRACK_CAUSE_SPLIT_LOCK])
		seen |= SEEN_SPLIT_LOCK;
	if (disarmed[KVM_WTRACK_CAUSE_NESTED])
		seen |= SEEN_NESTED;
	if (mirror_guard(a->mirror, KVM_WTRACK_GUARD_CHANGED))
		seen |= SEEN_CHANGED;
	if (mirror_differs(a->mirror) != a->work->pages * PAGE)
		seen |= SEEN_NOT;
	if (seen)
		return seen;
	return a->mirror->writes ? SEEN_EXACT : SEEN_NO_STORE;
}

/* What was not seen is not to be found again in the next round. */
static void forgive(struct mirror *m)
{
	memcpy(m->copy, m->truth, m->pages * PAGE);
}

static void running(struct attempt *a, struct vcpu *on, struct guest_code code,
		    const unsigned char *at)
{
	a->on = on;
	a->code = code;
	a->at = at;
}

static void run_round(struct attempt *a, unsigned int round)
{
	const struct guard_work *w = a->work;

	tap_trying("%s, round %u", w->name, round);
	running(a, a->v, w->code, w->at);
	vcpu_load(a->v, w->code, w->args);
	if (w->load)
		w->load(a->v, round);
	if (w->run)
		w->run(a->v);
	else
		vcpu_finish(a->v);
	outcome_take(&a->after[round], a->v);
}

static void watch_round(struct attempt *a, unsigned int round)
{
	struct mirror *m = a->mirror;
	unsigned int seen;

	memset(m->guard, 0, sizeof(m->guard));
	m->writes = 0;
	run_round(a, round);
	mirror_step(m);
	seen = classify(a);
	if (seen & SEEN_NOT)
		forgive(m);
	if (!round)
		a->seen = seen;
	CHECK_EQ(seen & ~(round ? a->work->later : a->work->seen), 0);
}

/* All that is tracked is armed, and each store is recorded with its data. */
static void store_plainly(struct attempt *a)
{
	uint64_t first = __builtin_ctzll(a->work->tracked);
	struct mirror *m = a->mirror;

	tap_trying("%s, then plain stores", a->work->name);
	if (m) {
		mirror_rearmed(m);
		memset(m->guard, 0, sizeof(m->guard));
		m->writes = 0;
		m->rereads = 0;
	}
	running(a, a->other, g_store8, g_store8.start);
	vcpu_call(a->other, g_store8, VM_DATA + (first + 1) * PAGE -
		  8 * PLAIN_STORES, 1, PLAIN_STORES, 8);
	if (!m)
		return;
	mirror_step(m);
	CHECK_EQ(m->writes, PLAIN_STORES);
	CHECK_EQ(m->rereads, 0);
	CHECK_EQ(mirror_disarmed(m), 0);
	CHECK_EQ(mirror_differs(m), m->pages * PAGE);
}

static void run_rounds(struct attempt *a)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS - 1)
			store_plainly(a);
		if (!a->mirror) {
			run_round(a, i);
			continue;
		}
		mirror_rearmed(a->mirror);
		watch_round(a, i);
	}
}

static void fill_pattern(struct vm *vm)
{
	uint64_t i;

	for (i = 0; i < vm->data_pages * PAGE; i++)
		vm->data[i] = i * 37 + 11;
}

static void attempt_init(struct attempt *a, const struct guard_work *w)
{
	memset(a, 0, sizeof(*a));
	a->work = w;
	a->vm = vm_new(w->pages);
	a->v = w->real_mode ? vcpu_new_real(a->vm) : vcpu_new(a->vm);
	a->v->cr4 &= ~w->cr4_off;
	a->other = vcpu_new(a->vm);
	if (w->fill)
		w->fill(a->v);
	else
		fill_pattern(a->vm);
}

static void track(struct attempt *a, struct mirror *m)
{
	struct wt *wt = wt_session(a->vm->fd, 4096, 0);
	uint64_t i;

	mirror_init(m, wt, a->vm->data, a->work->pages);
	m->look = look;
	m->look_arg = a;
	for (i = 0; i < a->work->pages; i++)
		if (a->work->tracked >> i & 1)
			wt_add(wt->fd, VM_DATA_GFN + i, 1);
		else
			m->page[i] = MIRROR_STOPPED;
	a->mirror = m;
}

static void print_class(const struct guard_work *w, unsigned int seen)
{
	static const char * const names[] = {
		"exact", "changed unemulated", "changed page-walk",
		"changed event", "changed operand", "changed unreported",
		"unseen", "no-store", "changed nested", "changed split-lock",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (seen >> i & 1)
			tap_note("class %s: %s", w->name, names[i]);
}

static void try_both(const struct guard_work *w)
{
	struct attempt plain, tracked;
	struct mirror m;
	unsigned int i;

	attempt_init(&plain, w);
	if (!cpuid_has(plain.v, w->feature)) {
		CHECK(w->optional);
		tap_note("class %s: absent", w->name);
		return;
	}
	run_rounds(&plain);
	attempt_init(&tracked, w);
	track(&tracked, &m);
	run_rounds(&tracked);
	mirror_finish(&m);
	for (i = 0; i < ROUNDS; i++)
		outcome_compare(&tracked.after[i], &plain.after[i],
				w->pages);
	print_class(w, tracked.seen);
}

void guard_try(const struct guard_work *w)
{
	struct guard_work all = *w;

	if (all.anywhere)
		all.at = NULL;
	if (!all.args[0]) {
		all.args[0] = VM_DATA;
		all.args[1] = VM_DATA + PAGE;
	}
	all.pages = all.pages ?: 2;
	all.tracked = all.tracked ?: 1;
	all.later = all.later ?: all.seen;
	try_both(&all);
}
