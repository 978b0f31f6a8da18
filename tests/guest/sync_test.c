// SPDX-License-Identifier: GPL-2.0-or-later
/* A vCPU does not go on before the reader has released what it stored. */
#include <string.h>
#include <unistd.h>

#include "genl.h"
#include "guest.h"
#include "sync.h"
#include "tap.h"

#define A	VM_DATA
#define B	(VM_DATA + PAGE)

/*
 * g_store8_forever counts: into the first page, which is tracked, then into the
 * second one, which is not, and so on.
 */
enum { PAGES = 2 };

struct pair {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void pair_init(struct pair *p)
{
	p->vm = vm_new(PAGES);
	p->v = vcpu_new(p->vm);
	p->wt = wt_session_sync(p->vm->fd, 4096);
	wt_add(p->wt->fd, VM_DATA_GFN, 1);
}

static void pair_start(struct pair *p)
{
	pair_init(p);
	vcpu_start(p->v, g_store8_forever, A, PAGES);
}

static unsigned int rounds(unsigned int stock)
{
	return host_is_debug() ? stock / 10 : stock;
}

/* Exactly behind the store that the record tells of. */
static bool is_behind(const struct vm *vm, const struct kvm_wtrack_record *rec)
{
	uint64_t value = sync_word(rec->data);

	return sync_word(vm->data) == value &&
	       sync_word(vm->data + PAGE) == value - 1;
}

/* The record is in there already when read(2) or the ring tells of it. */
CASE_WITHIN(the_next_instruction_comes_after_the_release, 60)
{
	unsigned int n = 0, want = rounds(500);
	struct kvm_wtrack_record rec;
	bool behind, more;
	struct pair p;

	pair_start(&p);
	while (n < want) {
		tap_trying("store %u", n);
		sync_hold(p.wt, &rec);
		sync_nap();
		behind = is_behind(p.vm, &rec);
		more = wt_peek(p.wt);
		if (sync_is_held(p.wt, 1)) {
			CHECK(behind && !more);
			n++;
		}
		wt_release(p.wt);
	}
	CHECK(wt_sync_waits(p.wt->fd) >= want);
	tap_note("%u stores, the reader was late %llu times", want,
		 (unsigned long long)wt_sync_timeouts(p.wt->fd));
	wt_close(p.wt);
	vcpu_stop(p.v);
}

CASE_WITHIN(what_read_returns_is_released, 60)
{
	unsigned int n = 0, want = rounds(500);
	struct kvm_wtrack_record rec;
	uint64_t timeouts = 0, last = 0;
	struct pair p;

	pair_start(&p);
	while (n < want) {
		CHECK_SYS(read(p.wt->fd, &rec, sizeof(rec)) == sizeof(rec));
		if (rec.type != KVM_WTRACK_RECORD_WRITE)
			continue;
		/* It went on behind the last one, and not behind others. */
		if (wt_sync_timeouts(p.wt->fd) == timeouts) {
			CHECK_EQ(sync_word(rec.data), last ? last + 2 : 1);
			n++;
		}
		last = sync_word(rec.data);
		timeouts = wt_sync_timeouts(p.wt->fd);
	}
	CHECK_EQ(wt_look(p.wt->fd).out_signalled, 0);
	wt_close(p.wt);
	vcpu_stop(p.v);
}

/* Each vCPU for its own record: what is behind that is not its matter. */
CASE_WITHIN(a_vcpu_waits_for_its_own_record, 60)
{
	unsigned int n = 0, want = rounds(200);
	struct vm *vm = vm_new(4);
	struct vcpu *v[2] = { vcpu_new(vm), vcpu_new(vm) };
	struct wt *wt = wt_session_sync(vm->fd, 4096);
	struct kvm_wtrack_record first, second;
	uint64_t timeouts;
	bool behind;

	/* Pages 0 and 2 are tracked; each vCPU has two neighbours. */
	wt_add(wt->fd, VM_DATA_GFN, 1);
	wt_add(wt->fd, VM_DATA_GFN + 2, 1);
	vcpu_start(v[0], g_store8_forever, A, 2);
	vcpu_start(v[1], g_store8_forever, A + 2 * PAGE, 2);
	while (n < want) {
		tap_trying("round %u", n);
		timeouts = wt_sync_timeouts(wt->fd);
		if (!sync_try_hold(wt, &first, 2) || !wt_peek(wt)) {
			wt_release(wt);
			continue;
		}
		second = *wt_peek(wt);
		CHECK(first.vcpu != second.vcpu);
		/* The first one goes on, to its next record; the other does not. */
		wt_release(wt);
		if (second.flags & KVM_WTRACK_RECORD_F_ASYNC)
			continue;
		while (!sync_is_held(wt, 2) &&
		       wt_sync_timeouts(wt->fd) == timeouts &&
		       !sync_is_past(second.time_ns))
			sync_nap();
		behind = sync_word(vm->data + second.gpa - A) ==
				 sync_word(second.data) &&
			 sync_word(vm->data + second.gpa - A + PAGE) ==
				 sync_word(second.data) - 1;
		if (!sync_is_held(wt, 2) || wt_sync_timeouts(wt->fd) != timeouts)
			continue;
		CHECK(behind);
		CHECK(sync_word(vm->data + first.gpa - A + PAGE) >
		      sync_word(first.data));
		n++;
	}
	wt_close(wt);
	vcpu_stop(v[0]);
	vcpu_stop(v[1]);
}

/*
 * In so many rounds in which the vCPU waited for all of it, the reader does something
 * before it releases, and the guest stands right behind its store.
 */
static void stay_behind(struct pair *p, unsigned int want,
			void (*meanwhile)(struct pair *p))
{
	struct kvm_wtrack_record rec;
	unsigned int n = 0;
	bool behind;

	while (n < want) {
		tap_trying("round %u", n);
		sync_hold(p->wt, &rec);
		meanwhile(p);
		behind = is_behind(p->vm, &rec);
		if (sync_is_held(p->wt, 1)) {
			CHECK(behind);
			n++;
		}
		wt_release(p->wt);
	}
}

static void nap(struct pair *p)
{
	(void)p;
	sync_nap();
}

/* What the reader may want to do before it releases. */
static void make_calls(struct pair *p)
{
	struct wt *other = wt_session(p->vm->fd, 64, 0);

	CHECK(wt_fence(p->wt->fd) >= p->wt->next);
	wt_remove_fence(p->wt->fd, VM_DATA_GFN, 1);
	CHECK_ERRNO(__wt_add_page_nowait(p->wt->fd, VM_DATA_GFN), 0);
	wt_add(other->fd, VM_DATA_GFN, PAGES);
	wt_remove_fence(other->fd, VM_DATA_GFN, 1);
	wt_fence(other->fd);
	wt_query_pages(p->wt->fd);
	wt_close(other);
}

/* It may be the reader who calls, for whom the vCPU waits. */
CASE_WITHIN(no_call_waits_for_a_vcpu_that_waits, 60)
{
	struct pair p;

	pair_start(&p);
	stay_behind(&p, rounds(20), make_calls);
	wt_close(p.wt);
	vcpu_stop(p.v);
}

/* A reader that does nothing costs the guest its time once. */
CASE_WITHIN(nobody_waits_for_a_reader_that_is_late, 60)
{
	unsigned int n = 0, async = 0;
	struct kvm_wtrack_record rec;
	struct kvm_wtrack_status st;
	struct pair p;

	pair_start(&p);
	CHECK_SOON(wt_sync_timeouts(p.wt->fd) == 1);
	/* Until the ring is full, and then for a while. */
	CHECK_SOON((wt_status(p.wt->fd, &st), st.out_resync_writes > 100));
	CHECK_EQ(st.out_sync_timeouts, 1);
	CHECK_EQ(st.out_sync_waits, 1);
	for (; wt_peek(p.wt) && wt_peek(p.wt)->type == KVM_WTRACK_RECORD_WRITE;
	     p.wt->next++) {
		rec = *wt_peek(p.wt);
		CHECK_EQ(!!(rec.flags & KVM_WTRACK_RECORD_F_ASYNC), async > 0 || n > 0);
		async += !!(rec.flags & KVM_WTRACK_RECORD_F_ASYNC);
		n++;
	}
	CHECK_EQ(n, 4096 - 2);
	CHECK_EQ(async, n - 1);
	/* When it is in step again, the guest waits again. */
	sync_hold(p.wt, &rec);
	CHECK(sync_word(rec.data) > 4096);
	wt_close(p.wt);
	vcpu_stop(p.v);
}

/* In step is who has released all; not who has caught up with the time-out. */
CASE_WITHIN(a_late_reader_is_in_step_when_it_has_released_all, 60)
{
	const uint64_t args[6] = { A, 1, 1, 0 };
	struct kvm_wtrack_record rec;
	unsigned int i;
	struct pair p;

	pair_init(&p);
	for (i = 0; i < 3; i++)
		__vcpu_call(p.v, g_store8, args);
	CHECK_EQ(wt_sync_timeouts(p.wt->fd), 1);
	CHECK(wt_take(p.wt, &rec) && !(rec.flags & KVM_WTRACK_RECORD_F_ASYNC));
	CHECK(wt_take(p.wt, &rec) && rec.flags & KVM_WTRACK_RECORD_F_ASYNC);
	__vcpu_call(p.v, g_store8, args);
	CHECK_EQ(wt_sync_timeouts(p.wt->fd), 1);
	CHECK(wt_take(p.wt, &rec) && rec.flags & KVM_WTRACK_RECORD_F_ASYNC);
	CHECK(wt_take(p.wt, &rec) && rec.flags & KVM_WTRACK_RECORD_F_ASYNC);
	__vcpu_call(p.v, g_store8, args);
	CHECK_EQ(wt_sync_timeouts(p.wt->fd), 2);
	CHECK(wt_take(p.wt, &rec) && !(rec.flags & KVM_WTRACK_RECORD_F_ASYNC));
}

/* Elements that KVM emulates in a row, and halves of a store across pages. */
GUEST_CODE(g_stosq,
	"cld\n"
	"mov %rsi, %rax\n"
	"mov %rdx, %rcx\n"
	"rep stosq\n"
	"hlt");

/*
 * The vCPU runs from the start until it has made all its stores of 8 bytes, and
 * has waited behind each: at each record, the later ones are not in memory.
 * False when the reader was late.
 */
static bool waits_behind_each(struct guest_code code, uint64_t gpa,
			      const uint64_t *gpas, unsigned int nr)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_sync(vm->fd, 64);
	struct kvm_wtrack_record rec;
	bool in_time = true;
	unsigned int i, j;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vcpu_start(v, code, gpa, ~0ULL, nr);
	for (i = 0; i < nr && in_time; i++) {
		if (sync_try_hold(wt, &rec, 1)) {
			unsigned int stored = 0;

			CHECK_EQ(rec.gpa, gpas[i]);
			sync_nap();
			for (j = 0; j < nr; j++)
				stored += !!vm->data[gpas[j] - A];
			in_time = sync_is_held(wt, 1);
			if (in_time)
				CHECK_EQ(stored, i + 1);
		} else {
			in_time = false;
		}
		wt_release(wt);
	}
	wt_close(wt);
	vcpu_join(v);
	return in_time;
}

CASE_WITHIN(a_string_store_waits_behind_each_element, 60)
{
	uint64_t gpas[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gpas); i++)
		gpas[i] = A + 64 + 8 * i;
	while (!waits_behind_each(g_stosq, gpas[0], gpas, ARRAY_SIZE(gpas)))
		;
}

GUEST_CODE(g_across,
	"mov %rsi, (%rdi)\n"
	"hlt");

CASE_WITHIN(a_store_across_pages_waits_behind_each_half, 60)
{
	const uint64_t gpas[] = { B - 3, B };

	while (!waits_behind_each(g_across, gpas[0], gpas, ARRAY_SIZE(gpas)))
		;
}

GUEST_CODE(g_ins,
	"cld\n"
	"mov %rsi, %rcx\n"
	"mov $0x77, %edx\n"
	"rep insb\n"
	"movb $1, (%r8)\n"
	"hlt");

static void *run_ins(void *arg)
{
	struct vcpu *v = arg;

	while (vcpu_run(v) == KVM_EXIT_IO)
		memset((char *)v->run + v->run->io.data_offset, 'x',
		       v->run->io.count);
	return NULL;
}

/* 100 bytes: five records. False when the reader was late. */
static bool waits_behind_the_last_part(void)
{
	const uint64_t args[6] = { A, 100, 0, 0, B };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_sync(vm->fd, 64);
	bool in_time = true, behind;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_load(v, g_ins, args);
	CHECK_EQ(pthread_create(&v->thread, NULL, run_ins, v), 0);
	for (i = 1; i <= 5; i++) {
		CHECK_SOON(wt_peek(wt));
		CHECK_EQ(!!(wt_peek(wt)->flags & KVM_WTRACK_RECORD_F_MORE), i < 5);
		if (i == 5)
			break;
		wt->next++;
		wt_release(wt);
		behind = !vm->data[PAGE];
		if (!wt_sync_timeouts(wt->fd))
			CHECK(behind);
	}
	while (!sync_is_held(wt, 1) && !wt_sync_timeouts(wt->fd))
		sync_nap();
	sync_nap();
	behind = !vm->data[PAGE];
	in_time = sync_is_held(wt, 1);
	if (in_time)
		CHECK(behind);
	wt->next++;
	wt_release(wt);
	vcpu_join(v);
	CHECK_EQ(vm->data[PAGE], 1);
	wt_close(wt);
	return in_time;
}

CASE_WITHIN(a_long_store_waits_behind_its_last_part, 60)
{
	while (!waits_behind_the_last_part())
		;
}

/* Two sessions, and a vCPU that waits for both of them at once. */
struct two {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt[2];
};

static void two_start(struct two *t)
{
	unsigned int i;

	t->vm = vm_new(PAGES);
	t->v = vcpu_new(t->vm);
	for (i = 0; i < 2; i++) {
		t->wt[i] = wt_session_sync(t->vm->fd, 64);
		wt_add(t->wt[i]->fd, VM_DATA_GFN, 1);
	}
	vcpu_start(t->v, g_store8_forever, A, PAGES);
}

static void two_end(struct two *t)
{
	wt_close(t->wt[0]);
	wt_close(t->wt[1]);
	vcpu_stop(t->v);
}

/* The same store in both of them, and no reader is late. */
static bool two_hold(struct two *t, struct kvm_wtrack_record *rec)
{
	struct kvm_wtrack_record other;

	sync_take(t->wt[0], rec);
	do
		sync_take(t->wt[1], &other);
	while (sync_word(other.data) < sync_word(rec->data));
	return sync_word(other.data) == sync_word(rec->data) &&
	       sync_wait_held(t->wt[0], rec, 1) && sync_is_held(t->wt[1], 1);
}

/* One is not waited for any more, and the other one is. */
static bool two_waits_for(const struct two *t, unsigned int i,
			  const struct kvm_wtrack_record *rec)
{
	bool behind;

	sync_nap();
	behind = is_behind(t->vm, rec);
	if (!sync_is_held(t->wt[i], 1))
		return false;
	CHECK(behind);
	return true;
}

/* Each of the readers knows of the vCPU, whoever is first to release. */
CASE_WITHIN(a_vcpu_waits_for_all_sessions, 60)
{
	unsigned int n = 0, want = rounds(50), first = 0;
	struct kvm_wtrack_record rec;
	uint32_t waiters[3];
	struct two t;

	two_start(&t);
	while (n < want) {
		tap_trying("round %u", n);
		if (two_hold(&t, &rec)) {
			waiters[0] = t.wt[first]->consumer->waiters;
			waiters[1] = t.wt[!first]->consumer->waiters;
			wt_release(t.wt[first]);
			waiters[2] = wt_look(t.wt[first]->fd).out_waiters;
			/* No reader was late meanwhile. */
			if (two_waits_for(&t, !first, &rec)) {
				CHECK_EQ(waiters[0], 1);
				CHECK_EQ(waiters[1], 1);
				CHECK_EQ(waiters[2], 0);
				n++;
			}
			first = !first;
		}
		wt_release(t.wt[0]);
		wt_release(t.wt[1]);
	}
	two_end(&t);
}

/* Nor does it wait for the time to be over when the reader has gone. */
CASE_WITHIN(a_session_that_is_closed_is_not_waited_for, 60)
{
	unsigned int n = 0;
	struct kvm_wtrack_record rec;
	struct two t;

	while (n < 5) {
		two_start(&t);
		if (two_hold(&t, &rec)) {
			wt_close(t.wt[n % 2]);
			t.wt[n % 2] = wt_session(t.vm->fd, 64, 0);
			n += two_waits_for(&t, !(n % 2), &rec);
		}
		two_end(&t);
	}
}

/* Whoever holds it: an administrator ends it, and nobody releases anything. */
CASE_WITHIN(a_session_that_is_ended_is_not_waited_for, 60)
{
	WT_ARG(release, r);
	unsigned int n = 0;
	struct kvm_wtrack_record rec;
	struct two t;
	int fd;

	while (n < 5) {
		two_start(&t);
		if (two_hold(&t, &rec)) {
			fd = t.wt[n % 2]->fd;
			CHECK_ERRNO(genl_end_session(genl_session_id(fd)), 0);
			CHECK_ERRNO(__wt_release(fd, &r), ESHUTDOWN);
			n += two_waits_for(&t, !(n % 2), &rec);
		}
		two_end(&t);
	}
}

CASE(a_vm_has_so_many_synchronous_sessions_and_no_more)
{
	WT_ARG(ring, r, .records = 64, .flags = KVM_WTRACK_RING_F_SYNC,
	       .sync_us = 1);
	struct vm *vm = vm_new(1), *other = vm_new(1);
	struct wt *wt[8];
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(wt); i++)
		wt[i] = wt_session_sync(vm->fd, 64);
	fd = wt_open();
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &r), EUSERS);
	wt_session_sync(other->fd, 64);
	wt_close(wt[3]);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	fd = wt_open();
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &r), EUSERS);
	CHECK_ERRNO(genl_end_session(genl_session_id(wt[4]->fd)), 0);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	/* It does not count twice. */
	wt_close(wt[4]);
	fd = wt_open();
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &r), EUSERS);
}

/* The consumer page is the reader's to spoil: it hurts itself alone. */
CASE_WITHIN(what_a_reader_writes_to_its_page_is_not_believed, 60)
{
	static const uint64_t positions[] = { ~0ULL, 1ULL << 63, 1, 0, 1ULL << 40 };
	struct kvm_wtrack_status st;
	unsigned int i;
	struct pair p;
	uint64_t at;

	pair_start(&p);
	for (i = 0; i < 200; i++) {
		p.wt->consumer->waiters = i % 3 ? 0 : ~0U - i;
		p.wt->consumer->pos = positions[i % ARRAY_SIZE(positions)];
		wt_look(p.wt->fd);
		if (i % 7 == 0)
			CHECK_ERRNO(__wt_release(p.wt->fd, &(struct kvm_wtrack_release){
				.size = sizeof(struct kvm_wtrack_release) }), 0);
	}
	/* It goes on. */
	at = sync_word(p.vm->data);
	CHECK_SOON(sync_word(p.vm->data) > at);
	wt_status(p.wt->fd, &st);
	CHECK(wt_look(p.wt->fd).out_waiters <= 1);
	wt_close(p.wt);
	vcpu_stop(p.v);
}

static int try_ring(struct wt *wt, uint32_t flags, uint32_t sync_us)
{
	WT_ARG(ring, r, .records = 64, .flags = flags, .sync_us = sync_us);

	return __wt_ring(wt->fd, &r);
}

CASE(a_time_that_makes_no_sense_is_refused)
{
	const uint32_t sync = KVM_WTRACK_RING_F_SYNC;
	struct wt wt = { .fd = wt_open() };
	struct kvm_wtrack_info info;
	struct vm *vm = vm_new(1);

	wt_info(&info);
	CHECK(info.out_features & KVM_WTRACK_FEAT_SYNC);
	CHECK_EQ(info.out_max_sync_us, SYNC_US);
	wt_attach(wt.fd, vm->fd);
	CHECK_ERRNO(try_ring(&wt, sync, 0), EINVAL);
	CHECK_ERRNO(try_ring(&wt, 0, 1), EINVAL);
	CHECK_ERRNO(try_ring(&wt, sync, SYNC_US + 1), ERANGE);
	CHECK_ERRNO(try_ring(&wt, sync, ~0U), ERANGE);
	CHECK_ERRNO(try_ring(&wt, sync | KVM_WTRACK_RING_F_COALESCE, 1), EINVAL);
	CHECK_ERRNO(try_ring(&wt, sync | KVM_WTRACK_RING_F_NATIVE, 1), EINVAL);
	CHECK_ERRNO(try_ring(&wt, sync | KVM_WTRACK_RING_F_STOP, 1), 0);
}

static int try_restrict(struct wt *wt, uint32_t max_sync_us, uint64_t rights)
{
	WT_ARG(restrict, r, .max_sync_us = max_sync_us, .rights = rights);

	return __wt_restrict(wt->fd, &r);
}

CASE(a_restriction_bounds_the_time_or_forbids_it)
{
	const uint32_t sync = KVM_WTRACK_RING_F_SYNC;
	struct vm *vm = vm_new(1);
	struct wt wt = { .fd = wt_open() };

	wt_attach(wt.fd, vm->fd);
	CHECK_ERRNO(try_restrict(&wt, ~0U, ~KVM_WTRACK_RIGHT_SYNC), 0);
	CHECK_ERRNO(try_ring(&wt, sync, 1), EPERM);
	CHECK_ERRNO(try_ring(&wt, 0, 0), 0);
	close(wt.fd);

	wt.fd = wt_open();
	wt_attach(wt.fd, vm->fd);
	CHECK_ERRNO(try_restrict(&wt, 500, ~0ULL), 0);
	CHECK_ERRNO(try_ring(&wt, sync, 501), EPERM);
	CHECK_ERRNO(try_ring(&wt, sync, 500), 0);
	/* What the session has cannot be forbidden any more. */
	CHECK_ERRNO(try_restrict(&wt, 499, ~0ULL), EBUSY);
	CHECK_ERRNO(try_restrict(&wt, 500, ~KVM_WTRACK_RIGHT_SYNC), EBUSY);
	CHECK_ERRNO(try_restrict(&wt, 500, ~0ULL), 0);
	close(wt.fd);
}

static int tune_sync(int fd, uint32_t sync_us)
{
	WT_ARG(tune, a, .flags = KVM_WTRACK_TUNE_F_SYNC, .sync_us = sync_us);

	return __wt_tune(fd, &a);
}

static uint32_t sync_us(int fd)
{
	struct kvm_wtrack_status st;

	wt_status(fd, &st);
	return st.out_sync_us;
}

CASE(a_time_is_changed_within_its_bounds)
{
	WT_ARG(tune, odd, .sync_us = 1);
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session_sync(vm->fd, 64);
	struct wt *plain = wt_session(vm->fd, 64, 0);

	CHECK_ERRNO(tune_sync(wt->fd, 0), EINVAL);
	CHECK_ERRNO(tune_sync(wt->fd, SYNC_US + 1), ERANGE);
	CHECK_ERRNO(__wt_tune(wt->fd, &odd), EINVAL);
	CHECK_EQ(sync_us(wt->fd), SYNC_US);
	CHECK_ERRNO(tune_sync(wt->fd, 500), 0);
	CHECK_EQ(sync_us(wt->fd), 500);
	CHECK_ERRNO(try_restrict(wt, 600, ~0ULL), 0);
	CHECK_ERRNO(tune_sync(wt->fd, 601), EPERM);
	CHECK_ERRNO(tune_sync(wt->fd, 600), 0);
	CHECK_ERRNO(try_restrict(wt, 599, ~0ULL), EBUSY);
	CHECK_ERRNO(tune_sync(plain->fd, 1), EINVAL);
	CHECK_EQ(sync_us(plain->fd), 0);
}

/* A time after which a reader that does nothing is late, and then a longer one. */
CASE_WITHIN(a_vcpu_waits_for_the_new_time, 60)
{
	struct kvm_wtrack_record rec;
	unsigned int n;
	struct pair p;

	pair_init(&p);
	CHECK_ERRNO(tune_sync(p.wt->fd, 1), 0);
	vcpu_start(p.v, g_store8_forever, A, PAGES);
	/* A reader that releases at once may be in time, however short that is. */
	for (n = 1; n <= 20; n++) {
		sync_take(p.wt, &rec);
		CHECK_SOON(wt_sync_timeouts(p.wt->fd) >= n);
		wt_release(p.wt);
	}
	CHECK_ERRNO(tune_sync(p.wt->fd, SYNC_US), 0);
	stay_behind(&p, rounds(50), nap);
	wt_close(p.wt);
	vcpu_stop(p.v);
}

/*
 * More records than a vCPU makes while it waits, and longer than it waits: the
 * reader sleeps, and is woken in time all the same.
 */
CASE_WITHIN(a_reader_is_woken_at_once_whatever_the_watermark, 60)
{
	WT_ARG(ring, r, .records = 64, .watermark = 32, .latency_us = 1000000,
	       .flags = KVM_WTRACK_RING_F_SYNC, .sync_us = SYNC_US);
	unsigned int n = 0, want = rounds(200);
	struct kvm_wtrack_record rec;
	uint64_t timeouts = 0;
	struct pair p;

	p.vm = vm_new(PAGES);
	p.v = vcpu_new(p.vm);
	p.wt = &(struct wt){ .fd = wt_open() };
	wt_attach(p.wt->fd, p.vm->fd);
	CHECK_ERRNO(__wt_ring(p.wt->fd, &r), 0);
	wt_add(p.wt->fd, VM_DATA_GFN, 1);
	vcpu_start(p.v, g_store8_forever, A, PAGES);
	while (n < want) {
		CHECK_SYS(read(p.wt->fd, &rec, sizeof(rec)) == sizeof(rec));
		if (!(rec.flags & KVM_WTRACK_RECORD_F_ASYNC))
			n += wt_sync_timeouts(p.wt->fd) == timeouts;
		timeouts = wt_sync_timeouts(p.wt->fd);
		tap_trying("%u in time, %llu late", n,
			   (unsigned long long)timeouts);
	}
	close(p.wt->fd);
	vcpu_stop(p.v);
}

CASE(in_another_session_nobody_waits)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record rec;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, A, 1, 5, 0);
	CHECK_EQ(wt_look(wt->fd).out_waiters, 0);
	CHECK_EQ(wt->consumer->waiters, 0);
	CHECK_EQ(wt_sync_waits(wt->fd), 0);
	CHECK(wt_take(wt, &rec));
	CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_ASYNC));
}
