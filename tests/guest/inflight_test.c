// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page is added while KVM handles a fault on it, which takes as long as the
 * test wants. The guard has let the fault pass, or has not seen it; KVM must not
 * find the page tracked half-way, and who adds may choose not to wait.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "guest.h"
#include "inner.h"
#include "mode.h"
#include "mirror.h"
#include "module.h"
#include "slow.h"
#include "tap.h"
#include "vm_internal.h"
#include "wt.h"

#define VALUE	0x1122334455667788ULL
#define HIGH_PAGES	16

/* A vCPU that needs one page table entry to store one word. */
struct walk {
	struct vm *vm;
	struct vcpu *v;
	unsigned char *high;
	struct slow table;
};

static void walk_begin(struct walk *w, struct vm *vm, struct vcpu *v)
{
	w->vm = vm;
	w->v = v;
	w->high = mem_shared(HIGH_PAGES * PAGE);
	w->high[0] = 0;
	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, w->high, HIGH_PAGES * PAGE, 0);
	slow_take(&w->table, vm->low + LOW_PDPT_HIGH);
	vcpu_start(v, g_store8, VM_HIGH, VALUE, 1, 8);
	slow_wait(&w->table);
}

static uint64_t entry_of(const struct walk *w)
{
	uint64_t entry;

	memcpy(&entry, w->vm->low + LOW_PDPT_HIGH, sizeof(entry));
	/* The processor may have set accessed and dirty. */
	return entry & ~0x60ULL;
}

/* The store went where it should, and nowhere else. */
static void walk_end(struct walk *w)
{
	uint64_t was, is;

	memcpy(&was, w->table.contents, sizeof(was));
	slow_give(&w->table);
	vcpu_join(w->v);
	CHECK_EQ(entry_of(w), was & ~0x60ULL);
	memcpy(&is, w->high, sizeof(is));
	CHECK_EQ(is, VALUE);
}

/*
 * Not while KVM is in the fault; afterwards it is as any other page. Without nested
 * paging KVM itself reads the table, and that is no fault on it.
 */
static void add_in_the_walk(struct walk *w, struct wt *wt)
{
	const uint64_t gfn = LOW_PDPT_HIGH / PAGE;
	int r = __wt_add_page_nowait(wt->fd, gfn);

	if (paging_is_nested() || r)
		CHECK_ERRNO(r, EAGAIN);
	CHECK_EQ(wt_tracked(wt->fd, gfn), !r);
	walk_end(w);
	CHECK_ERRNO(__wt_add_page(wt->fd, gfn), 0);
	CHECK(wt_tracked(wt->fd, gfn));
}

CASE(a_walk_that_began_before_the_first_add)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct walk w;

	walk_begin(&w, vm, v);
	add_in_the_walk(&w, wt);
}

CASE(a_walk_that_began_before_the_vm_was_attached_to)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct walk w;

	walk_begin(&w, vm, v);
	add_in_the_walk(&w, wt_session(vm->fd, 64, 0));
}

CASE(a_walk_that_began_when_other_pages_were_tracked)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct walk w;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	walk_begin(&w, vm, v);
	add_in_the_walk(&w, wt);
}

/* The module has places for some vCPUs that are still to come, but not so many. */
CASE(a_walk_of_a_vcpu_that_is_newer_than_the_module_knows)
{
	struct vm *vm = vm_new(4);
	struct vcpu *first = vcpu_new(vm), *v;
	struct wt *wt = wt_session(vm->fd, 64, 0);
	unsigned long id;
	struct walk w;

	(void)first;
	wt_add(wt->fd, VM_DATA_GFN, 1);
	for (id = 100; id < 140; id++)
		CHECK_SYS(ioctl(vm->fd, KVM_CREATE_VCPU, id) >= 0);
	v = vcpu_new(vm);
	walk_begin(&w, vm, v);
	add_in_the_walk(&w, wt);
}

/* One page of four is in a fault: the others do not wait for it. */
CASE(the_other_pages_are_added_meanwhile)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 4 };
	WT_ARG(add, a, .flags = KVM_WTRACK_ADD_F_NOWAIT,
	       .changes = (uintptr_t)&c, .nr_changes = 1);
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record r;
	struct slow page;

	/* Whatever faulted before the module was there is over. */
	wt_add(wt->fd, VM_REAL_PAGE / PAGE, 1);
	slow_take(&page, vm->data + PAGE);
	vcpu_start(v, g_store8, VM_DATA + PAGE, 1, 5, 8);
	slow_wait(&page);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(a.out_nr_changes, 1);
	if (paging_is_nested()) {
		CHECK_EQ(c.out_done, 3);
		CHECK_EQ(c.out_failed, 1);
		CHECK_EQ(c.out_error, EAGAIN);
		CHECK_EQ(c.out_error_gfn, VM_DATA_GFN + 1);
	}
	slow_give(&page);
	vcpu_join(v);
	while (wt_take(wt, &r))
		CHECK_EQ(r.gpa / PAGE, VM_DATA_GFN + 1);
	wt_remove(wt->fd, VM_DATA_GFN, 1);
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN + 1), 0);
}

/* What the guard disarmed is armed again, whatever another page waits for. */
CASE(another_page_is_armed_again_meanwhile)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm), *other = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct mirror m;
	struct slow page;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	mirror_init(&m, wt, vm->data, 1);
	slow_take(&page, vm->data + PAGE);
	vcpu_start(v, g_store8, VM_DATA + PAGE, 1, 5, 8);
	slow_wait(&page);
	vcpu_call(other, g_fstp, VM_DATA, 0, 1);
	mirror_step(&m);
	CHECK_EQ(mirror_disarmed(&m), 1);
	mirror_rearmed(&m);
	/* The same for one that was removed. */
	wt_remove(wt->fd, VM_DATA_GFN, 1);
	CHECK_SOON(!__wt_add_page_nowait(wt->fd, VM_DATA_GFN));
	vcpu_call(other, g_store8, VM_DATA, 7, 5, 8);
	slow_give(&page);
	vcpu_join(v);
	mirror_finish(&m);
}

#define PI_AT	8

INNER_CODE(g_inner_fstp, "fninit\n fldpi", "fstpl 8(%rdi)");
/* The inner guest says that it is there, and waits for the byte at rsi. */
INNER_CODE(g_inner_wait_fstp,
	   "movb $1, 1(%rsi)\n 1: cmpb $0, (%rsi)\n je 1b\n fninit\n fldpi",
	   "fstpl 8(%rdi)");

struct nested {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void nested_init(struct nested *n, struct guest_code code,
			const unsigned char *start, const unsigned char *left)
{
	bool vmx = inner_is_vmx();
	const uint64_t args[6] = { VM_DATA, VM_REAL_PAGE, INNER_RDX(vmx),
				   INNER_RCX(vmx) };
	struct inner inner;

	n->vm = vm_new(INNER_PAGES);
	n->v = vcpu_new(n->vm);
	n->wt = wt_session(n->vm->fd, 64, 0);
	inner_fill(n->v);
	vcpu_load(n->v, code, args);
	inner = (struct inner){
		.rip = vcpu_code_rip(n->v) + (start - code.start),
		.left = vcpu_code_rip(n->v) + (left - code.start),
		.nested = paging_is_nested(),
	};
	inner_load(n->v, &inner);
}

static double nested_value(const struct nested *n)
{
	double value;

	memcpy(&value, n->vm->data + PI_AT, sizeof(value));
	return value;
}

/* KVM does not emulate the store, and an inner guest gets no second try. */
CASE(a_store_of_a_guest_of_the_guest)
{
	struct nested n;
	struct slow page;

	nested_init(&n, g_inner_fstp, g_inner_fstp_inner, g_inner_fstp_left);
	wt_add(n.wt->fd, VM_REAL_PAGE / PAGE, 1);
	slow_take(&page, n.vm->data);
	vcpu_go(n.v);
	slow_wait(&page);
	CHECK_ERRNO(__wt_add_page_nowait(n.wt->fd, VM_DATA_GFN), EAGAIN);
	CHECK_ERRNO(__wt_add_page_nowait(n.wt->fd, VM_DATA_GFN + 1), 0);
	slow_give(&page);
	vcpu_join(n.v);
	CHECK(nested_value(&n) > 3.14 && nested_value(&n) < 3.15);
	CHECK_ERRNO(__wt_add_page(n.wt->fd, VM_DATA_GFN), 0);
}

/*
 * The page tables that lead to the store are not mapped in the VMM at the moment,
 * as when they were swapped out: KVM brings them in, the guard cannot.
 */
CASE(a_store_of_a_guest_of_the_guest_whose_page_tables_are_away)
{
	struct kvm_wtrack_record r;
	struct nested n;

	nested_init(&n, g_inner_wait_fstp, g_inner_wait_fstp_inner,
		    g_inner_wait_fstp_left);
	vcpu_go(n.v);
	CHECK_SOON(__atomic_load_n(n.vm->low + VM_REAL_PAGE + 1,
				   __ATOMIC_SEQ_CST));
	wt_add(n.wt->fd, VM_DATA_GFN, 1);
	CHECK_SYS(!madvise(n.vm->data + INNER_PML4 * PAGE, 3 * PAGE,
			   MADV_DONTNEED));
	__atomic_store_n(n.vm->low + VM_REAL_PAGE, 1, __ATOMIC_SEQ_CST);
	vcpu_join(n.v);
	CHECK(nested_value(&n) > 3.14 && nested_value(&n) < 3.15);
	CHECK(wt_take(n.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_DISARMED);
	CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_NESTED);
}
