// SPDX-License-Identifier: GPL-2.0-or-later
/* Each record says which vCPU stored, and where its code was. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"
#include "wt.h"

enum { WHO = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP };

/* The vCPU is in the upper half of what is stored. */
extern const unsigned char g_stamp_at[];
GUEST_CODE(g_stamp,
	"mov %rsi, %rax\n"
	"1: inc %rax\n"
	".globl g_stamp_at\n"
	"g_stamp_at:\n"
	"mov %rax, (%rdi)\n"
	"dec %rdx\n"
	"jnz 1b\n"
	"hlt");

static uint64_t stamp(const struct vcpu *v)
{
	return (uint64_t)v->index << 32;
}

static void check_stamp(struct vcpu **v, const struct kvm_wtrack_record *r)
{
	uint32_t who = *(const uint64_t *)r->data >> 32;

	CHECK_EQ(r->type, KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(r->flags & WHO, WHO);
	CHECK_EQ(r->vcpu, who);
	CHECK_EQ(r->rip, vcpu_code_rip(v[who]) + (g_stamp_at - g_stamp.start));
}

static unsigned int check_stamps(struct vcpu **v, struct wt *wt)
{
	struct kvm_wtrack_record r;
	unsigned int nr = 0;

	for (; wt_take(wt, &r); nr++)
		check_stamp(v, &r);
	return nr;
}

extern const unsigned char g_many_1[], g_many_2[], g_many_3[], g_many_4[];
GUEST_CODE(g_many,
	".globl g_many_1, g_many_2, g_many_3, g_many_4\n"
	"g_many_1: movb $1, (%rdi)\n"
	"nop\n"
	"g_many_2: movl $1, 4(%rdi)\n"
	"g_many_3: lock incl 4(%rdi)\n"
	"lea 64(%rdi), %rsp\n"
	"g_many_4: push %rax\n"
	"hlt");

CASE(single_stores_carry_the_address_of_their_instruction)
{
	const unsigned char *at[] = { g_many_1, g_many_2, g_many_3, g_many_4 };
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record r;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_many, VM_DATA);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.flags, WHO);
		CHECK_EQ(r.vcpu, 0);
		CHECK_EQ(r.rip, vcpu_code_rip(v) + (at[i] - g_many.start));
	}
	CHECK(!wt_peek(wt));
}

struct many {
	struct vm *vm;
	struct vcpu *v[VM_MAX_VCPUS];
	struct wt *wt;
};

static void many_init(struct many *m)
{
	unsigned int i;

	m->vm = vm_new(1);
	for (i = 0; i < VM_MAX_VCPUS; i++)
		m->v[i] = vcpu_new(m->vm);
	m->wt = wt_session(m->vm->fd, 65536, 0);
	wt_add(m->wt->fd, VM_DATA_GFN, 1);
}

CASE(one_thread_that_runs_vcpus_in_turn_is_each_of_them)
{
	struct many m;
	unsigned int i;

	many_init(&m);
	for (i = 0; i < 400; i++)
		vcpu_call(m.v[i * 5 % VM_MAX_VCPUS], g_stamp, VM_DATA,
			  stamp(m.v[i * 5 % VM_MAX_VCPUS]), 1 + i % 3);
	CHECK_EQ(check_stamps(m.v, m.wt), 400 * 2 - 1);
}

CASE(vcpus_that_store_at_the_same_time_are_told_apart)
{
	struct many m;
	unsigned int i;

	many_init(&m);
	for (i = 0; i < VM_MAX_VCPUS; i++)
		vcpu_start(m.v[i], g_stamp, VM_DATA + 8 * i, stamp(m.v[i]),
			   2000);
	for (i = 0; i < VM_MAX_VCPUS; i++)
		vcpu_join(m.v[i]);
	CHECK_EQ(check_stamps(m.v, m.wt), VM_MAX_VCPUS * 2000);
}

/* A vCPU created after the pages were added is one of them. */
CASE(a_vcpu_that_comes_late_is_known)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct vcpu *v[2];

	wt_add(wt->fd, VM_DATA_GFN, 1);
	v[0] = vcpu_new(vm);
	v[1] = vcpu_new(vm);
	vcpu_call(v[1], g_stamp, VM_DATA, stamp(v[1]), 3);
	vcpu_call(v[0], g_stamp, VM_DATA, stamp(v[0]), 3);
	CHECK_EQ(check_stamps(v, wt), 6);
}

static void move(struct vcpu *v, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_EQ(pthread_setaffinity_np(v->thread, sizeof(set), &set), 0);
}

/* In a host with one processor they take turns on it. */
CASE_WITHIN(vcpus_whose_threads_change_places_stay_who_they_are, 60)
{
	unsigned int other = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	unsigned int i, nr = 0;
	struct many m;

	many_init(&m);
	for (i = 0; i < 2; i++)
		vcpu_start(m.v[i], g_stamp, VM_DATA + 8 * i, stamp(m.v[i]), 0);
	for (i = 0; i < 200 || nr < 10000; i++) {
		move(m.v[0], i & other);
		move(m.v[1], ~i & other);
		sleep_ms(2);
		nr += check_stamps(m.v, m.wt);
	}
	vcpu_stop(m.v[0]);
	vcpu_stop(m.v[1]);
	nr += check_stamps(m.v, m.wt);
	tap_note("%u stores, %u moves", nr, 2 * i);
}
