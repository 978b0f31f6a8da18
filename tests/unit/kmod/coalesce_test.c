// SPDX-License-Identifier: GPL-2.0-or-later
/* At most one unread record for each gfn, and no store goes unseen. */
#include "machine.h"

static struct machine m;

static void store(u32 page, u64 value)
{
	machine_store(&m, 0, page, 8, (const u8 *)&value, 8);
}

static u64 merged(void)
{
	return atomic64_read(&m.session.ring.merged);
}

static void stores_to_a_page_with_an_unread_record_merge_into_it(void **state)
{
	const struct kvm_wtrack_record *record;
	u64 first = 0x1111;

	(void)state;
	machine_init(&m, 3, 8, true);
	store(0, first);
	store(0, 0x2222);
	store(1, 0x3333);
	store(0, 0x4444);
	assert_int_equal(kwt_ring_head(&m.session.ring), 2);
	assert_int_equal(merged(), 2);
	record = session_record(&m.session, 0);
	assert_int_equal(record->flags, KVM_WTRACK_RECORD_F_PAGE |
					KVM_WTRACK_RECORD_F_VCPU |
					KVM_WTRACK_RECORD_F_RIP);
	assert_int_equal(record->gpa, (m.gfns[0] << KWT_PAGE_SHIFT) + 8);
	assert_memory_equal(record->data, &first, 8);

	assert_int_equal(machine_read(&m, 1), 1);
	store(0, 0x5555);
	store(1, 0x6666);
	assert_int_equal(kwt_ring_head(&m.session.ring), 3);
	assert_int_equal(machine_read(&m, 8), 2);
	assert_int_equal(machine_read(&m, 8), 0);
	machine_check(&m);
	machine_exit(&m);
}

static void a_long_store_is_one_record_with_its_first_bytes(void **state)
{
	static u8 data[200] = { 1, 2, 3, 4 };
	const struct kvm_wtrack_record *record;
	u32 len;

	(void)state;
	machine_init(&m, 1, 4, true);
	for (len = 1; len <= sizeof(data); len++) {
		machine_store(&m, 0, 0, 0, data, len);
		record = session_record(&m.session, len - 1);
		assert_non_null(record);
		assert_int_equal(record->total, len);
		assert_int_equal(record->len, len < KVM_WTRACK_DATA_BYTES ?
					      len : KVM_WTRACK_DATA_BYTES);
		assert_memory_equal(record->data, data, record->len);
		assert_false(record->flags & KVM_WTRACK_RECORD_F_MORE);
		assert_true(record->flags & KVM_WTRACK_RECORD_F_PAGE);
		assert_int_equal(machine_read(&m, 1), 1);
	}
	machine_check(&m);
	machine_exit(&m);
}

static void a_store_that_found_no_room_leaves_no_claim(void **state)
{
	u32 i;

	(void)state;
	machine_init(&m, 4, 4, true);
	for (i = 0; i < 4; i++)
		store(i, i);
	assert_int_equal(atomic64_read(&m.session.ring.resync_writes), 2);
	assert_int_equal(merged(), 0);
	while (machine_read(&m, 4))
		;
	machine_check(&m);
	store(3, 99);
	assert_int_equal(merged(), 0);
	assert_int_equal(machine_read(&m, 1), 1);
	machine_check(&m);
	machine_exit(&m);
}

/* Whoever adds a page looks at it then, and not at what came before. */
static void a_page_added_anew_does_not_merge_into_an_old_record(void **state)
{
	(void)state;
	machine_init(&m, 4, 8, true);
	store(0, 1);
	assert_int_equal(session_remove(&m.session, m.gfns[0]), 1);
	assert_int_equal(session_add(&m.session, m.gfns[0]), 1);
	store(0, 2);
	assert_int_equal(merged(), 0);
	assert_int_equal(machine_read(&m, 4), 2);
	machine_check(&m);
	machine_exit(&m);
}

/* The reader alone moves his position: what is unread stays so meanwhile. */
static void check_unread(void)
{
	const struct kvm_wtrack_record *record;
	u64 pos, head = kwt_ring_head(&m.session.ring);
	u64 seen[MACHINE_PAGES];
	u32 n = 0, i;

	for (pos = m.pos; pos < head; pos++) {
		record = session_record(&m.session, pos);
		if (!record)
			continue;
		shim_require(record->type == KVM_WTRACK_RECORD_WRITE);
		for (i = 0; i < n; i++)
			shim_require(seen[i] != record->gpa >> KWT_PAGE_SHIFT);
		shim_require(n < m.nr_pages);
		seen[n++] = record->gpa >> KWT_PAGE_SHIFT;
	}
}

static void one_round(struct team *team, struct test_random *r, u32 records)
{
	bool busy;
	u32 i;

	for (i = 0; i < MACHINE_VCPUS; i++)
		m.random[i] = test_random(test_next(r));
	team_go(team);
	for (;;) {
		busy = team_busy(team);
		check_unread();
		if (!machine_read(&m, 1 + test_below(r, records)) && !busy)
			break;
		if (test_one_in(r, 4))
			sched_yield();
	}
	machine_check(&m);
	shim_require(!atomic64_read(&m.session.ring.overflows));
	shim_require(m.write_records + merged() ==
		     (u64)m.stores * MACHINE_VCPUS);
}

/* And whatever is said of one record holds with many vCPUs. */
static void a_ring_with_two_more_places_than_pages_never_overflows(void **state)
{
	struct test_random r = test_random(900);
	u32 round, n = test_rounds(2500), records;
	struct team team;
	u64 total = 0;

	(void)state;
	team_start(&team, MACHINE_VCPUS, machine_vcpu, &m);
	shim_race_odds = 16;
	for (round = 0; round < n; round++) {
		records = 4 << test_below(&r, 3);
		machine_init(&m, records - 2, records, true);
		m.stores = 1 + test_below(&r, 50);
		m.longest = 30;
		one_round(&team, &r, records);
		total += merged();
		machine_exit(&m);
	}
	team_end(&team);
	assert_true(total > 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(stores_to_a_page_with_an_unread_record_merge_into_it),
		CASE(a_long_store_is_one_record_with_its_first_bytes),
		CASE(a_store_that_found_no_room_leaves_no_claim),
		CASE(a_page_added_anew_does_not_merge_into_an_old_record),
		CASE(a_ring_with_two_more_places_than_pages_never_overflows),
	};

	return RUN(cases);
}
