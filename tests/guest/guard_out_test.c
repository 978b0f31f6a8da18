// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM makes a store without telling, and the vCPU leaves KVM_RUN: for a
 * debugger, a signal, or because memory has to be brought in. Whoever looks at
 * the VM then is told that the page changed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "module.h"
#include "tap.h"

enum { PAGES = 3 };

GUEST_CODE(g_sgdt, "sgdt 8(%rdi)\n nop\n hlt");
struct out {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
	struct mirror m;
	uint64_t poll_ms;
};

/* With @alone, nobody comes by to look in the time that a case takes. */
static void init(struct out *o, struct vm *vm, bool alone)
{
	o->poll_ms = module_param("poll_ms");
	if (alone)
		module_set_param("poll_ms", 60000);
	o->vm = vm;
	o->v = vcpu_new(o->vm);
	o->wt = wt_session(o->vm->fd, 4096, 0);
	wt_add(o->wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&o->m, o->wt, o->vm->data, PAGES);
}

static struct vm *filled(void)
{
	struct vm *vm = vm_new(PAGES);

	memset(vm->data, 0x5a, PAGES * PAGE);
	return vm;
}

static void done(struct out *o)
{
	module_set_param("poll_ms", o->poll_ms);
}

static void debug(struct vcpu *v, uint32_t control)
{
	struct kvm_guest_debug d = { .control = control };

	CHECK_SYS(!ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d));
}

/* The first instruction of the code, and not the next one. */
static void step(struct out *o, struct guest_code code, uint64_t at)
{
	struct kvm_regs r;

	vcpu_load(o->v, code, (const uint64_t[6]){ at });
	debug(o->v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	CHECK_EQ(vcpu_run(o->v), KVM_EXIT_DEBUG);
	debug(o->v, 0);
	CHECK_SYS(!ioctl(o->v->fd, KVM_GET_REGS, &r));
	CHECK(r.rip > vcpu_code_rip(o->v));
	CHECK(memcmp(o->m.copy, o->vm->data, PAGES * PAGE));
}

static uint64_t changed(struct out *o)
{
	return mirror_guard(&o->m, KVM_WTRACK_GUARD_CHANGED);
}

/* All that is there by now, up to the number that a fence gave. */
static void read_to(struct out *o, uint64_t seq)
{
	mirror_step(&o->m);
	CHECK(o->wt->next >= seq);
}

static void check_exact(struct out *o, uint64_t records)
{
	CHECK_EQ(changed(o), records);
	CHECK_EQ(mirror_differs(&o->m), PAGES * PAGE);
}

CASE(a_fence_tells_of_the_store_of_a_vcpu_that_is_out)
{
	struct out o;
	unsigned int i;

	init(&o, filled(), true);
	for (i = 1; i <= 20; i++) {
		memset(o.vm->data, i, PAGE);
		memset(o.m.copy, i, PAGE);
		step(&o, g_sgdt, VM_DATA);
		read_to(&o, wt_fence(o.wt->fd));
		check_exact(&o, i);
		/* It was told of once, whoever asks again or goes on. */
		read_to(&o, wt_fence(o.wt->fd));
		vcpu_finish(o.v);
		read_to(&o, wt_fence(o.wt->fd));
		check_exact(&o, i);
		CHECK_EQ(o.m.writes, 0);
	}
	done(&o);
}

/* Where no fence was, the vCPU tells when it goes on. */
CASE(without_one_the_vcpu_tells_when_it_goes_on)
{
	struct out o;

	init(&o, filled(), true);
	step(&o, g_sgdt, VM_DATA);
	mirror_step(&o.m);
	CHECK_EQ(changed(&o), 0);
	vcpu_finish(o.v);
	mirror_step(&o.m);
	check_exact(&o, 1);
	done(&o);
}

CASE(while_the_vm_is_paused_nobody_has_to_ask)
{
	struct out o;

	init(&o, filled(), false);
	step(&o, g_sgdt, VM_DATA);
	CHECK_SOON(wt_peek(o.wt));
	mirror_step(&o.m);
	check_exact(&o, 1);
	vcpu_finish(o.v);
	mirror_step(&o.m);
	check_exact(&o, 1);
	done(&o);
}

CASE(a_page_that_is_removed_is_told_of_before)
{
	struct out o;
	unsigned int fence;

	init(&o, filled(), true);
	for (fence = 0; fence < 2; fence++) {
		memset(o.vm->data, 0x5a, PAGE);
		memset(o.m.copy, 0x5a, PAGE);
		step(&o, g_sgdt, VM_DATA);
		if (fence)
			wt_remove_fence(o.wt->fd, VM_DATA_GFN, 1);
		else
			wt_remove(o.wt->fd, VM_DATA_GFN, 1);
		mirror_step(&o.m);
		check_exact(&o, fence + 1);
		wt_add(o.wt->fd, VM_DATA_GFN, 1);
		vcpu_finish(o.v);
		mirror_step(&o.m);
		check_exact(&o, fence + 1);
	}
	done(&o);
}

CASE(the_end_of_the_vm_is_told_of_after)
{
	struct out o;

	/* The watch has to find the end: it may find the store before. */
	init(&o, filled(), false);
	step(&o, g_sgdt, VM_DATA);
	vcpu_close(o.v);
	vm_close(o.vm);
	while (!o.m.gone) {
		CHECK_SOON(wt_peek(o.wt));
		mirror_step(&o.m);
	}
	check_exact(&o, 1);
}

static int uffd_on(void *mem, uint64_t bytes)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(!ioctl(fd, UFFDIO_API, &api));
	CHECK_SYS(!ioctl(fd, UFFDIO_REGISTER, &reg));
	return fd;
}

static void zero_page(int uffd, void *at)
{
	struct uffdio_zeropage z = {
		.range = { (uintptr_t)at, PAGE },
	};

	CHECK_SYS(!ioctl(uffd, UFFDIO_ZEROPAGE, &z));
}

/*
 * The vCPU is in KVM_RUN, and nobody knows whether its store is made. Only who
 * asks is bothered with that.
 */
CASE_WITHIN(a_fence_does_not_wait_long_for_a_vcpu_that_waits_for_memory, 60)
{
	unsigned char *mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	struct pollfd missing = { .events = POLLIN };
	struct wt *other;
	uint64_t began, i;
	struct out o;

	CHECK_SYS(mem != MAP_FAILED);
	o.vm = vm_new_with(mem, PAGES);
	missing.fd = uffd_on(mem, PAGES * PAGE);
	for (i = 1; i < PAGES; i++)
		zero_page(missing.fd, mem + i * PAGE);
	o.v = vcpu_new(o.vm);
	o.wt = wt_session(o.vm->fd, 64, 0);
	other = wt_session(o.vm->fd, 64, 0);
	wt_add(o.wt->fd, VM_DATA_GFN, 1);
	wt_add(other->fd, VM_DATA_GFN, 1);
	vcpu_start(o.v, g_store8, VM_DATA, 7, 1, 8);
	CHECK_SYS(poll(&missing, 1, -1) == 1);
	for (i = 1; i <= 3; i++) {
		struct kvm_wtrack_record r;

		began = clock_ns();
		CHECK_EQ(wt_fence(o.wt->fd), i);
		CHECK(clock_ns() - began < soon_ns());
		CHECK(wt_take(o.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_CHANGED);
		CHECK_EQ(r.gpa / PAGE, VM_DATA_GFN);
		CHECK(!wt_peek(o.wt) && !wt_peek(other));
	}
	zero_page(missing.fd, mem);
	vcpu_join(o.v);
	CHECK_EQ(wt_fence(o.wt->fd), 4);
	CHECK_EQ(wt_fence(other->fd), 1);
	CHECK_EQ(*(uint64_t *)mem, 7);
}
