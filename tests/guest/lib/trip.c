// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "guest.h"
#include "tap.h"
#include "trip.h"

static void look(void *arg, const struct kvm_wtrack_record *r)
{
	struct trip *t = arg;

	if (r->type != KVM_WTRACK_RECORD_GUARD)
		return;
	if (r->guard.action == KVM_WTRACK_GUARD_DISARMED)
		t->disarmed_ns = r->time_ns;
	if (r->guard.action == KVM_WTRACK_GUARD_REARMED)
		t->rearmed_ns = r->time_ns;
}

void trip_init(struct trip *t, uint64_t pages, struct vm *vm, struct wt *wt)
{
	memset(t, 0, sizeof(*t));
	t->vm = vm;
	t->v = vcpu_new(vm);
	t->wt = wt;
	wt_add(wt->fd, VM_DATA_GFN, pages);
	mirror_init(&t->mirror, wt, vm->data, pages);
	t->mirror.look = look;
	t->mirror.look_arg = t;
}

void trip_init_plain(struct trip *t, uint64_t pages)
{
	struct vm *vm = vm_new(pages);

	trip_init(t, pages, vm, wt_session(vm->fd, 4096, 0));
}

static uint64_t *disarms(struct trip *t)
{
	return &t->mirror.guard[KVM_WTRACK_GUARD_DISARMED]
			       [KVM_WTRACK_CAUSE_UNEMULATED];
}

void trip(struct trip *t, uint64_t page)
{
	uint64_t before;

	mirror_step(&t->mirror);
	before = *disarms(t);
	t->before_ns = tick_clock_ns();
	vcpu_call(t->v, g_fstp, VM_DATA + page * PAGE, 0, 1);
	mirror_step(&t->mirror);
	CHECK_EQ(*disarms(t), before + 1);
}

uint64_t trip_wait(struct trip *t)
{
	mirror_rearmed(&t->mirror);
	CHECK(t->rearmed_ns > t->disarmed_ns);
	return (tick_clock_ns() - t->before_ns) / 1000000;
}

void trip_check_armed(struct trip *t, uint64_t page)
{
	struct mirror *m = &t->mirror;
	uint64_t writes, rereads;

	mirror_step(m);
	writes = m->writes;
	rereads = m->rereads;
	vcpu_call(t->v, g_store8, VM_DATA + page * PAGE + 64, clock_ns(), 3, 8);
	mirror_step(m);
	CHECK_EQ(m->writes, writes + 3);
	CHECK_EQ(m->rereads, rereads);
	CHECK_EQ(mirror_differs(m), m->pages * PAGE);
}

uint32_t trip_state(struct trip *t, uint64_t page)
{
	return wt_gfn_state(t->wt->fd, VM_DATA_GFN + page);
}
