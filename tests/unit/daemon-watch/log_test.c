// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries of the journal: which fields they have, and what is in them. */
#include "test.h"

#include <linux/kvm_wtrack.h>

#include "message-ids.h"
#include "watch_session.h"

static const struct watch_origin origin = {
	.watch = "doorbells", .vm_pid = 4711, .vm_name = "web",
	.session_id = 12,
};

static const struct wtrack_event *event_of(struct kvm_wtrack_record *record)
{
	return (const struct wtrack_event *)record;
}

static bool has(const struct journal_entry *entry, const char *field)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s\n", field);

	assert_true(n < (int)sizeof(line));
	return memmem(entry->bytes, entry->size, line, (size_t)n);
}

static void assert_has(const struct journal_entry *entry, const char *id,
		       const char *const *fields)
{
	char text[64];

	snprintf(text, sizeof(text), "MESSAGE_ID=%s", id);
	assert_true(has(entry, text));
	assert_true(has(entry, "WTRACK_WATCH=doorbells"));
	assert_true(has(entry, "WTRACK_VM_PID=4711"));
	assert_true(has(entry, "WTRACK_VM_NAME=web"));
	assert_true(has(entry, "WTRACK_SESSION=12"));
	assert_int_equal(entry->left_out, 0);
	for (; *fields; fields++) {
		if (!has(entry, *fields))
			print_error("no %s in\n%.*s", *fields,
				    (int)entry->size, entry->bytes);
		assert_true(has(entry, *fields));
	}
}

#define ASSERT_HAS(entry, id, ...) \
	assert_has(entry, id, (const char *const[]){ __VA_ARGS__, NULL })

static void write_has_all_of_it(void **state)
{
	struct kvm_wtrack_record record = {
		.seq = 99, .type = KVM_WTRACK_RECORD_WRITE,
		.flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP,
		.vcpu = 3, .len = 4, .total = 60, .gpa = 0x8000010,
		.time_ns = 123456789, .rip = 0xffffffff81000000,
		.data = { 1, 2, 0xfe, 0 },
	};
	struct journal_entry entry;

	(void)state;
	watch_log_write(&entry, &origin, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_WRITE, "PRIORITY=6",
		   "WTRACK_GFN=0x8000", "WTRACK_GPA=0x8000010",
		   "WTRACK_LENGTH=4", "WTRACK_TOTAL=60", "WTRACK_DATA=0102fe00",
		   "WTRACK_VCPU=3", "WTRACK_RIP=0xffffffff81000000",
		   "WTRACK_SEQ=99", "WTRACK_TIME_NS=123456789",
		   "MESSAGE=watch doorbells: VM 4711 (web): 4 bytes written to "
		   "0x8000010");
}

static void what_is_not_known_has_no_field(void **state)
{
	struct kvm_wtrack_record record = {
		.seq = 1, .type = KVM_WTRACK_RECORD_WRITE, .len = 1, .total = 1,
	};
	struct journal_entry entry;

	(void)state;
	watch_log_write(&entry, &origin, event_of(&record));
	assert_null(memmem(entry.bytes, entry.size, "WTRACK_VCPU", 11));
	assert_null(memmem(entry.bytes, entry.size, "WTRACK_RIP", 10));
}

static void steps_of_the_guard_have_names(void **state)
{
	struct kvm_wtrack_record record = {
		.seq = 5, .type = KVM_WTRACK_RECORD_GUARD, .gpa = 0x7123,
		.guard = { .action = WTRACK_GUARD_DISARMED,
			   .cause = WTRACK_CAUSE_BUDGET },
	};
	struct journal_entry entry;

	(void)state;
	watch_log_guard(&entry, &origin, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_GUARD, "WTRACK_ACTION=disarmed",
		   "WTRACK_CAUSE=budget", "WTRACK_GFN=0x7", "WTRACK_SEQ=5",
		   "MESSAGE=watch doorbells: VM 4711 (web): page 0x7 is not "
		   "observed now (budget)");
	record.guard.action = 77;
	record.guard.cause = 78;
	watch_log_guard(&entry, &origin, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_GUARD, "WTRACK_ACTION=changed",
		   "WTRACK_CAUSE=unknown");
}

static void removal_says_what_is_gone(void **state)
{
	struct kvm_wtrack_record record = {
		.seq = 6, .type = KVM_WTRACK_RECORD_REGION_REMOVED,
		.gpa = 0x7000, .time_ns = 9,
		.region = { .nr_pages = 512, .nr_tracked = 3 },
	};
	struct journal_entry entry;

	(void)state;
	watch_log_removed(&entry, &origin, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_REMOVED, "WTRACK_GFN=0x7",
		   "WTRACK_NR_PAGES=512", "WTRACK_NR_TRACKED=3",
		   "WTRACK_SEQ=6", "WTRACK_TIME_NS=9");
}

static void summary_names_pages(void **state)
{
	const struct held_back held = {
		.events = 12, .first_seq = 100, .last_seq = 111,
		.first_ns = 1, .last_ns = 2, .nr_pages = 2,
		.pages = { { 0x8000, 7 }, { 0x8001, 4 } }, .elsewhere = 1,
	};
	struct journal_entry entry;

	(void)state;
	watch_log_suppressed(&entry, &origin, &held);
	ASSERT_HAS(&entry, MESSAGE_WATCH_SUPPRESSED, "WTRACK_SUPPRESSED=12",
		   "WTRACK_SEQ_FIRST=100", "WTRACK_SEQ_LAST=111",
		   "WTRACK_PAGES=0x8000:7 0x8001:4 others:1");
}

static void resync_tells_pages_apart(void **state)
{
	const struct wtrack_resync_range ranges[] = {
		{ 0x10, 4, WTRACK_RESYNC_REREAD, 0 },
		{ 0x20, 1, WTRACK_RESYNC_DISARMED, 0 },
		{ 0x30, 2, WTRACK_RESYNC_REMOVED, 0 },
		{ 0x40, 1, WTRACK_RESYNC_REREAD, 0 },
	};
	struct journal_entry entry;

	(void)state;
	watch_log_resync(&entry, &origin, ranges, 4, true);
	ASSERT_HAS(&entry, MESSAGE_WATCH_RESYNC,
		   "WTRACK_PAGES=0x10+4 0x40+1",
		   "WTRACK_PAGES_DISARMED=0x20+1",
		   "WTRACK_PAGES_REMOVED=0x30+2", "WTRACK_LAST=1");
}

static void largest_resync_fits(void **state)
{
	struct wtrack_resync_range ranges[WATCH_LOG_RANGES];
	struct journal_entry entry;
	uint32_t what;
	size_t i;

	(void)state;
	for (what = 0; what < 3; what++) {
		for (i = 0; i < WATCH_LOG_RANGES; i++)
			ranges[i] = (struct wtrack_resync_range){
				RANGES_MAX_GFN - i, RANGES_MAX_GFN, what, 0 };
		watch_log_resync(&entry, &origin, ranges, WATCH_LOG_RANGES,
				 false);
		assert_int_equal(entry.left_out, 0);
		assert_true(has(&entry, "WTRACK_LAST=0"));
	}
}

static void add_gap(struct watch_session *session, struct watch_gap gap)
{
	session->gaps[session->nr_gaps++] = gap;
}

static void gaps_are_told_together(void **state)
{
	struct watch_session session = {
		.gaps = calloc(8, sizeof(struct watch_gap)),
	};
	struct journal_entry entry;

	(void)state;
	add_gap(&session, (struct watch_gap){
		{ 0x10, 2 }, 1000, 0, -ENOENT, false, false });
	add_gap(&session, (struct watch_gap){
		{ 0x20, 1 }, 2000, 0, -ENOENT, true, false });
	add_gap(&session, (struct watch_gap){
		{ 0x12, 2 }, 1000, 0, -ENOENT, false, false });
	assert_int_equal(watch_arm_entry(&session, &origin, &entry), 1);
	ASSERT_HAS(&entry, MESSAGE_WATCH_GAP, "WTRACK_PAGES=0x10+4",
		   "WTRACK_TIME_NS=1000", "ERRNO=2");
	watch_arm_told(&session);
	assert_int_equal(watch_arm_entry(&session, &origin, &entry), 0);

	session.gaps[1].until_ns = 5000;
	assert_int_equal(watch_arm_entry(&session, &origin, &entry), 1);
	ASSERT_HAS(&entry, MESSAGE_WATCH_REARMED, "WTRACK_PAGES=0x20+1",
		   "WTRACK_GAP_NS=3000");
	watch_arm_told(&session);
	assert_int_equal(session.nr_gaps, 2);

	session.gaps[0].until_ns = 2001000;
	session.gaps[1].until_ns = 3001000;
	assert_int_equal(watch_arm_entry(&session, &origin, &entry), 1);
	ASSERT_HAS(&entry, MESSAGE_WATCH_REARMED, "WTRACK_PAGES=0x10+4",
		   "WTRACK_GAP_NS=3000000",
		   "MESSAGE=watch doorbells: VM 4711 (web): tracked again: "
		   "0x10+4; writes were not seen for 3.000 ms");
	watch_arm_told(&session);
	assert_int_equal(session.nr_gaps, 0);
	watch_arm_clear(&session);
}

static void more_gaps_than_one_entry_holds(void **state)
{
	struct watch_session session = {
		.gaps = calloc(100, sizeof(struct watch_gap)),
	};
	struct journal_entry entry;
	unsigned int i, entries = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		add_gap(&session, (struct watch_gap){
			{ 2 * i, 1 }, 1, 2, -ENOENT, true, false });
	while (watch_arm_entry(&session, &origin, &entry) == 1) {
		watch_arm_told(&session);
		entries++;
	}
	assert_int_equal(entries, 4);
	assert_int_equal(session.nr_gaps, 0);
	watch_arm_clear(&session);
}

static void states_have_entries(void **state)
{
	const struct ratelimit limit = {
		.burst = 1000, .interval_usec = 10000000 };
	struct kvm_wtrack_record record = { .seq = 41, .type = 1 };
	struct wtrack_range range = { 0x8000, 4 };
	const struct ranges pages = { &range, 1 };
	struct journal_entry entry;

	(void)state;
	watch_log_armed(&entry, &origin, &pages);
	ASSERT_HAS(&entry, MESSAGE_WATCH_ARMED, "WTRACK_PAGES=0x8000+4");
	watch_log_resumed(&entry, &origin, 7);
	ASSERT_HAS(&entry, MESSAGE_WATCH_RESUMED, "WTRACK_SEQ_FIRST=7");
	watch_log_limited(&entry, &origin, &limit, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_LIMITED, "WTRACK_SEQ_FIRST=41");
	watch_log_overflow(&entry, &origin, event_of(&record));
	ASSERT_HAS(&entry, MESSAGE_WATCH_OVERFLOW, "WTRACK_SEQ=41");
	watch_log_ended(&entry, &origin);
	ASSERT_HAS(&entry, MESSAGE_WATCH_ENDED, "PRIORITY=6");
	watch_log_stopped(&entry, &origin, "why");
	ASSERT_HAS(&entry, MESSAGE_WATCH_STOPPED,
		   "MESSAGE=watch doorbells: VM 4711 (web): stopped: why");
	watch_log_failed(&entry, &origin, -EUSERS);
	ASSERT_HAS(&entry, MESSAGE_WATCH_FAILED, "ERRNO=87", "PRIORITY=3");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(write_has_all_of_it),
		cmocka_unit_test(what_is_not_known_has_no_field),
		cmocka_unit_test(steps_of_the_guard_have_names),
		cmocka_unit_test(removal_says_what_is_gone),
		cmocka_unit_test(summary_names_pages),
		cmocka_unit_test(resync_tells_pages_apart),
		cmocka_unit_test(largest_resync_fits),
		cmocka_unit_test(gaps_are_told_together),
		cmocka_unit_test(more_gaps_than_one_entry_holds),
		cmocka_unit_test(states_have_entries),
	};

	return RUN(cases);
}
