// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackctl record, and wtrackctl report of what it recorded. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "ctl.h"
#include "event.h"
#include "recording.h"
#include "run.h"

#define PAGES	"--gfn=0x10+4"

static void write_and_end(void)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		fake_store(0x10 + i % 3, i);
	fake_region_removed(0x13, 1);
	fake_region_added(0x13, 1, 0);
	wait_for_output("\"type\":\"progress\"", 1);
	fake_vm_gone();
}

static void record(guest_fn guest)
{
	assert_int_equal(run_ctl(guest, "record", VM_PID, PAGES, "-o",
				 run_file(), "--json=short", NULL), EXIT_OK);
}

static void what_was_recorded_is_reported(void **state)
{
	struct stat st;

	(void)state;
	record(write_and_end);
	assert_int_equal(run_count("\"type\":\"started\""), 1);
	assert_int_equal(run_count("\"type\":\"ended\",\"reason\":\"vm_gone\","
				   "\"count\":50,"), 1);
	assert_int_equal(stat(run_file(), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(run_ctl(NULL, "report", run_file(), "--json=short",
				 NULL), EXIT_OK);
	assert_int_equal(run_count("{\"schema\":1,\"command\":\"report\","), 1);
	assert_int_equal(run_count("\"vm_name\":\"" VM_PID "\""), 1);
	assert_int_equal(run_count("\"ranges\":[{\"gfn\":16,\"nr_pages\":4}]"),
			 1);
	assert_int_equal(run_count("\"complete\":true,\"ended\":\"vm_gone\","
				   "\"vm_gone\":true,\"pages_tracked\":4,"
				   "\"pages_written\":3,"), 1);
	assert_int_equal(run_count("\"writes\":50,\"bytes\":400,"), 1);
	assert_int_equal(run_count("\"gfn\":16,\"writes\":17,\"bytes\":136"), 1);
	assert_int_equal(run_count("\"regions_removed\":1,"
				   "\"regions_returned\":1"), 1);
	assert_int_equal(run_count("\"damage\":{\"bytes\":0,\"blocks\":0,"
				   "\"events\":0}"), 1);
}

/* What a reader sees while the recording goes on. */
static unsigned int writes_in_file(void)
{
	struct rec_reader *reader;
	unsigned int nr = 0;
	struct event event;
	int fd = open(run_file(), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (!rec_reader_new(fd, &reader)) {
		while (rec_reader_next(reader, &event) > 0)
			nr += event.type == EVENT_WRITE;
		rec_reader_free(reader);
	}
	close(fd);
	return nr;
}

static unsigned int seen_meanwhile;

static void write_and_look(void)
{
	unsigned int looks;

	fake_store(0x10, 1);
	for (looks = 0; looks < MAX_LOOKS && !seen_meanwhile; looks++) {
		usleep(1000);
		seen_meanwhile = writes_in_file();
	}
	fake_vm_gone();
}

static void writes_are_in_the_file_while_it_goes_on(void **state)
{
	(void)state;
	seen_meanwhile = 0;
	record(write_and_look);
	assert_int_equal(seen_meanwhile, 1);
}

/* The file stays. */
static void new_guest(void **state)
{
	fake_teardown(state);
	run_setup_guest(state);
}

static void no_file_is_overwritten(void **state)
{
	(void)state;
	record(fake_vm_gone);
	new_guest(state);
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, "-o",
				 run_file(), NULL), EXIT_FAILED);
	assert_non_null(strstr(run_errors, "is there already"));
	new_guest(state);
	assert_int_equal(run_ctl(fake_vm_gone, "record", VM_PID, PAGES, "-o",
				 run_file(), "--force", NULL), EXIT_OK);
}

static void who_could_read_the_old_file_cannot_read_the_new_one(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	fd = open(run_file(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "something longer than nothing", 29), 29);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	assert_int_equal(run_ctl(fake_vm_gone, "record", VM_PID, PAGES, "-o",
				 run_file(), "--force", NULL), EXIT_OK);
	assert_int_equal(stat(run_file(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(run_ctl(NULL, "report", run_file(), NULL), EXIT_OK);
}

static void a_full_disk_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, "--force",
				 "-o", "/dev/full", NULL), EXIT_FAILED);
	assert_non_null(strstr(run_errors, "/dev/full: No space left"));
	new_guest(state);
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, "-o",
				 "/nonexistent/file", NULL), EXIT_NOT_FOUND);
}

static void options_are_checked(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, NULL),
			 EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "record", VM_PID, "-o", run_file(),
				 NULL), EXIT_USAGE);
	assert_int_equal(access(run_file(), F_OK), -1);
	assert_int_equal(run_ctl(NULL, "report", NULL), EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "report", run_file(), NULL),
			 EXIT_NOT_FOUND);
	assert_int_equal(run_ctl(NULL, "report", "/dev/null", NULL),
			 EXIT_FAILED);
	assert_non_null(strstr(run_errors, "not a recording"));
}

static void lose(void)
{
	struct kvm_wtrack_record guard = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = 0x11008,
		.guard = { .action = KVM_WTRACK_GUARD_DISARMED,
			   .cause = KVM_WTRACK_CAUSE_UNEMULATED },
	};

	fake_publish(&guard);
	fake_store(0x10, 1);
	fake_vm_gone();
}

static void losses_can_fail_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(lose, "record", VM_PID, PAGES, "-o",
				 run_file(), "--fail-on-loss", NULL),
			 EXIT_LOSSES);
	assert_non_null(strstr(run_errors, ": 1 writes in "));
	assert_non_null(strstr(run_errors, ", 1 losses, "));
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--fail-on-loss",
				 NULL), EXIT_LOSSES);
	assert_int_equal(run_count("guard disarmed  unemulated"), 1);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "-q", NULL),
			 EXIT_OK);
}

static void a_picture_is_drawn(void **state)
{
	(void)state;
	record(write_and_end);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--svg=-", NULL),
			 EXIT_OK);
	assert_ptr_equal(strstr(run_output, "<svg xmlns="), run_output);
	assert_int_equal(run_count("<text class=\"m e\""), 5);
	assert_int_equal(run_count("</svg>\n"), 1);
	assert_int_equal(run_ctl(NULL, "report", run_file(),
				 "--svg=/nonexistent/x", NULL),
			 EXIT_NOT_FOUND);
}

/* One of them: what both would print at once is neither. */
static void picture_and_json_have_places_of_their_own(void **state)
{
	char file[256];
	struct stat before, after;

	(void)state;
	record(write_and_end);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--svg=-",
				 "--json=short", NULL), EXIT_USAGE);
	assert_int_equal(run_count("\"code\":\"usage\""), 1);
	assert_int_equal(run_count("<svg"), 0);
	assert_int_equal(run_count("\n"), 1);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--svg=/dev/fd/1",
				 "--json=pretty", NULL), EXIT_USAGE);
	assert_int_equal(run_count("<svg"), 0);
	snprintf(file, sizeof(file), "--svg=%s", run_file());
	assert_int_equal(stat(run_file(), &before), 0);
	assert_int_equal(run_ctl(NULL, "report", run_file(), file, NULL),
			 EXIT_USAGE);
	assert_int_equal(stat(run_file(), &after), 0);
	assert_true(after.st_size == before.st_size);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--svg=/dev/null",
				 "--json=short", NULL), EXIT_OK);
	assert_int_equal(run_count("\"command\":\"report\""), 1);
	assert_int_equal(run_ctl(NULL, "report", run_file(), "--svg=/dev/full",
				 "--json=short", NULL), EXIT_FAILED);
	assert_int_equal(run_count("\"code\":\"failed\""), 1);
}

static void recording_and_json_have_places_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, "-o", "-",
				 "--json=short", NULL), EXIT_USAGE);
	new_guest(state);
	assert_int_equal(run_ctl(NULL, "record", VM_PID, PAGES, "--force", "-o",
				 "/dev/fd/1", "--json=short", NULL),
			 EXIT_USAGE);
	assert_int_equal(run_count("\"code\":\"usage\""), 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_was_recorded_is_reported),
		CASE(writes_are_in_the_file_while_it_goes_on),
		CASE(no_file_is_overwritten),
		CASE(who_could_read_the_old_file_cannot_read_the_new_one),
		CASE(a_full_disk_ends_it),
		CASE(options_are_checked),
		CASE(losses_can_fail_it),
		CASE(a_picture_is_drawn),
		CASE(picture_and_json_have_places_of_their_own),
		CASE(recording_and_json_have_places_of_their_own),
	};

	return RUN(cases);
}
