// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs that are made after the pages were added, more than the module keeps
 * places for: nothing is allocated when a vCPU faults. Its first store goes by
 * unseen, which is told, and later ones are as exact as all others.
 */
#include <sys/ioctl.h>

#include "guest.h"
#include "tap.h"
#include "trip.h"

/* More than there are to spare. They are never run. */
enum { STAND_INS = 40 };

static struct vcpu *late_vcpu(struct vm *vm)
{
	unsigned long id;

	for (id = 100; id < 100 + STAND_INS; id++)
		CHECK_SYS(ioctl(vm->fd, KVM_CREATE_VCPU, id) >= 0);
	return vcpu_new(vm);
}

CASE(the_first_store_of_a_vcpu_without_a_place_is_told)
{
	struct trip t;
	struct vcpu *v;

	trip_init_plain(&t, 2);
	v = late_vcpu(t.vm);
	vcpu_call(v, g_store8, VM_DATA, 7, 100, 8);
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.guard[KVM_WTRACK_GUARD_DISARMED]
			       [KVM_WTRACK_CAUSE_NEW_VCPU], 1);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_DISARMED), 1);
	trip_wait(&t);
	mirror_finish(&t.mirror);
}

static void knows_who(void *arg, const struct kvm_wtrack_record *r)
{
	CHECK_EQ(r->type, KVM_WTRACK_RECORD_WRITE);
	CHECK(r->flags & KVM_WTRACK_RECORD_F_VCPU);
	CHECK_EQ(r->vcpu, *(const unsigned int *)arg);
}

CASE(then_it_has_one)
{
	struct trip t;
	struct vcpu *v;

	trip_init_plain(&t, 2);
	v = late_vcpu(t.vm);
	vcpu_call(v, g_store8, VM_DATA, 7, 100, 8);
	trip_wait(&t);
	t.mirror.writes = 0;
	t.mirror.look = knows_who;
	t.mirror.look_arg = &v->id;
	vcpu_call(v, g_store8, VM_DATA, 9, 100, 8);
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.writes, 100);
	mirror_finish(&t.mirror);
}
