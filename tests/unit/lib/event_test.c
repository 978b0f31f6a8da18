// SPDX-License-Identifier: GPL-2.0-or-later
/* What an event tells, for each type and whatever stands in the record. */
#include "test.h"

static const struct wtrack_event *event_of(struct kvm_wtrack_record *record)
{
	return (const struct wtrack_event *)record;
}

static void write_event_tells_everything(void **state)
{
	struct kvm_wtrack_record record = {
		.seq = 1234567890123, .type = KVM_WTRACK_RECORD_WRITE,
		.flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP,
		.vcpu = 300, .len = 8, .total = 8, .gpa = 0x123456789abc,
		.time_ns = 42, .rip = 0xffffffff81000000, .data = "12345678",
	};
	const struct wtrack_event *event = event_of(&record);
	uint64_t rip = 0;

	(void)state;
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_WRITE);
	assert_int_equal(wtrack_event_get_seq(event), 1234567890123);
	assert_int_equal(wtrack_event_get_time_ns(event), 42);
	assert_int_equal(wtrack_event_get_gpa(event), 0x123456789abc);
	assert_int_equal(wtrack_event_get_gfn(event), 0x123456789);
	assert_int_equal(wtrack_event_get_len(event), 8);
	assert_int_equal(wtrack_event_get_total(event), 8);
	assert_ptr_equal(wtrack_event_get_data(event), record.data);
	assert_int_equal(wtrack_event_get_vcpu(event), 300);
	assert_int_equal(wtrack_event_get_rip(event, &rip), 0);
	assert_int_equal(rip, 0xffffffff81000000);
	assert_false(wtrack_event_has_more(event));
	assert_false(wtrack_event_is_page(event));
	assert_int_equal(wtrack_event_get_nr_pages(event), 0);
	assert_int_equal(wtrack_event_get_nr_tracked(event), 0);
	assert_int_equal(wtrack_event_get_action(event), 0);
	assert_int_equal(wtrack_event_get_cause(event), WTRACK_CAUSE_NONE);
}

static void unknown_vcpu_and_rip_are_enodata(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE, .vcpu = 3, .rip = 5,
	};
	uint64_t rip = 77;

	(void)state;
	assert_int_equal(wtrack_event_get_vcpu(event_of(&record)), -ENODATA);
	assert_int_equal(wtrack_event_get_rip(event_of(&record), &rip),
			 -ENODATA);
	assert_int_equal(rip, 77);
}

static void a_write_without_data_says_so(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE, .total = 1000,
		.flags = KVM_WTRACK_RECORD_F_NO_DATA |
			 KVM_WTRACK_RECORD_F_PAGE,
	};

	(void)state;
	assert_false(wtrack_event_has_data(event_of(&record)));
	assert_true(wtrack_event_is_page(event_of(&record)));
	assert_int_equal(wtrack_event_get_len(event_of(&record)), 0);
	assert_int_equal(wtrack_event_get_total(event_of(&record)), 1000);
	record.flags = 0xffff & ~KVM_WTRACK_RECORD_F_NO_DATA;
	assert_true(wtrack_event_has_data(event_of(&record)));
	record.type = KVM_WTRACK_RECORD_GUARD;
	assert_false(wtrack_event_has_data(event_of(&record)));
}

static void highest_vcpu_is_not_an_error(void **state)
{
	struct kvm_wtrack_record record = {
		.flags = KVM_WTRACK_RECORD_F_VCPU, .vcpu = UINT16_MAX,
	};

	(void)state;
	assert_int_equal(wtrack_event_get_vcpu(event_of(&record)), UINT16_MAX);
}

static void each_mode_is_its_own(void **state)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };

	(void)state;
	record.flags = KVM_WTRACK_RECORD_F_L2;
	assert_true(wtrack_event_is_l2(event_of(&record)));
	assert_false(wtrack_event_is_smm(event_of(&record)));
	record.flags = KVM_WTRACK_RECORD_F_SMM;
	assert_false(wtrack_event_is_l2(event_of(&record)));
	assert_true(wtrack_event_is_smm(event_of(&record)));
	record.flags = 0xffff & ~(KVM_WTRACK_RECORD_F_L2 |
				  KVM_WTRACK_RECORD_F_SMM);
	assert_false(wtrack_event_is_l2(event_of(&record)));
	assert_false(wtrack_event_is_smm(event_of(&record)));
}

static void each_flag_is_its_own(void **state)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };

	(void)state;
	record.flags = KVM_WTRACK_RECORD_F_MORE;
	assert_true(wtrack_event_has_more(event_of(&record)));
	assert_false(wtrack_event_is_page(event_of(&record)));
	record.flags = KVM_WTRACK_RECORD_F_PAGE;
	assert_false(wtrack_event_has_more(event_of(&record)));
	assert_true(wtrack_event_is_page(event_of(&record)));
	assert_false(wtrack_event_is_once(event_of(&record)));
	record.flags = KVM_WTRACK_RECORD_F_ONCE;
	assert_true(wtrack_event_is_once(event_of(&record)));
	assert_false(wtrack_event_is_page(event_of(&record)));
}

static void region_event_tells_what_was_removed(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_REGION_REMOVED,
		.len = 24, .total = 24, .gpa = 0x7000,
		.region = { .nr_pages = 512, .nr_tracked = 3 },
	};
	const struct wtrack_event *event = event_of(&record);

	(void)state;
	assert_int_equal(wtrack_event_get_type(event),
			 WTRACK_EVENT_REGION_REMOVED);
	assert_int_equal(wtrack_event_get_gfn(event), 7);
	assert_int_equal(wtrack_event_get_nr_pages(event), 512);
	assert_int_equal(wtrack_event_get_nr_tracked(event), 3);
	assert_int_equal(wtrack_event_get_len(event), 0);
	assert_int_equal(wtrack_event_get_total(event), 0);
}

static void other_types_have_no_address_and_no_data(void **state)
{
	static const uint8_t types[] = {
		0, KVM_WTRACK_RECORD_RESYNC, KVM_WTRACK_RECORD_VM_GONE, 6, 255,
	};
	struct kvm_wtrack_record record;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types); i++) {
		memset(&record, 0xff, sizeof(record));
		record.type = types[i];
		assert_int_equal(wtrack_event_get_type(event_of(&record)),
				 types[i]);
		assert_int_equal(wtrack_event_get_gpa(event_of(&record)), 0);
		assert_int_equal(wtrack_event_get_gfn(event_of(&record)), 0);
		assert_int_equal(wtrack_event_get_len(event_of(&record)), 0);
		assert_int_equal(wtrack_event_get_total(event_of(&record)), 0);
		assert_int_equal(wtrack_event_get_nr_pages(event_of(&record)),
				 0);
		assert_int_equal(wtrack_event_get_nr_tracked(event_of(&record)),
				 0);
		assert_int_equal(wtrack_event_get_action(event_of(&record)), 0);
		assert_int_equal(wtrack_event_get_cause(event_of(&record)),
				 WTRACK_CAUSE_NONE);
	}
}

static void guard_event_tells_what_was_done_and_why(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP,
		.vcpu = 2, .len = 24, .total = 24, .gpa = 0x7ff8, .rip = 99,
		.guard = { KVM_WTRACK_GUARD_DISARMED,
			   KVM_WTRACK_CAUSE_PAGE_WALK },
	};
	const struct wtrack_event *event = event_of(&record);
	uint64_t rip = 0;

	(void)state;
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_GUARD);
	assert_int_equal(wtrack_event_get_action(event), WTRACK_GUARD_DISARMED);
	assert_int_equal(wtrack_event_get_cause(event), WTRACK_CAUSE_PAGE_WALK);
	assert_int_equal(wtrack_event_get_gpa(event), 0x7ff8);
	assert_int_equal(wtrack_event_get_gfn(event), 7);
	assert_int_equal(wtrack_event_get_vcpu(event), 2);
	assert_int_equal(wtrack_event_get_rip(event, &rip), 0);
	assert_int_equal(rip, 99);
	assert_false(wtrack_event_is_page(event));
	assert_int_equal(wtrack_event_get_len(event), 0);
	assert_int_equal(wtrack_event_get_total(event), 0);
	assert_int_equal(wtrack_event_get_nr_pages(event), 0);
	assert_int_equal(wtrack_event_get_nr_tracked(event), 0);
}

/* The worker that arms a page is no vCPU. */
static void rearmed_page_is_to_be_reread(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_PAGE,
		.gpa = 0x7000, .guard = { KVM_WTRACK_GUARD_REARMED },
	};

	(void)state;
	assert_int_equal(wtrack_event_get_action(event_of(&record)),
			 WTRACK_GUARD_REARMED);
	assert_int_equal(wtrack_event_get_cause(event_of(&record)),
			 WTRACK_CAUSE_NONE);
	assert_true(wtrack_event_is_page(event_of(&record)));
	assert_int_equal(wtrack_event_get_vcpu(event_of(&record)), -ENODATA);
}

/* Whatever a newer module says is handed on. */
static void actions_and_causes_are_not_interpreted(void **state)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_GUARD };
	uint32_t n;

	(void)state;
	for (n = 0; n < 100; n++) {
		record.guard.action = n;
		record.guard.cause = UINT32_MAX - n;
		assert_int_equal(wtrack_event_get_action(event_of(&record)), n);
		assert_int_equal(wtrack_event_get_cause(event_of(&record)),
				 UINT32_MAX - n);
	}
}

static void length_never_leaves_the_record(void **state)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };
	uint32_t len;

	(void)state;
	for (len = 0; len <= UINT8_MAX; len++) {
		record.len = (uint8_t)len;
		assert_int_equal(wtrack_event_get_len(event_of(&record)),
				 len < 24 ? len : 24);
	}
}

/* Each part is a write of its own, and they add up to the store. */
static void long_stores_come_in_parts(void **state)
{
	unsigned char stored[1024], seen[1024];
	struct wtrack_session *session = fake_session(64, 0);
	const struct wtrack_event *event;
	uint16_t len;
	size_t sum;
	int i;

	(void)state;
	for (i = 0; i < 1024; i++)
		stored[i] = (unsigned char)(i * 7);
	for (len = 1; len <= 1024; len++) {
		memset(seen, 0, sizeof(seen));
		fake_write(0x5000, stored, len);
		for (sum = 0; (event = wtrack_session_next(session));) {
			memcpy(seen + (wtrack_event_get_gpa(event) & 0xfff),
			       wtrack_event_get_data(event),
			       wtrack_event_get_len(event));
			sum += wtrack_event_get_len(event);
			assert_int_equal(wtrack_event_get_total(event), len);
			assert_int_equal(wtrack_event_has_more(event),
					 sum < len);
		}
		wtrack_session_release(session);
		assert_int_equal(sum, len);
		assert_memory_equal(seen, stored, len);
	}
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(write_event_tells_everything),
		CASE(unknown_vcpu_and_rip_are_enodata),
		CASE(a_write_without_data_says_so),
		CASE(highest_vcpu_is_not_an_error),
		CASE(each_mode_is_its_own),
		CASE(each_flag_is_its_own),
		CASE(region_event_tells_what_was_removed),
		CASE(guard_event_tells_what_was_done_and_why),
		CASE(rearmed_page_is_to_be_reread),
		CASE(actions_and_causes_are_not_interpreted),
		CASE(other_types_have_no_address_and_no_data),
		CASE(length_never_leaves_the_record),
		CASE(long_stores_come_in_parts),
	};

	return RUN(cases);
}
