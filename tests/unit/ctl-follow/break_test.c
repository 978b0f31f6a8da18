// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wtrackctl break: the VMM is a child that does nothing, and is really stopped; the
 * module that makes the vCPU wait is simulated.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "ctl.h"
#include "run.h"

#define PLACE	"--gpa=0x10008+8"
#define SHARED_BYTES	256

static pid_t vmm;
/* Shared with a child that runs the command: its guest may store. */
static _Atomic bool *begun;
static bool is_child;
/* What the guest presses keys on. */
static int keys = -1, old_input = -1, old_errors = -1;

static int setup(void **state)
{
	int fds[2];

	run_setup(state);
	begun = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(begun != MAP_FAILED);
	vmm = fork();
	assert_true(vmm >= 0);
	if (!vmm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	fake.status.out_vm_pid = vmm;
	fake.status.out_rights = UINT64_MAX;
	fake.info.out_features |= KVM_WTRACK_FEAT_SYNC;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	old_input = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (old_errors < 0)
		old_errors = fcntl(2, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(dup2(fds[0], 0), 0);
	close(fds[0]);
	keys = fds[1];
	return 0;
}

static int teardown(void **state)
{
	if (old_input >= 0)
		dup2(old_input, 0);
	else
		close(0);
	close(old_input);
	if (keys >= 0)
		close(keys);
	kill(vmm, SIGKILL);
	waitpid(vmm, NULL, 0);
	munmap((void *)begun, SHARED_BYTES);
	return run_teardown(state);
}

static bool vmm_is(const char *states)
{
	char path[64], line[256], *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)vmm);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file))
		abort();
	fclose(file);
	state = strrchr(line, ')');
	return strchr(states, state[2]);
}

/* For guests, which run in a thread of their own: no assertion of cmocka's. */
static void wait_until(bool condition(void), const char *what)
{
	unsigned int looks;

	for (looks = 0; looks < MAX_LOOKS; looks++) {
		if (condition())
			return;
		usleep(500);
	}
	dprintf(old_errors, "%s: waited in vain\n", what);
	abort();
}

static bool is_stopped(void)
{
	return vmm_is("T");
}

static bool is_running(void)
{
	return vmm_is("RS");
}

static bool has_begun(void)
{
	return *begun;
}

static bool is_released(void)
{
	return !fake.waiters;
}

static void store(uint64_t gpa, uint64_t value)
{
	fake_store_bytes(gpa, &value, sizeof(value));
}

/* What is stored before the pages were read is no change. */
static void begin(void)
{
	if (is_child)
		wait_until(has_begun, "the beginning");
	else
		wait_for_output("started", 1);
}

/* A vCPU stores, and waits until the VMM's threads know that they are to stop. */
static void store_and_wait(uint64_t gpa, uint64_t value)
{
	fake_wait(1, 0);
	store(gpa, value);
	wait_until(is_stopped, "SIGSTOP");
	fake_wait(1, 1);
	wait_until(is_released, "the release");
}

static void press(void)
{
	if (write(keys, "x", 1) != 1)
		abort();
}

static void go_on(unsigned int times)
{
	wait_for_output("stopped", times);
	if (!is_stopped())
		abort();
	press();
	wait_until(is_running, "SIGCONT");
}

static void two_stops(void)
{
	begin();
	store(0x10000, 1);
	store_and_wait(0x10008, 0x1122);
	go_on(1);
	store_and_wait(0x10008, 0x3344);
	go_on(2);
	fake_vm_gone();
}

static void it_stops_behind_each_store(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(two_stops, "break", VM_PID, PLACE, NULL),
			 EXIT_OK);
	assert_int_equal(fake.ring.flags & KVM_WTRACK_RING_F_SYNC,
			 KVM_WTRACK_RING_F_SYNC);
	assert_int_equal(fake.ring.sync_us, 100000);
	assert_int_equal(run_count("  write  "), 2);
	assert_int_equal(run_count(" 22 11 00 00 00 00 00 00 -> "
				   "44 33 00 00 00 00 00 00\n"), 1);
	assert_int_equal(run_count("  stopped         exactly behind this "
				   "write\n"), 2);
	assert_int_equal(run_count("  continued       the VM goes on\n"), 2);
	assert_string_equal(run_errors, "");
}

static void it_prints_objects(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(two_stops, "break", VM_PID, PLACE,
				 "--json=short", NULL), EXIT_OK);
	assert_int_equal(run_count("\"old\":\"2211000000000000\","
				   "\"data\":\"4433000000000000\""), 1);
	assert_int_equal(run_count("\"type\":\"stopped\","), 2);
	assert_int_equal(run_count("\"place\":\"exact\""), 2);
	assert_int_equal(run_count("\"type\":\"continued\","), 2);
	assert_int_equal(run_count("\"reason\":\"vm_gone\",\"count\":2"), 1);
}

static void one_stop(void)
{
	begin();
	store_and_wait(0x10008, 1);
	go_on(1);
}

static void count_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(one_stop, "break", VM_PID, PLACE, "--count=1",
				 "--json=short", NULL), EXIT_OK);
	assert_int_equal(run_count("\"reason\":\"count\",\"count\":1"), 1);
	assert_true(is_running());
}

static void only_the_second_value(void)
{
	begin();
	fake_wait(1, 0);
	store(0x10008, 1);
	wait_until(is_released, "the release");
	store_and_wait(0x10008, 0x1234);
	go_on(1);
	fake_vm_gone();
}

static void it_stops_at_a_value(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(only_the_second_value, "break", VM_PID, PLACE,
				 "--value=0x1200/0xff00", NULL), EXIT_OK);
	assert_int_equal(run_count("  write  "), 1);
	assert_int_equal(run_count(" 01 00 00 00 00 00 00 00 -> 34 12"), 1);
	assert_int_equal(run_count("exactly"), 1);
}

/* The time of the vCPU was over, or the threads did not learn of it in time. */
static void nobody_waits(void)
{
	begin();
	fake_wait(1, 0);
	store(0x10008, 1);
	wait_until(is_stopped, "SIGSTOP");
	fake_wait(0, 0);
	go_on(1);
	fake_vm_gone();
}

static void a_late_stop_is_called_late(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(nobody_waits, "break", VM_PID, PLACE, NULL),
			 EXIT_OK);
	assert_int_equal(run_count("  stopped         late: the vCPU had gone "
				   "on\n"), 1);
	assert_int_equal(run_count("exactly"), 0);
}

static void publish(uint16_t flags, uint64_t gpa)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE, .flags = flags, .len = 8,
		.total = 8, .gpa = gpa,
	};

	fake_publish(&record);
}

/* Another vCPU waits: that does not make this one wait. */
static void asynchronous_store(void)
{
	begin();
	fake_wait(1, 0);
	publish(KVM_WTRACK_RECORD_F_ASYNC, 0x10008);
	wait_until(is_stopped, "SIGSTOP");
	fake_wait(1, 1);
	go_on(1);
	fake_vm_gone();
}

static void an_asynchronous_store_is_late(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(asynchronous_store, "break", VM_PID, PLACE,
				 NULL), EXIT_OK);
	assert_int_equal(run_count("late: the vCPU had gone on"), 1);
}

/* As of a string instruction: KVM emulates the next element, whatever is signalled. */
static void next_element(void)
{
	begin();
	fake_wait(1, 0);
	store(0x10008, 1);
	wait_until(is_stopped, "SIGSTOP");
	store(0x10010, 2);
	fake_wait(1, 1);
	go_on(1);
	fake_vm_gone();
}

static void a_vcpu_that_stores_again_is_ahead(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(next_element, "break", VM_PID, PLACE, NULL),
			 EXIT_OK);
	assert_int_equal(run_count("late: the vCPU had gone on"), 1);
	assert_int_equal(run_count("  write  "), 1);
}

static void long_store(void)
{
	static const char data[60] = "a store in three parts";

	begin();
	fake_wait(1, 0);
	fake_store_bytes(0x10000, data, sizeof(data));
	wait_until(is_stopped, "SIGSTOP");
	fake_wait(1, 1);
	go_on(1);
	fake_vm_gone();
}

static void parts_of_a_store_are_one(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(long_store, "break", VM_PID, "--gpa=0x10000+64",
				 NULL), EXIT_OK);
	assert_int_equal(run_count("  write  "), 3);
	assert_int_equal(run_count("exactly"), 1);
	assert_int_equal(run_count("stopped"), 1);
}

static void unseen_change(void)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD, .gpa = 0x10000,
		.flags = KVM_WTRACK_RECORD_F_PAGE,
		.guard = { .action = KVM_WTRACK_GUARD_CHANGED },
	};

	begin();
	fake_memory_write(0x10008, "changed", 7);
	fake_publish(&record);
	go_on(1);
	fake_vm_gone();
}

static void a_change_that_was_no_write_stops_it_too(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(unseen_change, "break", VM_PID, PLACE,
				 "--fail-on-loss", NULL), EXIT_LOSSES);
	assert_int_equal(run_count("  changed  "), 1);
	assert_int_equal(run_count("late: the change was not seen as a write"),
			 1);
}

static void stop_for_a_while(void)
{
	begin();
	store_and_wait(0x10008, 1);
	wait_until(is_running, "SIGCONT");
	fake_vm_gone();
}

static void it_goes_on_by_itself(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(stop_for_a_while, "break", VM_PID, PLACE,
				 "--hold=10ms", NULL), EXIT_OK);
	assert_int_equal(run_count("  continued  "), 1);
	close(keys);
	keys = -1;
	run_teardown(state);
	run_setup(state);
	fake.status.out_vm_pid = vmm;
	fake.status.out_rights = UINT64_MAX;
	fake.info.out_features |= KVM_WTRACK_FEAT_SYNC;
	/* Nobody can press a key. */
	assert_int_equal(run_ctl(stop_for_a_while, "break", VM_PID, PLACE,
				 NULL), EXIT_OK);
	assert_int_equal(run_count("  continued  "), 1);
}

static int signal_sent;

static void signal_while_stopped(void)
{
	begin();
	store_and_wait(0x10008, 1);
	wait_for_output("stopped", 1);
	kill(getpid(), signal_sent);
}

static void a_signal_has_it_go_on(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	for (i = 0; i < 3; i++) {
		signal_sent = signals[i];
		if (i)
			setup(state);
		assert_int_equal(run_ctl(signal_while_stopped, "break", VM_PID,
					 PLACE, NULL), EXIT_OK);
		assert_true(is_running());
		assert_int_equal(run_count("  continued  "), 1);
		if (i < 2)
			teardown(state);
	}
}

static void time_passes(void)
{
	begin();
	store_and_wait(0x10008, 1);
}

static void its_time_has_it_go_on(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(time_passes, "break", VM_PID, PLACE,
				 "--timeout=500ms", "--count=2", NULL),
			 EXIT_TIMEOUT);
	assert_true(is_running());
}

static int child_output(int *ret_read)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	*ret_read = fds[0];
	return fds[1];
}

static void read_until(int fd, const char *text)
{
	static char seen[4096];
	size_t used = 0;
	ssize_t n;

	seen[0] = '\0';
	while (!strstr(seen, text)) {
		n = read(fd, seen + used, sizeof(seen) - 1 - used);
		assert_true(n > 0);
		used += (size_t)n;
		seen[used] = '\0';
	}
}

/* In a child, whose guest stores and has nothing more to do. */
static pid_t start_child(int *ret_output, const char *qmp)
{
	char *words[] = { "wtrackctl", "break", VM_PID, PLACE, qmp ? "--qmp" : NULL,
			  (char *)qmp, NULL };
	int out = child_output(ret_output);
	pid_t pid;

	is_child = true;
	pid = run_child(time_passes, out, 2, words);
	is_child = false;
	close(out);
	read_until(*ret_output, "started");
	*begun = true;
	read_until(*ret_output, "stopped");
	return pid;
}

/* It cannot do anything any more: the process that it has started does. */
static void who_is_killed_leaves_no_vm_stopped(void **state)
{
	int out, status;
	pid_t pid = start_child(&out, NULL);

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	wait_until(is_running, "SIGCONT");
	close(out);
}

static void who_has_no_reader_leaves_no_vm_stopped(void **state)
{
	int out, status;
	pid_t pid = start_child(&out, NULL);

	(void)state;
	close(out);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
	assert_true(is_running());
}

static void vmm_dies(void)
{
	begin();
	store_and_wait(0x10008, 1);
	wait_for_output("stopped", 1);
	kill(vmm, SIGKILL);
	fake_vm_gone();
}

static void the_vmm_may_die_meanwhile(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(vmm_dies, "break", VM_PID, PLACE, NULL),
			 EXIT_OK);
	assert_int_equal(run_count("  stopped  "), 1);
}

/*
 * A monitor, which stops and continues the VMM as QEMU does. It is a process, since
 * the cases fork.
 */
static struct {
	int client;
	pid_t pid;
	char *log;	/* shared */
} monitor;

static bool read_command(char *line, size_t size)
{
	size_t used = 0;

	while (used < size - 1 && read(monitor.client, line + used, 1) == 1)
		if (line[used++] == '\n')
			break;
	line[used] = '\0';
	return used;
}

static void say(const char *text)
{
	if (write(monitor.client, text, strlen(text)) < 0)
		abort();
}

static void serve(int listener)
{
	char line[256];

	monitor.client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	say("{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
	while (read_command(line, sizeof(line))) {
		if (strstr(line, "\"stop\"")) {
			strcat(monitor.log, " stop");
			kill(vmm, SIGSTOP);
			say("{\"event\": \"STOP\"}\r\n");
		} else if (strstr(line, "\"cont\"")) {
			strcat(monitor.log, " cont");
			kill(vmm, SIGCONT);
		}
		say("{\"return\": {}}\r\n");
	}
	_exit(0);
}

static void start_monitor(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	monitor.log = (char *)begun + sizeof(*begun);
	strcpy(address.sun_path, run_file());
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	monitor.pid = fork();
	assert_true(monitor.pid >= 0);
	if (!monitor.pid)
		serve(listener);
	close(listener);
}

/* When its client is gone. */
static void end_monitor(void)
{
	int status;

	assert_int_equal(waitpid(monitor.pid, &status, 0), monitor.pid);
	assert_int_equal(status, 0);
}

static void qmp_stops_it(void **state)
{
	(void)state;
	start_monitor();
	assert_int_equal(run_ctl(two_stops, "break", VM_PID, PLACE, "--qmp",
				 run_file(), NULL), EXIT_OK);
	end_monitor();
	assert_string_equal(monitor.log, " stop cont stop cont");
	assert_int_equal(run_count("exactly"), 2);
}

static void who_is_killed_has_qmp_continue(void **state)
{
	int out, status;
	pid_t pid;

	(void)state;
	start_monitor();
	pid = start_child(&out, run_file());
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	end_monitor();
	assert_string_equal(monitor.log, " stop cont");
	assert_true(is_running());
	close(out);
}

static void what_is_no_monitor_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(NULL, "break", VM_PID, PLACE, "--qmp",
				 run_file(), NULL), EXIT_NOT_FOUND);
	assert_non_null(strstr(run_errors, "--qmp="));
	/* The VM is not tracked: nobody could stop it. */
	assert_int_equal(fake.nr_calls[FAKE_ADD], 0);
}

static void a_vmm_that_is_not_seen_is_refused(void **state)
{
	(void)state;
	fake.status.out_vm_pid = 0;
	assert_int_equal(run_ctl(NULL, "break", VM_PID, PLACE, NULL),
			 EXIT_NOT_FOUND);
	assert_int_equal(fake.nr_calls[FAKE_ADD], 0);
}

static void a_module_without_waiting_is_refused(void **state)
{
	(void)state;
	fake.info.out_features &= ~KVM_WTRACK_FEAT_SYNC;
	assert_int_equal(run_ctl(NULL, "break", VM_PID, PLACE, NULL),
			 EXIT_UNSUPPORTED);
	assert_non_null(strstr(run_errors, "let vCPUs wait"));
}

static void wrong_options_are_usage_errors(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(NULL, "break", VM_PID, NULL), EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "break", VM_PID, PLACE, "--value=zz",
				 NULL), EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "break", VM_PID, PLACE, "--hold=x",
				 NULL), EXIT_USAGE);
}

#define STOP(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		STOP(it_stops_behind_each_store),
		STOP(it_prints_objects),
		STOP(count_ends_it),
		STOP(it_stops_at_a_value),
		STOP(a_late_stop_is_called_late),
		STOP(an_asynchronous_store_is_late),
		STOP(a_vcpu_that_stores_again_is_ahead),
		STOP(parts_of_a_store_are_one),
		STOP(a_change_that_was_no_write_stops_it_too),
		STOP(it_goes_on_by_itself),
		STOP(a_signal_has_it_go_on),
		STOP(its_time_has_it_go_on),
		STOP(who_is_killed_leaves_no_vm_stopped),
		STOP(who_has_no_reader_leaves_no_vm_stopped),
		STOP(the_vmm_may_die_meanwhile),
		STOP(qmp_stops_it),
		STOP(who_is_killed_has_qmp_continue),
		STOP(what_is_no_monitor_is_refused),
		STOP(a_vmm_that_is_not_seen_is_refused),
		STOP(a_module_without_waiting_is_refused),
		STOP(wrong_options_are_usage_errors),
	};

	return RUN(cases);
}
