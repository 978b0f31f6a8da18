// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening, taking over, asking about and closing sessions. */
#include "sys.h"
#include "test.h"

static void vm_fd_stays_the_callers(void **state)
{
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session), 0);
	assert_int_equal(fake.nr_open, 1);
	wtrack_session_close(session);
	assert_int_equal(fake.nr_open, 0);
}

static void closing_null_does_nothing(void **state)
{
	(void)state;
	wtrack_session_close(NULL);
}

static void open_failure(enum fake_call call, int err, int expected)
{
	struct wtrack_session *session = UNTOUCHED;

	fake_fail(call, 1, err);
	errno = EXDEV;
	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session),
			 -expected);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fake.nr_open, 0);
}

static void failures_to_open_leave_nothing_behind(void **state)
{
	(void)state;
	open_failure(FAKE_OPEN, EMFILE, EMFILE);
	open_failure(FAKE_OPEN, EACCES, EACCES);
	open_failure(FAKE_INFO, ENOMEM, ENOMEM);
	open_failure(FAKE_ALLOC, ENOMEM, ENOMEM);
	open_failure(FAKE_ATTACH, EBADFD, EBADFD);
	open_failure(FAKE_ATTACH, EOPNOTSUPP, EOPNOTSUPP);
	open_failure(FAKE_ATTACH, ESRCH, ESRCH);
	open_failure(FAKE_ATTACH, EUSERS, EUSERS);
}

static void a_host_without_the_device_is_enodev(void **state)
{
	(void)state;
	open_failure(FAKE_OPEN, ENOENT, ENODEV);
	open_failure(FAKE_OPEN, ENXIO, ENODEV);
	open_failure(FAKE_OPEN, ENODEV, ENODEV);
}

static void eperm_of_the_device_is_eacces(void **state)
{
	(void)state;
	open_failure(FAKE_OPEN, EPERM, EACCES);
}

static void interrupted_attach_is_repeated(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake_fail_times(FAKE_ATTACH, 1, 3, EINTR);
	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session), 0);
	assert_int_equal(fake.nr_calls[FAKE_ATTACH], 4);
	wtrack_session_close(session);
}

static void other_record_formats_are_refused(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	struct wtrack_info info;

	(void)state;
	fake.info.out_record_bytes = 128;
	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session),
			 -EPROTO);
	assert_ptr_equal(session, UNTOUCHED);
	fake.info.out_record_bytes = 64;
	fake.info.out_data_bytes = 25;
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), -EPROTO);
	fake.info.out_data_bytes = KVM_WTRACK_DATA_BYTES;
	fake.info.out_max_ranges = 0;
	assert_int_equal(wtrack_get_info(&info, sizeof(info)), -EPROTO);
}

static void passed_session_without_ring_gets_one(void **state)
{
	struct wtrack_session *session;
	int fd = fake_session_fd(0);

	(void)state;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	assert_int_equal(wtrack_session_get_fd(session), fd);
	assert_int_equal(fake.nr_mapped, 0);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), 0);
	assert_int_equal(fake.nr_mapped, 2);
	wtrack_session_close(session);
}

static void passed_session_goes_on_where_the_reader_stopped(void **state)
{
	const struct wtrack_event *event;
	struct wtrack_session *session;
	int fd = fake_session_fd(8);

	(void)state;
	fake_store(1, 10);
	fake_store(2, 20);
	fake.consumer->pos = 1;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	event = wtrack_session_next(session);
	assert_non_null(event);
	assert_int_equal(wtrack_event_get_seq(event), 2);
	assert_int_equal(wtrack_event_get_gfn(event), 2);
	assert_null(wtrack_session_next(session));
	wtrack_session_close(session);
}

/* The descriptor stays open, and the caller's. */
static void take_over_failure(int fd, int expected)
{
	struct wtrack_session *session = UNTOUCHED;

	assert_int_equal(wtrack_session_open_fd(fd, &session), -expected);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_mapped, 0);
	assert_int_equal(fake.nr_allocated, 0);
}

static void a_module_that_lacks_a_feature_is_refused(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	int fd = fake_session_fd(8);
	struct wtrack_info info;
	unsigned int bit;

	(void)state;
	for (bit = 0; FAKE_FEATURES >> bit; bit++) {
		if (!(FAKE_FEATURES & 1ULL << bit))
			continue;
		fake.info.out_features = FAKE_FEATURES & ~(1ULL << bit);
		assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD,
							   &session), -EPROTO);
		assert_ptr_equal(session, UNTOUCHED);
		assert_int_equal(fake.nr_open, 1);
		take_over_failure(fd, EPROTO);
		/* It can be asked what it has. */
		assert_int_equal(wtrack_get_info(&info, sizeof(info)), 0);
		assert_int_equal(info.features, fake.info.out_features);
	}
	wtrack__sys_close(fd);
}

static void a_module_with_more_features_is_taken(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake.info.out_features = UINT64_MAX;
	assert_int_equal(wtrack_session_open_vm_fd(FAKE_VM_FD, &session), 0);
	wtrack_session_close(session);
}

static void failed_take_over_leaves_the_descriptor_alone(void **state)
{
	int fd = fake_session_fd(8);

	(void)state;
	fake_fail(FAKE_INFO, 1, ENOTTY);
	take_over_failure(fd, ENOTTY);
	fake_fail(FAKE_ALLOC, 1, ENOMEM);
	take_over_failure(fd, ENOMEM);
	fake_fail(FAKE_STATUS, 1, ENOMEM);
	take_over_failure(fd, ENOMEM);
	fake_fail(FAKE_MMAP, 1, ENOMEM);
	take_over_failure(fd, ENOMEM);
	fake_fail(FAKE_MMAP, 2, EAGAIN);
	take_over_failure(fd, EAGAIN);
	assert_int_equal(fake.nr_open, 1);
	wtrack__sys_close(fd);
}

static void only_sessions_can_be_taken_over(void **state)
{
	int other = wtrack__sys_pidfd_open(FAKE_PID);

	(void)state;
	take_over_failure(other, ENOTTY);
	take_over_failure(999, EBADF);
	wtrack__sys_close(other);
}

static void a_session_without_a_vm_is_passed_on_and_attached(void **state)
{
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_fd(
		wtrack__sys_open(KVM_WTRACK_DEVICE), &session), 0);
	assert_int_equal(wtrack_session_attach(session, 999), -EBADF);
	assert_false(fake.status.out_state & KVM_WTRACK_STATE_ATTACHED);
	assert_int_equal(wtrack_session_attach(session, FAKE_VM_FD), 0);
	assert_true(fake.status.out_state & KVM_WTRACK_STATE_ATTACHED);
	wtrack_session_close(session);
}

static void a_session_is_opened_without_a_vm(void **state)
{
	struct wtrack_session *session = UNTOUCHED;

	(void)state;
	fake_fail(FAKE_OPEN, 1, EACCES);
	assert_int_equal(wtrack_session_open(&session), -EACCES);
	fake_fail(FAKE_INFO, 1, ENOTTY);
	assert_true(wtrack_session_open(&session) < 0);
	fake_fail(FAKE_ALLOC, 1, ENOMEM);
	assert_int_equal(wtrack_session_open(&session), -ENOMEM);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_open, 0);
	assert_int_equal(wtrack_session_open(&session), 0);
	assert_int_equal(fake.nr_calls[FAKE_ATTACH], 0);
	wtrack_session_close(session);
}

static void ring_of_a_nonsense_size_is_not_mapped(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 12, UINT32_MAX };
	int fd = fake_session_fd(8);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fake.status.out_records = sizes[i];
		take_over_failure(fd, EPROTO);
	}
	wtrack__sys_close(fd);
}

static void a_ring_that_is_not_as_it_has_to_be_is_not_mapped(void **state)
{
	int fd = fake_session_fd(8);

	(void)state;
	fake.status.out_record_bytes = 128;
	take_over_failure(fd, EPROTO);
	fake.status.out_record_bytes = 64;
	fake.status.out_records_bytes = 4096;
	take_over_failure(fd, EPROTO);
	fake.status.out_records_bytes = 512;
	fake.status.out_consumer_bytes = 7;
	take_over_failure(fd, EPROTO);
	wtrack__sys_close(fd);
}

static void distort_record_bytes(unsigned long request, void *args)
{
	if (request == KVM_WTRACK_RING)
		((struct kvm_wtrack_ring *)args)->out_record_bytes = 128;
}

static void a_made_ring_of_larger_records_is_eproto(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	fake.distort = distort_record_bytes;
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0),
			 -EPROTO);
	fake.distort = NULL;
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(vm_fd_stays_the_callers),
		CASE(closing_null_does_nothing),
		CASE(failures_to_open_leave_nothing_behind),
		CASE(a_host_without_the_device_is_enodev),
		CASE(eperm_of_the_device_is_eacces),
		CASE(interrupted_attach_is_repeated),
		CASE(other_record_formats_are_refused),
		CASE(a_module_that_lacks_a_feature_is_refused),
		CASE(a_module_with_more_features_is_taken),
		CASE(passed_session_without_ring_gets_one),
		CASE(passed_session_goes_on_where_the_reader_stopped),
		CASE(failed_take_over_leaves_the_descriptor_alone),
		CASE(only_sessions_can_be_taken_over),
		CASE(a_session_without_a_vm_is_passed_on_and_attached),
		CASE(a_session_is_opened_without_a_vm),
		CASE(ring_of_a_nonsense_size_is_not_mapped),
		CASE(a_ring_that_is_not_as_it_has_to_be_is_not_mapped),
		CASE(a_made_ring_of_larger_records_is_eproto),
	};

	return RUN(cases);
}
