// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose user namespace a process is in. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fake.h"
#include "proc.h"

/* Is it in another one than this process? */
static bool is_elsewhere(pid_t pid)
{
	struct stat here, there;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return !stat("/proc/self/ns/user", &here) && !stat(path, &there) &&
	       here.st_ino != there.st_ino;
}

static void namespace_is_owned_by_who_made_it(void **state)
{
	uid_t owner = (uid_t)-1;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		execlp("unshare", "unshare", "-U", "sleep", "infinity", NULL);
		_exit(1);
	}
	/* For as long as it is there: where there are none, it ends. */
	while (!is_elsewhere(pid)) {
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		usleep(1000);
	}
	assert_int_equal(proc_read_userns_owner(pid, &owner), 0);
	assert_int_equal(owner, geteuid());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_read_userns_owner(pid, &owner), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(namespace_is_owned_by_who_made_it),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
