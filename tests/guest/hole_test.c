// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest touches an address where there is no memory, as a BIOS does that
 * probes. Later memory comes there, and is tracked: each store to it must be told.
 * KVM keeps an entry for the hole, and replaces it by one that is writable
 * without looking for a count.
 */
#include <pthread.h>
#include <string.h>

#include "guest.h"
#include "mirror.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 16 };

GUEST_CODE(g_load, "mov (%rdi), %rax\n hlt");

enum touch { NOT, BY_LOAD, BY_STORE };

/* A VM whose memory was away, while the guest touched where it had been. */
static struct vm *vm_with_hole(struct vcpu **v, enum touch touch)
{
	struct vm *vm = vm_new(PAGES);

	*v = vcpu_new(vm);
	(*v)->ignore_mmio = true;
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	if (touch == BY_LOAD)
		vcpu_call(*v, g_load, VM_DATA);
	else if (touch == BY_STORE)
		vcpu_call(*v, g_store8, VM_DATA, 1, 1, 0);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, PAGES * PAGE, 0);
	return vm;
}

/* Every store is a record, or the page was disarmed before it, and said so. */
static void follow(struct vm *vm, struct vcpu *v, struct wt *wt)
{
	struct mirror m;
	uint64_t writes;

	mirror_init(&m, wt, vm->data, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 100, 10, 8);
	CHECK_SOON((mirror_step(&m), m.writes >= 10 ||
		    m.guard[KVM_WTRACK_GUARD_DISARMED]
			   [KVM_WTRACK_CAUSE_HOLE]));
	/* From then on nothing escapes. */
	mirror_rearmed(&m);
	writes = m.writes;
	vcpu_call(v, g_store8, VM_DATA, 200, 10, 8);
	mirror_step(&m);
	CHECK_EQ(m.writes, writes + 10);
	mirror_finish(&m);
}

static void try_hole(enum touch touch, bool load_first)
{
	struct vcpu *v;
	struct vm *vm = vm_with_hole(&v, touch);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	if (load_first)
		vcpu_call(v, g_load, VM_DATA);
	follow(vm, v, wt);
}

CASE(a_hole_that_was_not_touched)
{
	try_hole(NOT, false);
}

CASE(a_hole_that_was_loaded_from)
{
	try_hole(BY_LOAD, false);
}

CASE(a_hole_that_was_stored_to)
{
	try_hole(BY_STORE, false);
}

CASE(a_hole_that_was_stored_to_and_is_loaded_from)
{
	try_hole(BY_STORE, true);
}

/* The first access comes from a vCPU that did not see the hole. */
CASE(a_hole_that_another_vcpu_has_touched)
{
	struct vcpu *v, *other;
	struct vm *vm = vm_with_hole(&v, BY_STORE);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	other = vcpu_new(vm);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	follow(vm, other, wt);
}

/* The session is there before the memory. */
CASE(a_hole_that_is_filled_while_a_session_is_open)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	unsigned int i;

	v->ignore_mmio = true;
	for (i = 0; i < 5; i++) {
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
		vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, PAGES * PAGE, 0);
		wt_drain(wt);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		follow(vm, v, wt);
	}
}

/*
 * Without nested paging KVM maps the pages of neighbouring entries along, without
 * a fault on them.
 */
CASE(a_hole_whose_neighbour_is_touched_first)
{
	struct vcpu *v;
	struct vm *vm = vm_with_hole(&v, BY_STORE);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	/* Only what the VMM has mapped. */
	memset(vm->data, 0x11, PAGES * PAGE);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vcpu_call(v, g_store8, VM_DATA + PAGE, 100, 1, 8);
	follow(vm, v, wt);
}

/*
 * Another memslot is changed, for as long as it is let, in a way that has KVM drop no
 * entry: if the memslot were deleted, KVM would forget the hole.
 */
struct flipper {
	struct vm *vm;
	unsigned long flips;
	int stop;
	pthread_t thread;
};

static void *flip(void *arg)
{
	struct flipper *f = arg;
	void *mem = mem_shared(PAGE);

	while (!__atomic_load_n(&f->stop, __ATOMIC_SEQ_CST)) {
		vm_slot(f->vm, VM_SLOT_EXTRA, VM_HIGH, mem, PAGE,
			KVM_MEM_LOG_DIRTY_PAGES);
		vm_slot(f->vm, VM_SLOT_EXTRA, VM_HIGH, mem, PAGE, 0);
		__atomic_add_fetch(&f->flips, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/*
 * While KVM changes its memslots, it takes each entry for a hole for out of date and
 * does not say so: see on_map(), walk.c.
 */
CASE_WITHIN(a_hole_that_is_filled_while_memslots_change, 240)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct flipper f = { .vm = vm };
	unsigned int i;

	v->ignore_mmio = true;
	CHECK(!pthread_create(&f.thread, NULL, flip, &f));
	for (i = 0; i < 30; i++) {
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
		if (i % 2)
			vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
		else
			vcpu_call(v, g_load, VM_DATA);
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, PAGES * PAGE, 0);
		wt_drain(wt);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		follow(vm, v, wt);
	}
	__atomic_store_n(&f.stop, 1, __ATOMIC_SEQ_CST);
	CHECK(!pthread_join(f.thread, NULL));
	tap_note("%lu changes", 2 * f.flips);
	CHECK(f.flips);
}
