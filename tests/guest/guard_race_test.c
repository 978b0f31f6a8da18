// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM makes a locked store once more when another processor was faster. That
 * is a fault without a notification, and must not be taken for a store which
 * cannot be emulated. And vCPUs that fault on one page wait for the one that
 * disarms it.
 */
#include <string.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { VCPUS = 4, MOST_VCPUS = 8, WORD = 64 };

/* (address, count) */
GUEST_CODE(g_cmpxchg,
	"1: mov (%rdi), %rax\n"
	"2: lea 1(%rax), %rdx\n"
	"lock cmpxchg %rdx, (%rdi)\n"
	"jnz 2b\n"
	"dec %rsi\n"
	"jnz 1b\n"
	"hlt");
GUEST_CODE(g_xadd,
	"1: mov $1, %eax\n"
	"lock xadd %rax, (%rdi)\n"
	"dec %rsi\n"
	"jnz 1b\n"
	"hlt");
GUEST_CODE(g_cmpxchg8b,
	"1: mov (%rdi), %eax\n"
	"mov 4(%rdi), %edx\n"
	"2: mov %eax, %ebx\n"
	"mov %edx, %ecx\n"
	"add $1, %ebx\n"
	"adc $0, %ecx\n"
	"lock cmpxchg8b (%rdi)\n"
	"jnz 2b\n"
	"dec %rsi\n"
	"jnz 1b\n"
	"hlt");

static uint64_t per_vcpu(void)
{
	return host_is_debug() ? 1000 : 5000;
}

static void no_guard(void *arg, const struct kvm_wtrack_record *r)
{
	(void)arg;
	CHECK_EQ(r->type, KVM_WTRACK_RECORD_WRITE);
}

static bool all_done(struct vcpu **v)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		if (__atomic_load_n(&v[i]->run->exit_reason, __ATOMIC_ACQUIRE)
		    != KVM_EXIT_HLT)
			return false;
	return true;
}

/* The VMM joins in: its stores are seen by nobody, but make races. */
static uint64_t hammer(struct mirror *m, struct vcpu **v, uint64_t *word)
{
	uint64_t own = 0;

	while (!all_done(v)) {
		__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
		if (++own % 16 == 0)
			mirror_step(m);
	}
	return own;
}

static void race(struct guest_code code, const char *name)
{
	struct vm *vm = vm_new(1);
	uint64_t *word = (uint64_t *)(vm->data + WORD), own;
	struct wt *wt = wt_session(vm->fd, 65536, 0);
	struct vcpu *v[VCPUS];
	struct mirror m;
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		v[i] = vcpu_new(vm);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	mirror_init(&m, wt, vm->data, 1);
	m.look = no_guard;
	for (i = 0; i < VCPUS; i++)
		vcpu_start(v[i], code, VM_DATA + WORD, per_vcpu());
	own = hammer(&m, v, word);
	for (i = 0; i < VCPUS; i++)
		vcpu_join(v[i]);
	mirror_step(&m);
	CHECK_EQ(*word, own + VCPUS * per_vcpu());
	CHECK_EQ(m.resyncs, 0);
	CHECK(m.writes >= VCPUS * per_vcpu());
	tap_note("class integer/races of %s: exact", name);
	tap_note("%llu records of %llu stores, the VMM made %llu",
		 (unsigned long long)m.writes,
		 (unsigned long long)(VCPUS * per_vcpu()),
		 (unsigned long long)own);
}

CASE_WITHIN(lost_races_of_cmpxchg_do_not_trip, 90)
{
	race(g_cmpxchg, "lock cmpxchg");
}

CASE_WITHIN(lost_races_of_xadd_do_not_trip, 90)
{
	race(g_xadd, "lock xadd");
}

CASE_WITHIN(lost_races_of_cmpxchg8b_do_not_trip, 90)
{
	race(g_cmpxchg8b, "lock cmpxchg8b");
}

/* Where a vCPU stores pi, which KVM cannot emulate. */
static uint64_t *pi_of(struct vm *vm, unsigned int i)
{
	return (uint64_t *)(vm->data + WORD) + i;
}

static void store_pi(struct vm *vm, struct vcpu **v)
{
	const double pi = 3.14159265358979323846;
	unsigned int i;

	for (i = 0; i < MOST_VCPUS; i++) {
		*pi_of(vm, i) = 0;
		vcpu_start(v[i], g_fstp, VM_DATA + WORD + 8 * i, 0, 1);
	}
	for (i = 0; i < MOST_VCPUS; i++) {
		vcpu_join(v[i]);
		CHECK(!memcmp(pi_of(vm, i), &pi, sizeof(pi)));
	}
}

/*
 * Each arming ends in one DISARMED, whichever of the vCPUs was first, and the mirror
 * checks that nothing follows it before REARMED.
 */
CASE_WITHIN(eight_vcpus_store_to_one_page_that_is_disarmed, 120)
{
	const unsigned int rounds = 10;
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 4096, 0);
	struct vcpu *v[MOST_VCPUS];
	struct mirror m;
	unsigned int i;
	uint64_t nr;

	for (i = 0; i < MOST_VCPUS; i++)
		v[i] = vcpu_new(vm);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	mirror_init(&m, wt, vm->data, 1);
	for (i = 0; i < rounds; i++) {
		store_pi(vm, v);
		mirror_step(&m);
		mirror_rearmed(&m);
	}
	nr = mirror_guard(&m, KVM_WTRACK_GUARD_DISARMED);
	CHECK(nr >= rounds);
	CHECK_EQ(mirror_guard(&m, KVM_WTRACK_GUARD_REARMED), nr);
	mirror_finish(&m);
	tap_note("disarmed %llu times", (unsigned long long)nr);
}
