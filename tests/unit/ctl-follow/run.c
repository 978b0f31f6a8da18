// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "command.h"
#include "run.h"

#define MAX_WORDS	24

char run_output[1 << 16];
char run_errors[1 << 12];

static int output_fd = -1, errors_fd = -1, old_errors = -1;
static char dir[] = "/tmp/wtrackctl-unit.XXXXXX";
static char file[sizeof(dir) + 8];

/* The command blocks them; so must the guest, or it would get them. */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
	sigprocmask(SIG_BLOCK, ret, NULL);
}

int run_setup(void **state)
{
	sigset_t signals;

	block_signals(&signals);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
	strcpy(dir, "/tmp/wtrackctl-unit.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/file", dir);
	run_setup_guest(state);
	return 0;
}

void run_setup_guest(void **state)
{
	fake_setup(state);
	fake.info.out_max_budget = 100000;
	fake.info.out_max_period_ms = 4000;
	fake.info.out_max_records = 1 << 20;
	fake.vmm.nr_fds = 1;
	fake.vmm.fds[0] = 9;
}

int run_teardown(void **state)
{
	struct timespec at_once = { 0 };
	sigset_t signals;

	block_signals(&signals);
	while (sigtimedwait(&signals, NULL, &at_once) > 0)
		;
	unlink(file);
	rmdir(dir);
	return fake_teardown(state);
}

const char *run_file(void)
{
	return file;
}

static void read_back(int fd, char *to, size_t size)
{
	ssize_t n = pread(fd, to, size - 1, 0);

	to[n > 0 ? n : 0] = '\0';
}

unsigned int run_count(const char *text)
{
	const char *at = run_output;
	unsigned int nr = 0;

	for (; (at = strstr(at, text)); at++)
		nr++;
	return nr;
}

void wait_for_output(const char *text, unsigned int times)
{
	unsigned int looks;

	for (looks = 0; looks < MAX_LOOKS; looks++) {
		read_back(output_fd, run_output, sizeof(run_output));
		if (run_count(text) >= times)
			return;
		usleep(500);
	}
	read_back(errors_fd, run_errors, sizeof(run_errors));
	dprintf(old_errors, "\"%s\" does not come after:\n%s%s", text,
		run_output, run_errors);
	abort();
}

static bool is_tracked(void)
{
	bool tracked = false;
	size_t i;

	pthread_mutex_lock(&fake.lock);
	for (i = 0; i < FAKE_PAGES; i++)
		tracked |= fake.tracked[i];
	pthread_mutex_unlock(&fake.lock);
	return tracked;
}

void refuse(uint64_t gfn, uint64_t nr_pages, int err)
{
	pthread_mutex_lock(&fake.lock);
	while (nr_pages--)
		fake.refuse[gfn + nr_pages] = err;
	pthread_mutex_unlock(&fake.lock);
}

static void *run_guest(void *arg)
{
	guest_fn guest = *(guest_fn *)arg;
	unsigned int looks = 0;

	while (!is_tracked()) {
		if (looks++ == MAX_LOOKS) {
			dprintf(old_errors, "nothing is tracked\n");
			abort();
		}
		usleep(500);
	}
	guest();
	return NULL;
}

static int run_words(int argc, char **argv)
{
	struct ctl ctl = { .legend = true };
	int code;

	optind = 0;
	code = args_parse(&ctl, argc, argv);
	if (!code)
		code = ctl.command->run(&ctl);
	fflush(stdout);
	fflush(stderr);
	args_free(&ctl.args);
	return code;
}

static int redirect(int to, const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	assert_true(fd >= 0);
	fflush(stdout);
	assert_true(dup2(fd, to) >= 0);
	return fd;
}

static int run_redirected(int argc, char **argv)
{
	int old_output = dup(1), code;

	if (old_errors < 0)
		old_errors = fcntl(2, F_DUPFD_CLOEXEC, 3);
	output_fd = redirect(1, "output");
	errors_fd = redirect(2, "errors");
	code = run_words(argc, argv);
	dup2(old_output, 1);
	dup2(old_errors, 2);
	close(old_output);
	return code;
}

pid_t run_child(guest_fn guest, int out, int err, char **words)
{
	char *sorted[MAX_WORDS] = { NULL };
	pthread_t thread;
	sigset_t none;
	pid_t pid;
	int fd, nr = 0;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	old_errors = fcntl(2, F_DUPFD_CLOEXEC, 3);
	dup2(out, 1);
	dup2(err, 2);
	/* The other ends of pipes are the parent's. */
	for (fd = 3; fd < 64; fd++)
		if (fd != old_errors)
			close(fd);
	/* getopt_long() sorts them. */
	for (; words[nr]; nr++)
		sorted[nr] = words[nr];
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	if (guest) {
		sigset_t signals;

		block_signals(&signals);
		pthread_create(&thread, NULL, run_guest, &guest);
		pthread_detach(thread);
		sigprocmask(SIG_SETMASK, &none, NULL);
	}
	_exit(run_words(nr, sorted));
}

int run_ctl(guest_fn guest, ...)
{
	char *words[MAX_WORDS] = { "wtrackctl" };
	pthread_t thread;
	va_list args;
	int nr = 1, code;

	va_start(args, guest);
	while ((words[nr] = va_arg(args, char *)))
		nr++;
	va_end(args);
	if (guest)
		assert_int_equal(pthread_create(&thread, NULL, run_guest,
						&guest), 0);
	code = run_redirected(nr, words);
	if (guest)
		pthread_join(thread, NULL);
	read_back(output_fd, run_output, sizeof(run_output));
	read_back(errors_fd, run_errors, sizeof(run_errors));
	close(output_fd);
	close(errors_fd);
	return code;
}
