// SPDX-License-Identifier: GPL-2.0-or-later
/* Structs that grow from version to version: info and status. */
#include "test.h"

static void every_field_of_info_comes_from_the_module(void **state)
{
	struct wtrack_info info;

	(void)state;
	fake.info.out_features = KVM_WTRACK_FEAT_VCPU | KVM_WTRACK_FEAT_RIP;
	fake.info.out_max_pages = 11;
	fake.info.out_min_records = 12;
	fake.info.out_max_records = 13;
	fake.info.out_max_sessions = 14;
	fake.info.out_max_users = 15;
	fake.info.out_max_ranges = 16;
	fake.info.out_max_latency_us = 17;
	fake.info.out_max_budget = 18;
	fake.info.out_max_period_ms = 19;
	fake.info.out_backoff_min_ms = 20;
	fake.info.out_backoff_max_ms = 21;
	fake.info.out_max_sync_us = 22;
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), 0);
	assert_int_equal(info.features, WTRACK_FEAT_VCPU | WTRACK_FEAT_RIP);
	assert_int_equal(info.max_pages, 11);
	assert_int_equal(info.min_records, 12);
	assert_int_equal(info.max_records, 13);
	assert_int_equal(info.max_sessions, 14);
	assert_int_equal(info.max_users, 15);
	assert_int_equal(info.max_ranges, 16);
	assert_int_equal(info.max_latency_us, 17);
	assert_int_equal(info.data_bytes, KVM_WTRACK_DATA_BYTES);
	assert_int_equal(info.max_budget, 18);
	assert_int_equal(info.max_period_ms, 19);
	assert_int_equal(info.backoff_min_ms, 20);
	assert_int_equal(info.backoff_max_ms, 21);
	assert_int_equal(info.max_sync_us, 22);
}

static void every_field_of_status_comes_from_the_module(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_status status;

	(void)state;
	fake.status = (struct kvm_wtrack_status) {
		.out_state = KVM_WTRACK_STATE_ATTACHED |
			     KVM_WTRACK_STATE_VM_GONE,
		.out_vm_pid = -1, .out_vm_id = 2, .out_session_id = 3,
		.out_records = 4, .out_unread = 5, .out_pages = 6,
		.out_max_pages = 7, .out_events = 8, .out_merged = 9,
		.out_overflows = 10, .out_resync_writes = 11,
		.out_regions_removed = 12, .out_wakeups = 13,
		.out_memory_bytes = 14, .out_vm_memory_bytes = 15,
		.out_disarms = 16, .out_over_budget = 17,
		.out_rearms = 18, .out_unreported = 19, .out_absent = 20,
		.out_sync_waits = 21, .out_sync_timeouts = 22,
	};
	assert_int_equal(wtrack_session_get_status(session, &status,
						   sizeof(status)), 0);
	assert_int_equal(status.state, WTRACK_STATE_ATTACHED |
				       WTRACK_STATE_VM_GONE);
	assert_int_equal(status.vm_pid, -1);
	assert_int_equal(status.vm_id, 2);
	assert_int_equal(status.session_id, 3);
	assert_int_equal(status.records, 4);
	assert_int_equal(status.unread, 5);
	assert_int_equal(status.pages, 6);
	assert_int_equal(status.max_pages, 7);
	assert_int_equal(status.events, 8);
	assert_int_equal(status.merged, 9);
	assert_int_equal(status.overflows, 10);
	assert_int_equal(status.resync_writes, 11);
	assert_int_equal(status.regions_removed, 12);
	assert_int_equal(status.wakeups, 13);
	assert_int_equal(status.memory_bytes, 14);
	assert_int_equal(status.vm_memory_bytes, 15);
	assert_int_equal(status.disarms, 16);
	assert_int_equal(status.over_budget, 17);
	assert_int_equal(status.rearms, 18);
	assert_int_equal(status.unreported, 19);
	assert_int_equal(status.absent, 20);
	assert_int_equal(status.sync_waits, 21);
	assert_int_equal(status.sync_timeouts, 22);
	wtrack_session_close(session);
}

static void older_callers_get_the_fields_they_know(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_status status;
	struct wtrack_info info;

	(void)state;
	memset(&info, 0xee, sizeof(info));
	assert_int_equal(wtrack_get_info(&info, sizeof(info.features)), 0);
	assert_int_equal(info.features, FAKE_FEATURES);
	assert_int_equal(info.max_pages, 0xeeeeeeeeeeeeeeee);
	memset(&status, 0xee, sizeof(status));
	assert_int_equal(wtrack_session_get_status(session, &status, 4), 0);
	assert_int_equal(status.state, WTRACK_STATE_ATTACHED);
	assert_int_equal(status.vm_pid, (int)0xeeeeeeee);
	wtrack_session_close(session);
}

static void newer_callers_get_zeros_behind(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct {
		struct wtrack_status known;
		uint64_t newer[3];
		uint64_t behind;
	} status;
	struct {
		struct wtrack_info known;
		uint64_t newer;
		uint64_t behind;
	} info;

	(void)state;
	memset(&status, 0xee, sizeof(status));
	assert_int_equal(wtrack_session_get_status(session, &status.known,
				offsetof(__typeof__(status), behind)), 0);
	assert_int_equal(status.newer[0] | status.newer[1] | status.newer[2],
			 0);
	assert_int_equal(status.behind, 0xeeeeeeeeeeeeeeee);
	memset(&info, 0xee, sizeof(info));
	assert_int_equal(wtrack_get_info(&info.known,
				offsetof(__typeof__(info), behind)), 0);
	assert_int_equal(info.newer, 0);
	assert_int_equal(info.behind, 0xeeeeeeeeeeeeeeee);
	wtrack_session_close(session);
}

static void failures_store_nothing(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_status status;
	struct wtrack_info info;

	(void)state;
	memset(&info, 0xee, sizeof(info));
	memset(&status, 0xee, sizeof(status));
	assert_int_equal(wtrack_get_info(&info, 0), -EINVAL);
	assert_int_equal(wtrack_session_get_status(session, &status, 0),
			 -EINVAL);
	fake_fail(FAKE_OPEN, 1, ENOENT);
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), -ENODEV);
	fake_fail(FAKE_INFO, 1, ENOTTY);
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), -ENOTTY);
	fake_fail(FAKE_STATUS, 1, ENOTTY);
	assert_int_equal(wtrack_session_get_status(session, &status,
						   sizeof(status)), -ENOTTY);
	assert_int_equal(info.features, 0xeeeeeeeeeeeeeeee);
	assert_int_equal(status.state, 0xeeeeeeee);
	wtrack_session_close(session);
}

static void interrupted_questions_are_repeated(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_status status;
	struct wtrack_info info;

	(void)state;
	fake_fail_times(FAKE_INFO, 1, 2, EINTR);
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), 0);
	fake_fail_times(FAKE_STATUS, 1, 2, EINTR);
	assert_int_equal(wtrack_session_get_status(session, &status,
						   sizeof(status)), 0);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(every_field_of_info_comes_from_the_module),
		CASE(every_field_of_status_comes_from_the_module),
		CASE(older_callers_get_the_fields_they_know),
		CASE(newer_callers_get_zeros_behind),
		CASE(failures_store_nothing),
		CASE(interrupted_questions_are_repeated),
	};

	return RUN(cases);
}
