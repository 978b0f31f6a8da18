// SPDX-License-Identifier: GPL-2.0-or-later
/* What the main thread orders, and the threads that obey. */
#include <poll.h>
#include <sys/eventfd.h>

#include "scene.h"
#include "util.h"

static struct guest_orders make_orders(void)
{
	struct guest_orders orders = { .vm_fd = 10, .present = true };

	assert_int_equal(string_set(&orders.vm_name, "web"), 0);
	return orders;
}

/* NULL instead of a configuration: it is to end. */
static void add_wanted(struct guest_orders *orders, const char *name,
		       struct watch_config *config)
{
	struct wanted *wanted;

	orders->wanted = reallocarray(orders->wanted, orders->nr_wanted + 1,
				      sizeof(*wanted));
	wanted = &orders->wanted[orders->nr_wanted++];
	*wanted = (struct wanted) {
		.name = strdup(name), .config = watch_config_ref(config),
		.counts = config ? watch_counts_ref(&scene.counts) : NULL,
		.why = config ? NULL : "the watch was taken away",
	};
}

static struct guest_orders want_it(void)
{
	struct guest_orders orders = make_orders();

	add_wanted(&orders, "doorbells", &scene.config);
	return orders;
}

static void watch_pages(uint64_t gfn, uint64_t nr)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(ranges_add(&scene.config.ranges,
				    &(struct wtrack_range){ gfn, nr }), 0);
}

static void what_is_wanted_begins_and_what_is_not_ends(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
	/* The same once more changes nothing. */
	orders = want_it();
	scene_order(&orders);
	expect_nothing();
	assert_int_equal(scene.all_requests, 1);
	orders = make_orders();
	add_wanted(&orders, "doorbells", NULL);
	scene_order(&orders);
	expect(MESSAGE_WATCH_STOPPED);
	assert_true(LIST_EMPTY(&scene.guest->sessions));
	assert_int_equal(scene.guest->nr_reports, 0);
}

/* Orders that are not seen in between are no reason to go on. */
static void what_is_not_named_ends_as_well(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
	orders = make_orders();
	scene_order(&orders);
	expect(MESSAGE_WATCH_STOPPED);
}

static void nothing_is_asked_for_when_the_vm_is_gone(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	scene.open_error = -EUSERS;
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_FAILED);
	orders = want_it();
	orders.present = false;
	scene_order(&orders);
	assert_true(LIST_EMPTY(&scene.guest->sessions));
	orders = want_it();
	orders.present = false;
	scene_order(&orders);
	assert_int_equal(scene.all_requests, 1);
}

/* By wtrackctl stop: it is not for us to undo that. */
static void what_an_administrator_has_ended_stays_so(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	scene.open_error = -ESHUTDOWN;
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_FAILED);
	scene_run(1200000);
	assert_int_equal(scene.all_requests, 1);
	scene.open_error = 0;
	/* Nor when wtrackd comes back. */
	orders = want_it();
	orders.retry = RETRY_FAILED;
	scene_order(&orders);
	assert_int_equal(scene.all_requests, 1);
	orders = want_it();
	orders.retry = RETRY_ALL;
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
}

static int expect_ended(const struct report *report, void *userdata)
{
	unsigned int *nr = userdata;

	(*nr)++;
	assert_false(report->active);
	assert_int_equal(report->error, -ESHUTDOWN);
	return 0;
}

/* While it is open: what is in its ring is logged, and that it was ended. */
static void what_an_administrator_ends_is_logged_to_its_end(void **state)
{
	struct watch_session *session;
	struct guest_orders orders;
	unsigned int nr = 0;

	(void)state;
	watch_pages(8, 4);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
	session = LIST_FIRST(&scene.guest->sessions);
	fake_store(8, 1);
	fake_end();
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_FAILED);
	expect_field("ERRNO", "108");
	assert_non_null(strstr(scene.entry, "systemctl reload wtrack-watch"));
	expect_nothing();
	assert_int_equal(session->state, WATCH_WAITING);
	assert_null(session->wtrack);
	guest_each_report(scene.guest, expect_ended, &nr);
	assert_int_equal(nr, 1);
	/* It is not asked for again by itself, nor when wtrackd comes back. */
	assert_true(sd_event_run(scene.guest->event, 1200000) == 0);
	orders = want_it();
	orders.retry = RETRY_FAILED;
	scene_order(&orders);
	assert_int_equal(scene.all_requests, 1);
	fake.status.out_state = 0;
	orders = want_it();
	orders.retry = RETRY_ALL;
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
}

/* A user's VMs may be slow, but not all that are asked for. */
static void few_sessions_are_asked_for_on_a_users_vms(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct guest_orders orders = make_orders();
	struct opening *openings[OPENINGS_MAX] = { NULL };
	size_t i, nr = 0;

	(void)state;
	watch_pages(8, 4);
	scene.is_slow = true;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		add_wanted(&orders, names[i], &scene.config);
	scene_order(&orders);
	assert_int_equal(scene.nr_requests, OPENINGS_PER_USER);
	/* Others have the rest, and there is an end to that. */
	for (i = 0; i < ARRAY_SIZE(openings); i++) {
		openings[i] = shared_open_begin(&scene.shared, 100 + (uid_t)i);
		nr += openings[i] != NULL;
	}
	assert_int_equal(nr, OPENINGS_MAX - OPENINGS_PER_USER);
	for (i = 0; i < ARRAY_SIZE(openings); i++)
		shared_open_end(&scene.shared, &openings[i]);
	/* What does not get its turn is not told of, and waits. */
	expect_nothing();
	scene.is_slow = false;
	orders = make_orders();
	scene_order(&orders);
	assert_int_equal(scene.nr_requests, 0);
}

static void add_stored(void)
{
	struct stored stored = { .fd = fake_new_fd(FAKE_SESSION) };

	assert_int_equal(string_set(&stored.store_name,
				    "watch-doorbells-7-4242"), 0);
	assert_int_equal(string_set(&stored.name, "doorbells"), 0);
	assert_int_equal(guest_add_stored(scene.guest, &stored), 0);
}

/* Entries have the VM's name, and what is stored comes before that is known. */
static void what_is_stored_waits_for_the_name(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
	fake_store(8, 1);
	add_stored();
	watch_session_free(LIST_FIRST(&scene.guest->sessions));
	scene.shared.nr_stored = 0;
	scene.guest->named = false;
	orders = want_it();
	free(TAKE_PTR(orders.vm_name));
	orders.present = false;
	scene_order(&orders);
	scene_io(LIST_FIRST(&scene.guest->sessions));
	expect_nothing();
	assert_int_equal(scene.shared.nr_stored, 1);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_RESUMED);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_VM_NAME", "web");
	assert_int_equal(scene.all_requests, 1);
}

static void what_is_stored_for_no_watch_is_drained(void **state)
{
	struct guest_orders orders;

	(void)state;
	watch_pages(8, 4);
	orders = want_it();
	scene_order(&orders);
	expect(MESSAGE_WATCH_ARMED);
	fake_store(8, 1);
	add_stored();
	watch_session_free(LIST_FIRST(&scene.guest->sessions));
	scene.shared.nr_stored = 0;
	orders = make_orders();
	scene_order(&orders);
	expect(MESSAGE_WATCH_RESUMED);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_STOPPED);
	assert_true(LIST_EMPTY(&scene.guest->sessions));
	assert_int_equal(scene.shared.nr_stored, 0);
}

/* Threads. */

static void wait_readable(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&readable, 1, -1), 1);
}

static struct guest *start_guest(int pid)
{
	struct guest_orders orders = want_it();
	struct guest *guest;

	assert_int_equal(guest_new(&scene.shared, pid, &guest), 0);
	journal_init(&guest->journal, scene.guest->journal.path);
	assert_int_equal(guest_order(guest, &orders), 0);
	return guest;
}

static void stop_guest(struct guest *guest)
{
	struct guest_orders orders = { .stop = true };

	assert_int_equal(guest_order(guest, &orders), 0);
}

static void await_end(struct guest *guest)
{
	eventfd_t count;

	while (!guest_has_ended(guest)) {
		wait_readable(scene.shared.changes_fd);
		(void)eventfd_read(scene.shared.changes_fd, &count);
	}
}

static void vm_that_hangs_does_not_stop_another(void **state)
{
	struct guest *stuck, *other;

	(void)state;
	watch_pages(8, 4);
	stuck = start_guest(HANGS_PID);
	wait_readable(scene.hangs);
	other = start_guest(FAKE_PID);
	wait_readable(scene.journald);
	expect(MESSAGE_WATCH_ARMED);
	stop_guest(other);
	await_end(other);
	guest_free(other);
	/* That it hangs can be seen, and that it does not any more. */
	assert_int_equal(guest_waits_usec(stuck), 0);
	guest_ask(stuck);
	usleep(1000);
	assert_true(guest_waits_usec(stuck) >= 1000);
	stop_guest(stuck);
	usleep(1000);
	assert_true(guest_waits_usec(stuck) >= 1000);
	assert_false(guest_has_ended(stuck));
	assert_false(guest_is_idle(stuck));
	(void)eventfd_write(scene.goes_on, 1);
	await_end(stuck);
	assert_int_equal(guest_waits_usec(stuck), 0);
	guest_free(stuck);
}

/* Whoever comes too late for one thread has another one. */
static void orders_after_the_end_begin_anew(void **state)
{
	struct guest_orders orders;
	struct guest *guest;

	(void)state;
	watch_pages(8, 4);
	scene.open_error = -EUSERS;
	guest = start_guest(FAKE_PID);
	wait_readable(scene.journald);
	expect(MESSAGE_WATCH_FAILED);
	stop_guest(guest);
	await_end(guest);
	assert_true(guest_is_idle(guest));
	orders = want_it();
	assert_int_equal(guest_order(guest, &orders), 0);
	wait_readable(scene.journald);
	expect(MESSAGE_WATCH_FAILED);
	/* As if they had come while it ended. */
	stop_guest(guest);
	await_end(guest);
	guest->orders = want_it();
	guest->has_orders = true;
	guest_revive(guest);
	wait_readable(scene.journald);
	expect(MESSAGE_WATCH_FAILED);
	stop_guest(guest);
	guest_free(guest);
}

/* It is tried again when there is something new, and let go of when not. */
static void vm_without_a_thread_is_no_burden(void **state)
{
	struct guest_orders orders;
	struct guest *guest;

	(void)state;
	watch_pages(8, 4);
	scene.open_error = -EUSERS;
	scene.no_threads = true;
	orders = want_it();
	assert_int_equal(guest_new(&scene.shared, FAKE_PID, &guest), 0);
	journal_init(&guest->journal, scene.guest->journal.path);
	assert_int_equal(guest_order(guest, &orders), -EAGAIN);
	assert_true(guest_is_idle(guest));
	assert_true(guest_has_ended(guest));
	assert_int_equal(guest_waits_usec(guest), 0);
	guest_revive(guest);
	assert_false(guest->has_thread);
	scene.no_threads = false;
	orders = want_it();
	assert_int_equal(guest_order(guest, &orders), 0);
	wait_readable(scene.journald);
	expect(MESSAGE_WATCH_FAILED);
	stop_guest(guest);
	guest_free(guest);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		SCENE(what_is_wanted_begins_and_what_is_not_ends),
		SCENE(what_is_not_named_ends_as_well),
		SCENE(nothing_is_asked_for_when_the_vm_is_gone),
		SCENE(what_an_administrator_has_ended_stays_so),
		SCENE(what_an_administrator_ends_is_logged_to_its_end),
		SCENE(few_sessions_are_asked_for_on_a_users_vms),
		SCENE(what_is_stored_waits_for_the_name),
		SCENE(what_is_stored_for_no_watch_is_drained),
		SCENE(vm_that_hangs_does_not_stop_another),
		SCENE(orders_after_the_end_begin_anew),
		SCENE(vm_without_a_thread_is_no_burden),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
