// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mirror against a model of what vCPUs and the module may do at worst: between
 * a store and its record anything may happen, for as long as it likes, in the
 * vCPU's place others store and are recorded, pages are disarmed and armed, the
 * ring is full, memory goes and comes. After each sync the copy must be what
 * memory has, and what was handed out must have led there. So must the copy of
 * what one vCPU has stored before it waits for a sync, while the others go on.
 */
#include <stdlib.h>

#include "test.h"

#define PAGE	UINT64_C(4096)

enum { PAGES = 8, VCPUS = 4, ROUNDS = 100, STEPS = 400 };
/* The last vCPU stores only there, and is the only one that does. */
enum { LONE_VCPU = VCPUS - 1, LONE_GFN = PAGES - 1 };

/* A store that is in memory, and has no record yet. */
struct pending {
	bool made;
	uint64_t nr;
	uint64_t gpa;
	uint16_t len, told;
	unsigned char data[60];
	bool stale;		/* the page was armed again behind it */
	bool reserved;		/* its record has this place, and is not published */
	uint64_t pos;
};

static struct {
	uint64_t seed;
	struct pending pending[VCPUS];
	bool armed[PAGES];
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	unsigned char told[PAGES][PAGE];
	uint64_t stores, ahead;
	bool slow_vcpu;		/* a fence may give up waiting */
	bool memory_changes;	/* goes and comes */
	bool waits;		/* the lone vCPU, for a sync */
	uint64_t returns;
} m;

static uint64_t chance(uint64_t n)
{
	m.seed = m.seed * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (m.seed >> 33) % n;
}

static bool is_seen(uint64_t gfn)
{
	return fake.tracked[gfn] && m.armed[gfn] && !fake.away[gfn];
}

static void mark_resync(uint64_t gfn)
{
	/* The module's way of saying so: the ring is full. */
	fake.resync[gfn] = true;
}

static struct kvm_wtrack_record record_of(unsigned int vcpu)
{
	const struct pending *p = &m.pending[vcpu];

	return (struct kvm_wtrack_record) {
		.type = KVM_WTRACK_RECORD_WRITE,
		.flags = KVM_WTRACK_RECORD_F_VCPU |
			 (p->stale ? KVM_WTRACK_RECORD_F_PAGE : 0),
		.vcpu = (uint16_t)vcpu,
		.total = p->len,
	};
}

static void fill_record(struct kvm_wtrack_record *r, const struct pending *p)
{
	r->len = p->len - p->told > 24 ? 24 : p->len - p->told;
	r->gpa = p->gpa + p->told;
	memcpy(r->data, p->data + p->told, r->len);
	r->flags &= (uint16_t)~KVM_WTRACK_RECORD_F_MORE;
	if (p->told + r->len < p->len)
		r->flags |= KVM_WTRACK_RECORD_F_MORE;
}

/* Others may have later places meanwhile, and publish them. */
static void reserve(unsigned int vcpu)
{
	struct pending *p = &m.pending[vcpu];

	if (p->reserved || p->len > 24 || !is_seen(p->gpa / PAGE) ||
	    fake_ring_closed() || fake_unread() + 1 > fake.ring.records - 2)
		return;
	p->reserved = true;
	p->pos = fake_reserve();
}

/* As much as fits into one record at a time, all of it at one moment. */
static void publish(unsigned int vcpu)
{
	struct pending *p = &m.pending[vcpu];
	struct kvm_wtrack_record r = record_of(vcpu);
	uint64_t gfn = p->gpa / PAGE;
	uint32_t nr = (p->len + 23U) / 24;

	p->made = false;
	p->told = 0;
	if (p->reserved) {
		p->reserved = false;
		fill_record(&r, p);
		fake_publish_at(p->pos, &r);
		return;
	}
	if (!is_seen(gfn))
		return;
	if (fake_ring_closed() ||
	    fake_unread() + nr > fake.ring.records - 2) {
		mark_resync(gfn);
		fake_close_ring();
		return;
	}
	for (; p->told < p->len; p->told += r.len) {
		fill_record(&r, p);
		fake_publish(&r);
	}
}

static uint64_t some_gfn(unsigned int vcpu)
{
	return vcpu == LONE_VCPU ? LONE_GFN : chance(LONE_GFN);
}

/* Few places, so that vCPUs meet. */
static void store(unsigned int vcpu)
{
	static const uint16_t lens[] = { 1, 2, 4, 8, 8, 8, 16, 24, 60 };
	struct pending *p = &m.pending[vcpu];
	unsigned int i;

	if (p->made)
		publish(vcpu);
	p->stale = false;
	p->len = lens[chance(sizeof(lens) / sizeof(lens[0]))];
	p->gpa = some_gfn(vcpu) * PAGE + chance(2) * 2048 + chance(12) * 4;
	if (fake.absent[p->gpa / PAGE])
		return;
	p->made = true;
	for (i = 0; i < p->len; i++)
		p->data[i] = (unsigned char)chance(256);
	fake_memory_write(p->gpa, p->data, p->len);
	p->nr = ++m.stores;
	/* Not seen: it has no record either. */
	if (!is_seen(p->gpa / PAGE))
		p->made = false;
}

static void tell_guard(uint64_t gfn, uint32_t action)
{
	struct kvm_wtrack_record r = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = gfn * PAGE,
		.guard.action = action,
	};

	if (action != KVM_WTRACK_GUARD_DISARMED)
		r.flags = KVM_WTRACK_RECORD_F_PAGE;
	if (fake_ring_closed() || fake_unread() + 1 > fake.ring.records - 2) {
		mark_resync(gfn);
		fake_close_ring();
	} else {
		fake_publish(&r);
	}
}

static void disarm(uint64_t gfn)
{
	if (!is_seen(gfn))
		return;
	m.armed[gfn] = false;
	fake.disarmed[gfn] = true;
	tell_guard(gfn, KVM_WTRACK_GUARD_DISARMED);
}

/* Stores of before that are not recorded yet are stale from here on. */
static void arm(uint64_t gfn)
{
	unsigned int i;

	if (m.armed[gfn] || fake.away[gfn])
		return;
	m.armed[gfn] = true;
	fake.disarmed[gfn] = false;
	for (i = 0; i < VCPUS; i++)
		if (m.pending[i].gpa / PAGE == gfn && !m.pending[i].reserved)
			m.pending[i].stale = true;
	if (fake.tracked[gfn])
		tell_guard(gfn, KVM_WTRACK_GUARD_REARMED);
}

/* The mirror has the module arm pages that the guard had disarmed. */
static void arm_what_is_asked_for(void)
{
	uint64_t gfn;

	for (gfn = 0; gfn < PAGES; gfn++)
		if (fake.tracked[gfn] && !fake.disarmed[gfn])
			arm(gfn);
}

/* A store that nobody is told the bytes of. */
static void store_silently(unsigned int vcpu)
{
	uint64_t gfn = some_gfn(vcpu), word = chance(UINT64_MAX);

	if (m.pending[vcpu].made)
		publish(vcpu);
	if (fake.absent[gfn])
		return;
	fake_memory_write(gfn * PAGE + chance(20) * 8, &word, 8);
	if (is_seen(gfn))
		tell_guard(gfn, KVM_WTRACK_GUARD_CHANGED);
}

/* KVM waits for stores that are under way. */
static void remove_memory(uint64_t gfn)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		if (m.pending[i].made && m.pending[i].gpa / PAGE == gfn)
			publish(i);
	fake_region_removed(gfn, 1);
}

/* It is other memory. */
static void bring_memory(uint64_t gfn)
{
	uint64_t word = chance(UINT64_MAX);

	fake_memory_write(gfn * PAGE + chance(20) * 8, &word, 8);
	m.armed[gfn] = true;
	m.returns += fake.away[gfn];
	fake_region_added(gfn, 1, 0);
}

static void change_memory(void)
{
	uint64_t gfn = chance(PAGES);

	if (fake.absent[gfn])
		bring_memory(gfn);
	else
		remove_memory(gfn);
}

static void some_vcpu(void)
{
	unsigned int vcpu = (unsigned int)chance(m.waits ? LONE_VCPU : VCPUS);

	switch (chance(32)) {
	case 0:
		store_silently(vcpu);
		break;
	case 1:
		disarm(chance(PAGES));
		break;
	case 2:
		arm(chance(PAGES));
		break;
	case 3:
		if (m.memory_changes)
			change_memory();
		break;
	case 4 ... 15:
		if (m.pending[vcpu].made)
			publish(vcpu);
		break;
	case 16 ... 19:
		if (m.pending[vcpu].made)
			reserve(vcpu);
		break;
	default:
		store(vcpu);
	}
}

static void some_vcpus(void)
{
	uint64_t nr;

	for (nr = chance(12); nr && m.ahead; nr--)
		some_vcpu();
}

/*
 * A fence waits for what is under way when it is called, and returns the number of the
 * last record there is when it has waited: vCPUs go on meanwhile, and some of what they
 * store has a record by then. It gives up for a vCPU that is slow, of which it says that
 * its page may have changed.
 */
static void fence(struct kvm_wtrack_fence *args)
{
	uint64_t awaited[VCPUS];
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		awaited[i] = m.pending[i].made ? m.pending[i].nr : 0;
	for (i = 0; i < VCPUS; i++) {
		some_vcpus();
		if (!m.pending[i].made || m.pending[i].nr != awaited[i])
			continue;
		if (m.slow_vcpu && !i && is_seen(m.pending[i].gpa / PAGE))
			tell_guard(m.pending[i].gpa / PAGE,
				   KVM_WTRACK_GUARD_CHANGED);
		else
			publish(i);
	}
	args->out_seq = fake_head();
}

static void in_resync(void)
{
	some_vcpus();
}

/* vCPUs go on while the mirror is in a call. */
static void meanwhile(unsigned long request, void *args)
{
	if (request == KVM_WTRACK_ADD || request == KVM_WTRACK_REARM)
		arm_what_is_asked_for();
	if (request == KVM_WTRACK_FENCE)
		fence(args);
	if (request == KVM_WTRACK_READ || request == KVM_WTRACK_FENCE)
		some_vcpus();
}

static void follow(const struct wtrack_change *change)
{
	unsigned char *told;

	if (change->what == WTRACK_CHANGED_STATE)
		return;
	told = &m.told[change->gpa / PAGE][change->gpa % PAGE];
	assert_memory_equal(told, change->old_bytes, change->len);
	memcpy(told, change->new_bytes, change->len);
}

static void update(void)
{
	const struct wtrack_change *change;
	int r;

	while ((r = wtrack_mirror_update(m.mirror, &change)) > 0) {
		follow(change);
		if (!chance(4))
			some_vcpu();
	}
	assert_int_equal(r, 0);
}

static void change_pages(void)
{
	const struct wtrack_range range = { chance(PAGES), 1 };
	bool has = wtrack_mirror_page(m.mirror, range.gfn);
	unsigned int i;

	if (has) {
		assert_int_equal(wtrack_mirror_remove(m.mirror, &range, 1), 0);
		for (i = 0; i < VCPUS; i++)
			if (m.pending[i].gpa / PAGE != range.gfn)
				continue;
			else if (m.pending[i].reserved)
				publish(i);
			else
				m.pending[i].made = false;
		return;
	}
	/* Adding arms. */
	arm(range.gfn);
	assert_int_equal(wtrack_mirror_add(m.mirror, &range, 1, NULL, 0), 0);
	memcpy(m.told[range.gfn], wtrack_mirror_page(m.mirror, range.gfn),
	       PAGE);
}

static void compare(uint64_t gfn)
{
	const void *copy = wtrack_mirror_page(m.mirror, gfn);
	unsigned char memory[PAGE];

	if (!copy)
		return;
	assert_memory_equal(copy, m.told[gfn], PAGE);
	if (fake.absent[gfn])
		return;
	fake_memory_read(gfn * PAGE, memory, PAGE);
	assert_memory_equal(copy, memory, PAGE);
}

/* The lone vCPU rings a doorbell: it has finished its store, and waits. */
static void ring_doorbell(void)
{
	const struct wtrack_change *change;
	int r;

	if (m.pending[LONE_VCPU].made)
		publish(LONE_VCPU);
	m.waits = true;
	while ((r = wtrack_mirror_sync(m.mirror, &change)) > 0) {
		follow(change);
		some_vcpus();
	}
	assert_int_equal(r, 0);
	if (!m.memory_changes)
		compare(LONE_GFN);
	m.waits = false;
}

/* All vCPUs stand still from here on. */
static void sync_and_compare(void)
{
	const struct wtrack_change *change;
	uint64_t gfn;
	int r;

	m.ahead = 0;
	m.slow_vcpu = false;
	while ((r = wtrack_mirror_sync(m.mirror, &change)) > 0)
		follow(change);
	assert_int_equal(r, 0);
	for (gfn = 0; gfn < PAGES; gfn++) {
		if (!wtrack_mirror_page(m.mirror, gfn))
			continue;
		compare(gfn);
		assert_int_equal(wtrack_mirror_get_state(m.mirror, gfn) ==
				 WTRACK_MIRROR_ABSENT, fake.absent[gfn]);
	}
}

static struct wtrack_mirror_status run_round(uint32_t seed, uint32_t records,
					     bool slow_vcpu, bool sticky)
{
	const unsigned int flags = sticky ? WTRACK_RING_STICKY : 0;
	const struct wtrack_range all = { 0, PAGES };
	struct wtrack_mirror_status status;
	unsigned int stop, i;

	memset(&m, 0, sizeof(m));
	memset(m.armed, true, sizeof(m.armed));
	m.seed = seed;
	m.memory_changes = sticky;
	m.session = fake_session(records, flags);
	fake.distort = meanwhile;
	fake.in_resync = in_resync;
	assert_int_equal(wtrack_mirror_new(m.session, NULL, 0, &m.mirror), 0);
	assert_int_equal(wtrack_mirror_add(m.mirror, &all, 1, NULL, 0), 0);
	for (i = 0; i < PAGES; i++)
		memcpy(m.told[i], wtrack_mirror_page(m.mirror, i), PAGE);
	for (stop = 0; stop < 4; stop++) {
		m.ahead = 1;
		m.slow_vcpu = slow_vcpu;
		for (i = 0; i < STEPS; i++) {
			some_vcpu();
			if (!chance(16))
				update();
			if (!chance(32))
				ring_doorbell();
			if (!chance(64))
				change_pages();
		}
		sync_and_compare();
	}
	assert_int_equal(wtrack_mirror_get_status(m.mirror, &status,
						  sizeof(status)), 0);
	wtrack_mirror_close(m.mirror);
	wtrack_session_close(m.session);
	return status;
}

static void run_rounds(void **state, uint32_t records, bool slow_vcpu,
		       bool sticky)
{
	uint64_t conflicts = 0, resyncs = 0, returns = 0;
	struct wtrack_mirror_status status;
	uint32_t seed;

	for (seed = 1; seed <= ROUNDS; seed++) {
		status = run_round(seed, records, slow_vcpu, sticky);
		conflicts += status.conflicts;
		resyncs += status.resyncs;
		returns += m.returns;
		fake_teardown(state);
		fake_setup(state);
	}
	assert_true(conflicts > ROUNDS);
	assert_true(resyncs > ROUNDS || records > 16);
	assert_true(returns > ROUNDS || !sticky);
}

static void the_copy_is_what_memory_has(void **state)
{
	run_rounds(state, 1024, false, false);
}

static void so_it_is_when_the_ring_overflows(void **state)
{
	run_rounds(state, 16, false, false);
}

static void so_it_is_when_a_vcpu_is_slow(void **state)
{
	run_rounds(state, 1024, true, false);
}

static void so_it_is_when_a_vcpu_is_slow_and_the_ring_overflows(void **state)
{
	run_rounds(state, 16, true, false);
}

static void so_it_is_when_memory_goes_and_comes(void **state)
{
	run_rounds(state, 1024, true, true);
}

static void so_it_is_when_memory_goes_and_the_ring_overflows(void **state)
{
	run_rounds(state, 16, true, true);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_copy_is_what_memory_has),
		CASE(so_it_is_when_the_ring_overflows),
		CASE(so_it_is_when_a_vcpu_is_slow),
		CASE(so_it_is_when_a_vcpu_is_slow_and_the_ring_overflows),
		CASE(so_it_is_when_memory_goes_and_comes),
		CASE(so_it_is_when_memory_goes_and_the_ring_overflows),
	};

	return RUN(cases);
}
