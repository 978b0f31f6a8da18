// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of stored descriptors, and what the service manager is told. */
#include "test.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fdstore.h"
#include "util.h"

static void assert_round_trip(const char *watch, uint64_t id, int pid)
{
	char name[FDSTORE_NAME_BYTES];
	char *found = NULL;
	uint64_t found_id;
	int found_pid;
	const char *c;

	assert_int_equal(fdstore_name(watch, id, pid, name), 0);
	/* What systemd takes: fdname_is_valid(). */
	assert_in_range(strlen(name), 1, 255);
	for (c = name; *c; c++)
		assert_true((unsigned char)*c > 0x20 &&
			    (unsigned char)*c < 0x7f && *c != ':');
	assert_int_equal(fdstore_parse(name, &found, &found_id, &found_pid),
			 0);
	assert_string_equal(found, watch);
	assert_int_equal(found_id, id);
	assert_int_equal(found_pid, pid);
	free(found);
}

static void any_name_of_a_file_comes_back(void **state)
{
	char all[256], longest[64 + 1];
	unsigned int i, nr = 0;

	(void)state;
	assert_round_trip("doorbells", 1, 4711);
	assert_round_trip("a-b-3-4", UINT64_MAX, INT_MAX);
	assert_round_trip("-", 0, 0);
	assert_round_trip("a:b c\\x41\n\x7f\xc3\xa4", 12, 1);
	for (i = 1; i < 256; i++) {
		all[nr++] = (char)i;
		if (nr < 50 && i < 255)
			continue;
		all[nr] = '\0';
		assert_round_trip(all, 7, 8);
		nr = 0;
	}
	memset(longest, 1, sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(fdstore_name(longest, UINT64_MAX, INT_MAX, all),
			 -ENAMETOOLONG);
	memset(longest, 'x', sizeof(longest) - 1);
	assert_round_trip(longest, UINT64_MAX, INT_MAX);
}

static void names_of_others_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "stored", "watch-", "watch-a", "watch-a-1", "watch--1-2",
		"watch-a-x-2", "watch-a-1-", "watch-a--1-2x", "watch-a-1-2x",
		"watch-a-1--2", "watch-a-18446744073709551616-2",
		"watch-a-1-2147483648", "watch-a\\-1-2", "watch-a\\x-1-2",
		"watch-a\\x4-1-2", "watch-a\\x00b-1-2", "watch-a\\x4g-1-2",
		"watch-a\\u0041-1-2",
	};
	uint64_t id = 5;
	char *name = NULL;
	int pid = 6;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(fdstore_parse(bad[i], &name, &id, &pid),
				 -EINVAL);
	assert_null(name);
	assert_int_equal(id, 5);
	assert_int_equal(pid, 6);
}

static int manager_socket(char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	strcpy(path, "/tmp/fdstore_test.XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/notify");
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

/* The text, and the descriptor that came with it or -1. */
static int receive(int fd, char *text, size_t size)
{
	char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(64)] = { 0 };
	struct iovec iov = { text, size - 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int passed = -1;
	ssize_t n;

	n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	assert_true(n >= 0);
	text[n] = '\0';
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&passed, CMSG_DATA(c), sizeof(passed));
	return passed;
}

static void manager_is_told_in_its_words(void **state)
{
	char path[64], text[512];
	int manager = manager_socket(path), barrier, passed;

	(void)state;
	assert_int_equal(fdstore_put("watch-a-1-2", STDERR_FILENO), 0);
	passed = receive(manager, text, sizeof(text));
	assert_true(passed >= 0);
	close(passed);
	assert_string_equal(text, "FDSTORE=1\nFDPOLL=0\nFDNAME=watch-a-1-2");
	assert_int_equal(fdstore_remove("watch-a-1-2"), 0);
	assert_int_equal(receive(manager, text, sizeof(text)), -1);
	assert_string_equal(text, "FDSTOREREMOVE=1\nFDNAME=watch-a-1-2");

	assert_int_equal(fdstore_barrier(&barrier), 0);
	passed = receive(manager, text, sizeof(text));
	assert_string_equal(text, "BARRIER=1");
	assert_int_equal(read(barrier, text, 1), -1);
	assert_int_equal(errno, EAGAIN);
	close(passed);
	assert_int_equal(read(barrier, text, 1), 0);
	close(barrier);
	close(manager);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	unsetenv("NOTIFY_SOCKET");
}

static void without_a_manager_nothing_is_stored(void **state)
{
	int barrier = 77;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(fdstore_put("watch-a-1-2", 2), -ENOTCONN);
	assert_int_equal(fdstore_remove("watch-a-1-2"), -ENOTCONN);
	assert_int_equal(fdstore_barrier(&barrier), -ENOTCONN);
	assert_int_equal(barrier, 77);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(any_name_of_a_file_comes_back),
		cmocka_unit_test(names_of_others_are_refused),
		cmocka_unit_test(manager_is_told_in_its_words),
		cmocka_unit_test(without_a_manager_nothing_is_stored),
	};

	return RUN(cases);
}
