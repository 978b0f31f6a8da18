// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackctl monitor: what it shows, what it hides, how it ends. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "run.h"

#define PAGES	"--gfn=0x10+4"

static void write_words(void)
{
	fake_store(0x10, 0x1122334455667788);
	fake_write(0x11020, "\x01\x02\x03", 3);
	fake_write(0x12ffc, "\x01\x02\x00\x00", 4);
	fake_vm_gone();
}

static void each_write_is_a_line(void **state)
{
	(void)state;
	fake.status.out_pages = 4;
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES, NULL),
			 EXIT_OK);
	assert_int_equal(run_count("  write  "), 3);
	assert_int_equal(run_count(" 88 77 66 55 44 33 22 11\n"), 1);
	assert_int_equal(run_count("0x11020"), 1);
	assert_int_equal(run_count("  started  "), 1);
	assert_int_equal(run_count("4 of 4 pages are tracked\n"), 1);
	assert_int_equal(run_count("  vm_gone  "), 1);
	assert_int_equal(run_count("vm_gone, after 3 writes\n"), 1);
	assert_int_equal(run_count("TIME  EVENT"), 1);
	assert_string_equal(run_errors, "");
}

static void each_write_is_an_object(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_words, "monitor", "--vm=" VM_PID, PAGES,
				 "--json=short", NULL), EXIT_OK);
	assert_int_equal(run_count("{\"schema\":1,\"type\":\"write\","), 3);
	assert_int_equal(run_count("\"gfn\":17,\"gpa\":\"0x11020\",\"length\":3,"
				   "\"total\":3,\"more\":false,"
				   "\"data\":\"010203\""), 1);
	assert_int_equal(run_count("\"type\":\"started\""), 1);
	assert_int_equal(run_count("\"ranges\":[{\"gfn\":16,\"nr_pages\":4}]"),
			 1);
	assert_int_equal(run_count("\"type\":\"vm_gone\""), 1);
	assert_int_equal(run_count("\"type\":\"ended\",\"reason\":\"vm_gone\","
				   "\"count\":3,\"losses\":0"), 1);
	assert_int_equal(run_count("\n"), 6);
}

static void data_can_be_shown_as_characters(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES, "-x",
				 "--length=8", NULL), EXIT_OK);
	assert_int_equal(run_count("0x0000010000  88 77 66 55 44 33 22 11"
				   "                          |.wfUD3\".|\n"), 1);
}

static void filters_hide_writes_alone(void **state)
{
	static const char *const filters[] = {
		"--length=4", "--length=4-6", "--value=0x0201",
		"--value=0x200/0x00f00", "--value=01:02:00", "--value=01:??:00",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		run_teardown(state);
		run_setup(state);
		assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES,
					 filters[i], NULL), EXIT_OK);
		assert_int_equal(run_count("0x12ffc"), 1);
		assert_int_equal(run_count("  write  "), i == 3 ? 2 : 1);
		assert_int_equal(run_count("  vm_gone  "), 1);
	}
}

/* Its page is tracked, but other writes to the page are not asked for. */
static void addresses_are_bytes(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, "--gfn=0x10",
				 "--gpa=0x11022+1", "--gpa=0x12000+4092",
				 NULL), EXIT_OK);
	assert_int_equal(run_count("0x11020"), 1);
	assert_int_equal(run_count("0x12ffc"), 0);
	assert_int_equal(run_count("  write  "), 2);
}

static void wrong_filters_are_usage_errors(void **state)
{
	static const char *const wrong[] = {
		"--length=", "--length=0", "--length=4-", "--length=4-2",
		"--length=x", "--value=", "--value=zz", "--value=1/", "--value=1:",
		"--value=01:", "--value=01:2", "--value=01:02:zz", "--value=::",
		"--budget=0", "--budget=x/1s", "--budget=1/0", "--budget=5/",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(run_ctl(NULL, "monitor", VM_PID, PAGES,
					 wrong[i], NULL), EXIT_USAGE);
		assert_non_null(strstr(run_errors, "wtrackctl: "));
		assert_string_equal(run_output, "");
	}
	assert_int_equal(run_ctl(NULL, "monitor", VM_PID, NULL), EXIT_USAGE);
}

static void write_and_stay(void)
{
	write_words();
}

static void count_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_and_stay, "monitor", VM_PID, PAGES,
				 "--count=2", "--json=short", NULL), EXIT_OK);
	assert_int_equal(run_count("\"type\":\"write\""), 2);
	assert_int_equal(run_count("\"reason\":\"count\",\"count\":2"), 1);
}

static void be_quiet(void)
{
}

static void its_time_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(be_quiet, "monitor", VM_PID, PAGES,
				 "--timeout=20ms", NULL), EXIT_TIMEOUT);
	assert_int_equal(run_count("timeout, after 0 writes"), 1);
}

/* What is shown was tracked and read, which the VM has to be there for. */
static void await_output(void)
{
	struct stat output;

	do
		usleep(500);
	while (!fstat(STDOUT_FILENO, &output) && !output.st_size);
}

static void write_behind_output(void)
{
	await_output();
	write_words();
}

static void go_behind_output(void)
{
	await_output();
	fake_vm_gone();
}

static void expect_default_budget(void)
{
	assert_int_equal(fake.ring.budget, 10575 / 12 / 4);
	assert_int_equal(fake.ring.period_ms, 100);
}

/* Nobody asked for more: four pages together cost no more than 5 % of a vCPU. */
static void default_budget_is_by_the_pages(void **state)
{
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES, NULL),
			 EXIT_OK);
	expect_default_budget();
	run_teardown(state);
	run_setup(state);
	assert_int_equal(run_ctl(write_words, "record", VM_PID, PAGES,
				 "--output=/dev/null", "--force", NULL),
			 EXIT_OK);
	expect_default_budget();
	run_teardown(state);
	run_setup(state);
	assert_int_equal(run_ctl(write_behind_output, "dump", VM_PID, PAGES,
				 "--follow", NULL), EXIT_OK);
	expect_default_budget();
}

/* They asked, or a page has one store anyway. */
static void full_has_no_budget(void **state)
{
	static const char *const options[] = { "--full", "--once" };
	size_t i;

	for (i = 0; i < 2; i++) {
		run_teardown(state);
		run_setup(state);
		assert_int_equal(run_ctl(fake_vm_gone, "monitor", VM_PID, PAGES,
					 options[i], NULL), EXIT_OK);
		assert_int_equal(fake.ring.budget, 0);
	}
	assert_int_equal(run_ctl(NULL, "monitor", VM_PID, PAGES, "--full",
				 "--budget=1", NULL), EXIT_USAGE);
}

/* wtrackd restricts the sessions of users to a smaller one: theirs is taken. */
static void smaller_budget_of_a_user_is_taken(void **state)
{
	static const char *const how[] = { "--hexdump", "--diff" };
	size_t i;

	for (i = 0; i < 2; i++) {
		run_teardown(state);
		run_setup(state);
		fake_fail(FAKE_RING, 1, EPERM);
		assert_int_equal(run_ctl(go_behind_output, "monitor", VM_PID,
					 PAGES, how[i], NULL), EXIT_OK);
		assert_int_equal(fake.ring.budget, 0);
		assert_string_equal(run_errors, "");
	}
	run_teardown(state);
	run_setup(state);
	fake_fail(FAKE_RING, 1, EPERM);
	assert_int_equal(run_ctl(NULL, "monitor", VM_PID, PAGES,
				 "--budget=1000", NULL), EXIT_PERMISSION);
}

static void be_quiet_for_longer(void)
{
	wait_for_output("  idle  ", 1);
	usleep(200000);
	kill(getpid(), SIGINT);
}

static void quiet_times_are_told_once(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(be_quiet_for_longer, "monitor", VM_PID, PAGES,
				 "--idle=20ms", NULL), EXIT_OK);
	assert_int_equal(run_count("  idle  "), 1);
}

static void write_after_a_quiet_time(void)
{
	wait_for_output("  idle  ", 1);
	fake_store(0x10, 1);
	wait_for_output("  idle  ", 2);
	kill(getpid(), SIGINT);
}

static void a_signal_ends_it_well(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_after_a_quiet_time, "monitor", VM_PID,
				 PAGES, "--idle=10ms", NULL), EXIT_OK);
	assert_int_equal(run_count("signal, after 1 writes"), 1);
}

/* More than the ring holds, while the first is not complete. */
static void overflow(void)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE, .gpa = 0x10000, .len = 1,
	};
	uint64_t first = fake_reserve();
	unsigned int i;

	for (i = 0; i < 100; i++)
		fake_store(0x10 + i % 4, i);
	fake_publish_at(first, &record);
	wait_for_output("resync", 1);
	fake_store(0x10, 0xabcd);
	wait_for_output("cd ab 00", 1);
	fake_vm_gone();
}

static void losses_are_told_and_counted(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(overflow, "monitor", VM_PID, PAGES,
				 "--records=64", "--fail-on-loss", NULL),
			 EXIT_LOSSES);
	/* A line for each range, which here is each page. */
	assert_int_equal(run_count("  resync  "), 4);
	assert_int_equal(run_count("0x13+1             the ring was full for "),
			 1);
	assert_int_equal(run_count(": reread\n"), 4);
}

static void guard(uint32_t action, uint32_t cause)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = 0x11008,
		.guard = { .action = action, .cause = cause },
	};

	fake_publish(&record);
}

static void disarm_and_rearm(void)
{
	guard(KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET);
	guard(KVM_WTRACK_GUARD_REARMED, KVM_WTRACK_CAUSE_NONE);
	fake_vm_gone();
}

static void what_the_guard_did_is_a_loss(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(disarm_and_rearm, "monitor", VM_PID, PAGES,
				 "--budget=1000/100ms", "--fail-on-loss",
				 "--json=short", NULL), EXIT_LOSSES);
	assert_int_equal(fake.ring.budget, 1000);
	assert_int_equal(fake.ring.period_ms, 100);
	assert_int_equal(run_count("\"type\":\"guard\""), 2);
	assert_int_equal(run_count("\"gfn\":17,\"gpa\":\"0x11008\","
				   "\"action\":\"disarmed\","
				   "\"cause\":\"budget\""), 1);
	assert_int_equal(run_count("\"losses\":1"), 1);
}

static void move_memory(void)
{
	fake_region_removed(0x12, 8);
	wait_for_output("region_removed", 1);
	fake_store(0x10, 1);
	usleep(20000);
	fake_region_added(0x12, 8, 0);
	wait_for_output("region_returned", 1);
	fake_store(0x12, 0x77);
	wait_for_output(" 77 00", 1);
	fake_vm_gone();
}

static void memory_that_comes_back_is_tracked_again(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(move_memory, "monitor", VM_PID, PAGES,
				 "--fail-on-loss", NULL), EXIT_LOSSES);
	assert_int_equal(run_count("0x12+8             memory is gone, 2 pages "
				   "tracked before\n"), 1);
	assert_int_equal(run_count("0x12+2             memory is back, 2 pages "
				   "tracked again\n"), 1);
	/* No page beside those that were asked for. */
	assert_false(fake.tracked[0x14]);
}

static void remove_memory(void)
{
	fake_region_removed(0x10, 1);
	fake_vm_gone();
}

static void memory_that_stays_away_is_no_loss(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(remove_memory, "monitor", VM_PID,
				 "--gfn=0x10", "--fail-on-loss", NULL),
			 EXIT_OK);
	assert_int_equal(run_count("region_removed"), 1);
	assert_int_equal(run_count("region_returned"), 0);
}

/* Of the second page alone there is memory; later, of the fourth as well. */
static void plug_memory(void)
{
	fake_store(0x11, 1);
	wait_for_output("  write  ", 1);
	usleep(20000);
	refuse(0x13, 1, 0);
	wait_for_output("region_returned", 1);
	fake_store(0x13, 0x77);
	wait_for_output(" 77 00", 1);
	fake_vm_gone();
}

static void memory_that_comes_later_is_tracked(void **state)
{
	(void)state;
	refuse(0x10, 8, ENOENT);
	refuse(0x11, 1, 0);
	assert_int_equal(run_ctl(plug_memory, "monitor", VM_PID, "--gfn=0x10+3",
				 "--gfn=0x13", NULL), EXIT_OK);
	assert_int_equal(run_count("region_returned"), 1);
	assert_int_equal(run_count("memory is back, 1 pages tracked again\n"),
			 1);
	assert_non_null(strstr(run_errors, "pages are tracked"));
	assert_false(fake.tracked[0x10]);
	assert_true(fake.tracked[0x11]);
	assert_false(fake.tracked[0x12]);
	assert_true(fake.tracked[0x13]);
	assert_false(fake.tracked[0x14]);
}

static void pages_without_memory_are_refused(void **state)
{
	(void)state;
	fake.refuse[0x10] = ENOENT;
	assert_int_equal(run_ctl(NULL, "monitor", VM_PID, "--gfn=0x10",
				 "--json=short", NULL), EXIT_NOT_FOUND);
	assert_int_equal(run_count("\"type\":\"error\""), 1);
}

static void the_daemon_may_refuse(void **state)
{
	(void)state;
	fake.daemon.error = "org.wtrack1.Error.NotPermitted";
	fake.daemon.message = "policy: no";
	assert_int_equal(run_ctl(NULL, "monitor", VM_PID, "--gfn=0x10",
				 NULL), EXIT_PERMISSION);
	assert_non_null(strstr(run_errors, "policy: no"));
	assert_string_equal(run_output, "");
}

static void nobody_is_asked_with_no_ask_password(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES, NULL),
			 EXIT_OK);
	assert_true(fake.daemon.interactive);
	fake_teardown(state);
	run_setup_guest(state);
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES,
				 "--no-ask-password", NULL), EXIT_OK);
	assert_false(fake.daemon.interactive);
}

static void without_a_daemon_it_goes_directly(void **state)
{
	(void)state;
	fake_fail(FAKE_BUS_NEW, 1, ECONNREFUSED);
	assert_int_equal(run_ctl(write_words, "monitor", VM_PID, PAGES, NULL),
			 EXIT_OK);
	assert_int_equal(run_count("  write  "), 3);
}

static void quiet_hides_remarks_but_no_losses(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(disarm_and_rearm, "monitor", VM_PID, PAGES,
				 "-q", "--no-legend", NULL), EXIT_OK);
	assert_int_equal(run_count("\n"), 1);
	assert_int_equal(run_count("not seen from here on"), 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(default_budget_is_by_the_pages),
		CASE(full_has_no_budget),
		CASE(smaller_budget_of_a_user_is_taken),
		CASE(each_write_is_a_line),
		CASE(each_write_is_an_object),
		CASE(data_can_be_shown_as_characters),
		CASE(filters_hide_writes_alone),
		CASE(addresses_are_bytes),
		CASE(wrong_filters_are_usage_errors),
		CASE(count_ends_it),
		CASE(its_time_ends_it),
		CASE(quiet_times_are_told_once),
		CASE(a_signal_ends_it_well),
		CASE(losses_are_told_and_counted),
		CASE(what_the_guard_did_is_a_loss),
		CASE(memory_that_comes_back_is_tracked_again),
		CASE(memory_that_stays_away_is_no_loss),
		CASE(memory_that_comes_later_is_tracked),
		CASE(pages_without_memory_are_refused),
		CASE(the_daemon_may_refuse),
		CASE(nobody_is_asked_with_no_ask_password),
		CASE(without_a_daemon_it_goes_directly),
		CASE(quiet_hides_remarks_but_no_losses),
	};

	return RUN(cases);
}
