// SPDX-License-Identifier: GPL-2.0-or-later
/* A budget: so many stores to each page in each period, then none for a while. */
#include <string.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { PERIOD_MS = 400, LATE_MS = 1000 };

struct budget {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
	struct mirror mirror;
	uint64_t disarmed_ns, rearmed_ns;
};

static void look(void *arg, const struct kvm_wtrack_record *r)
{
	struct budget *b = arg;

	if (r->type != KVM_WTRACK_RECORD_GUARD)
		return;
	if (r->guard.action == KVM_WTRACK_GUARD_REARMED)
		b->rearmed_ns = r->time_ns;
	if (r->guard.action != KVM_WTRACK_GUARD_DISARMED)
		return;
	b->disarmed_ns = r->time_ns;
	CHECK_EQ(r->guard.cause, KVM_WTRACK_CAUSE_BUDGET);
	CHECK_EQ(r->flags, KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP);
	CHECK_EQ(r->vcpu, b->v->index);
	CHECK_EQ(r->rip, vcpu_code_rip(b->v));
}

static void follow(struct budget *b, struct wt *wt, uint64_t pages)
{
	b->wt = wt;
	wt_add(wt->fd, VM_DATA_GFN, pages);
	mirror_init(&b->mirror, wt, b->vm->data, pages);
	b->mirror.look = look;
	b->mirror.look_arg = b;
}

static void budget_init(struct budget *b, uint64_t pages, uint32_t budget,
			uint32_t period_ms)
{
	b->vm = vm_new(pages);
	b->v = vcpu_new(b->vm);
	follow(b, wt_session_budget(b->vm->fd, 65536, 0, budget,
				    period_ms),
	       pages);
}

static uint64_t over(const struct mirror *m)
{
	return m->guard[KVM_WTRACK_GUARD_DISARMED][KVM_WTRACK_CAUSE_BUDGET];
}

CASE(after_exactly_the_budget_a_page_is_disarmed_for_the_period)
{
	struct kvm_wtrack_status s;
	struct budget b;
	uint64_t ms;

	budget_init(&b, 1, 10, PERIOD_MS);
	vcpu_call(b.v, g_store8, VM_DATA, 1, 100, 8);
	mirror_step(&b.mirror);
	CHECK_EQ(b.mirror.writes, 10);
	CHECK_EQ(over(&b.mirror), 1);
	CHECK_EQ(wt_gfn_state(b.wt->fd, VM_DATA_GFN),
		 KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED);
	mirror_rearmed(&b.mirror);
	ms = (b.rearmed_ns - b.disarmed_ns) / 1000000;
	tap_note("armed again after %llu ms", (unsigned long long)ms);
	CHECK(ms + 50 >= PERIOD_MS && ms <= PERIOD_MS + LATE_MS);
	CHECK_EQ(mirror_differs(&b.mirror), PAGE);
	wt_status(b.wt->fd, &s);
	CHECK_EQ(s.out_disarms, 1);
	CHECK_EQ(s.out_over_budget, 1);
	CHECK_EQ(s.out_rearms, 1);
}

CASE(a_page_has_its_budget_in_each_period)
{
	struct budget b;
	unsigned int i;

	budget_init(&b, 1, 10, 200);
	for (i = 0; i < 5; i++) {
		vcpu_call(b.v, g_store8, VM_DATA, i, 30, 8);
		mirror_rearmed(&b.mirror);
		CHECK_EQ(b.mirror.writes, 10 * (i + 1));
		CHECK_EQ(over(&b.mirror), i + 1);
	}
	mirror_finish(&b.mirror);
}

CASE(stores_that_are_within_the_budget_are_all_there)
{
	struct budget b;
	unsigned int i;

	budget_init(&b, 1, 50, 100);
	for (i = 0; i < 20; i++) {
		vcpu_call(b.v, g_store8, VM_DATA, i, 20, 8);
		sleep_ms(110);
		mirror_step(&b.mirror);
	}
	CHECK_EQ(b.mirror.writes, 20 * 20);
	CHECK_EQ(over(&b.mirror), 0);
	mirror_finish(&b.mirror);
}

CASE(of_two_budgets_the_larger_one_counts)
{
	struct budget b;
	struct kvm_wtrack_status s;
	struct wt *small;

	b.vm = vm_new(1);
	b.v = vcpu_new(b.vm);
	small = wt_session_budget(b.vm->fd, 4096, 0, 5, 8 * PERIOD_MS);
	wt_add(small->fd, VM_DATA_GFN, 1);
	follow(&b, wt_session_budget(b.vm->fd, 4096, 0, 20, 8 * PERIOD_MS),
	       1);
	vcpu_call(b.v, g_store8, VM_DATA, 1, 100, 8);
	mirror_step(&b.mirror);
	CHECK_EQ(b.mirror.writes, 20);
	CHECK_EQ(over(&b.mirror), 1);
	CHECK_EQ(wt_drain(small), 21);
	wt_status(small->fd, &s);
	CHECK_EQ(s.out_over_budget, 1);
}

/* (to, from, 0, bytes) */
GUEST_CODE(g_movsb, "rep movsb\n hlt");

/* (address, bytes): string stores to the same place, without an end. */
GUEST_CODE(g_stosb_forever,
	"cld\n"
	"mov %rdi, %rbx\n"
	"1: inc %rax\n"
	"mov %rbx, %rdi\n"
	"mov %rsi, %rcx\n"
	"rep stosb\n"
	"jmp 1b");

/* KVM goes on with the instruction for 1,024 elements, and tells of each. */
CASE(a_string_instruction_is_recorded_up_to_the_budget)
{
	struct kvm_wtrack_status s;
	struct budget b;
	unsigned int i;

	b.vm = vm_new(2);
	b.v = vcpu_new(b.vm);
	follow(&b, wt_session_budget(b.vm->fd, 64, 0, 10, PERIOD_MS), 1);
	for (i = 0; i < 3; i++) {
		memset(b.vm->data + PAGE, i + 1, PAGE);
		vcpu_call(b.v, g_movsb, VM_DATA, VM_DATA + PAGE, 0, 1000);
		mirror_step(&b.mirror);
		CHECK_EQ(b.mirror.writes, 10 * (i + 1));
		CHECK_EQ(over(&b.mirror), i + 1);
		mirror_rearmed(&b.mirror);
		CHECK_EQ(mirror_differs(&b.mirror), PAGE);
	}
	wt_status(b.wt->fd, &s);
	CHECK_EQ(s.out_events, 3 * (10 + 2));
}

/* The mirror takes no record of a page between DISARMED and REARMED. */
static void store_strings(uint32_t flags, unsigned int budget)
{
	struct budget b = { .vm = vm_new(2) };
	struct vcpu *v[2];
	unsigned int i;

	b.v = vcpu_new(b.vm);
	v[0] = b.v;
	v[1] = vcpu_new(b.vm);
	b.wt = wt_session_budget(b.vm->fd, 65536, flags, budget, 20);
	wt_add(b.wt->fd, VM_DATA_GFN, 2);
	mirror_init(&b.mirror, b.wt, b.vm->data, 2);
	vcpu_start(v[0], g_stosb_forever, VM_DATA, 700);
	vcpu_start(v[1], g_stosb_forever, VM_DATA + 800, PAGE);
	while (over(&b.mirror) < (host_is_debug() ? 20 : 60)) {
		mirror_step(&b.mirror);
		sleep_ms(1);
	}
	for (i = 0; i < 2; i++)
		vcpu_stop(v[i]);
	mirror_finish(&b.mirror);
	tap_note("%llu records of stores, %llu times disarmed",
		 (unsigned long long)b.mirror.writes,
		 (unsigned long long)over(&b.mirror));
	if (!flags)
		CHECK(b.mirror.writes <= (over(&b.mirror) + 2) * 2 * budget);
}

CASE_WITHIN(string_instructions_of_two_vcpus_stop_being_recorded, 60)
{
	store_strings(0, 50);
}

CASE_WITHIN(so_they_do_in_a_coalescing_session, 60)
{
	store_strings(KVM_WTRACK_RING_F_COALESCE, 5);
}

/* Long enough for many periods; each of them tracked would take an hour. */
static uint64_t store_millions_ms(struct vcpu *v)
{
	uint64_t began = clock_ns();

	vcpu_call(v, g_store8, VM_DATA, 1, 100 * 1000000, 0);
	return (clock_ns() - began) / 1000000;
}

CASE_WITHIN(a_hundred_million_stores_to_one_page_take_little_longer, 90)
{
	struct budget b;
	struct vm *vm = vm_new(1);
	uint64_t plain = store_millions_ms(vcpu_new(vm)), ms;

	budget_init(&b, 1, 64, 50);
	ms = store_millions_ms(b.v);
	mirror_rearmed(&b.mirror);
	mirror_finish(&b.mirror);
	tap_note("%llu ms with 64 stores in 50 ms, %llu ms untracked, "
		 "%llu records, %llu times disarmed",
		 (unsigned long long)ms, (unsigned long long)plain,
		 (unsigned long long)b.mirror.writes,
		 (unsigned long long)over(&b.mirror));
	CHECK(ms < 4 * plain + 1000);
}
