// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are replaced: all of them or nothing, and no other file. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "put_file.h"
#include "test.h"

static char place[] = "/tmp/put-file.XXXXXX";
static char before[PATH_MAX];

/* Each case has a directory of its own, and is in it. */
static int enter(void **state)
{
	(void)state;
	strcpy(place + strlen(place) - 6, "XXXXXX");
	assert_non_null(getcwd(before, sizeof(before)));
	return !mkdtemp(place) || chdir(place) ? -1 : 0;
}

static int leave(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", place);
	return chdir(before) || system(command) ? -1 : 0;
}

static void make(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const char *content)
{
	char is[1024] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(is, 1, sizeof(is) - 1, file), strlen(content));
	fclose(file);
	assert_string_equal(is, content);
}

/* How many there are in the directory. */
static int nr_files(const char *path)
{
	DIR *dir = opendir(path);
	int nr = -2;

	assert_non_null(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void put(const char *path, const char *content)
{
	const char *why;

	assert_int_equal(put_file(path, content, strlen(content), &why), 0);
}

static void refused(const char *path, int err, const char *part)
{
	const char *why = NULL;

	assert_int_equal(put_file(path, "new", 3, &why), err);
	assert_non_null(why);
	if (!strstr(why, part))
		fail_msg("%s: %s", path, why);
}

static void a_file_is_made_and_replaced(void **state)
{
	mode_t mask = umask(0077);
	struct stat made, replaced;
	char byte;
	int old;

	(void)state;
	put("file.prom", "one\n");
	assert_content("file.prom", "one\n");
	assert_int_equal(stat("file.prom", &made), 0);
	assert_int_equal(made.st_mode, S_IFREG | 0644);
	chmod("file.prom", 0600);
	old = open("file.prom", O_RDONLY);
	put("./file.prom", "");
	umask(mask);
	assert_content("file.prom", "");
	assert_int_equal(stat("file.prom", &replaced), 0);
	assert_int_equal(replaced.st_mode, S_IFREG | 0644);
	/* Who reads the old one reads all of it. */
	assert_int_equal(read(old, &byte, 1), 1);
	assert_int_equal(byte, 'o');
	assert_int_equal(fstat(old, &made), 0);
	assert_int_not_equal(made.st_ino, replaced.st_ino);
	close(old);
	assert_int_equal(nr_files("."), 1);
}

static void any_name_will_do(void **state)
{
	char name[NAME_MAX + 2], path[PATH_MAX];

	(void)state;
	memset(name, 'x', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	refused(name, -ENAMETOOLONG, "too long");
	name[NAME_MAX] = '\0';
	put(name, "long");
	assert_content(name, "long");
	assert_int_equal(mkdir("dir", 0700), 0);
	snprintf(path, sizeof(path), "%s/dir//-", place);
	put(path, "absolute");
	assert_content("dir/-", "absolute");
	put("dir/../other", "up");
	assert_content("other", "up");
	assert_int_equal(nr_files("dir"), 1);
}

static void links_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	make("dir/victim", "old");
	assert_int_equal(symlink("dir/victim", "link"), 0);
	assert_int_equal(symlink("dir/nothing", "dangling"), 0);
	assert_int_equal(symlink("dir", "way"), 0);
	refused("link", -ELOOP, "symbolic link");
	refused("dangling", -ELOOP, "symbolic link");
	refused("way/victim", -ELOOP, "symbolic link");
	refused("way/nothing", -ELOOP, "symbolic link");
	refused("/proc/self/cwd/new", -ELOOP, "symbolic link");
	assert_content("dir/victim", "old");
	assert_int_equal(nr_files("dir"), 1);
	assert_int_equal(nr_files("."), 4);
}

static void what_is_no_file_is_left_alone(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	make("plain", "old");
	refused("dir", -EINVAL, "not a regular file");
	refused("fifo", -EINVAL, "not a regular file");
	refused("/dev/null", -EINVAL, "not a regular file");
	refused("dir/", -EISDIR, "directory");
	refused("dir/.", -EISDIR, "directory");
	refused("..", -EISDIR, "directory");
	refused("", -EISDIR, "directory");
	refused("plain/file", -ENOTDIR, "Not a directory");
	refused("none/file", -ENOENT, "No such file");
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(lstat("fifo", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_content("plain", "old");
	assert_int_equal(nr_files("."), 3);
	assert_int_equal(nr_files("dir"), 0);
}

static void a_failure_leaves_the_old_file(void **state)
{
	struct rlimit limit, none;
	const char *why;

	(void)state;
	make("file", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = limit;
	none.rlim_cur = 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(put_file("file", "new", 3, &why), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_string_equal(why, strerror(EFBIG));
	assert_content("file", "old");
	assert_int_equal(nr_files("."), 1);
}

/* A signal comes when the file is whole; the mask is what it was. */
static void signals_wait(void **state)
{
	sigset_t mask;

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
	put("file", "new");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_true(sigismember(&mask, SIGUSR1));
	assert_false(sigismember(&mask, SIGTERM));
	sigemptyset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

#define ROUNDS	300

static void write_often(char letter, size_t size)
{
	char data[256];
	const char *why;
	int i;

	memset(data, letter, size);
	for (i = 0; i < ROUNDS; i++)
		if (put_file("file", data, size, &why))
			_exit(1);
	_exit(0);
}

/* Whole, and of one of the two writers; false when there is none yet. */
static bool is_whole(void)
{
	char data[256];
	FILE *file = fopen("file", "r");
	size_t i, size;

	if (!file)
		return false;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	assert_int_equal(size, data[0] == 'a' ? 200 : 77);
	for (i = 0; i < size; i++)
		assert_int_equal(data[i], data[0]);
	return true;
}

static void readers_see_whole_files(void **state)
{
	pid_t writers[2];
	int i, status, left = 2;

	(void)state;
	for (i = 0; i < 2; i++) {
		writers[i] = fork();
		assert_true(writers[i] >= 0);
		if (!writers[i])
			write_often(i ? 'b' : 'a', i ? 77 : 200);
	}
	while (left) {
		is_whole();
		for (i = 0; i < 2; i++) {
			if (!writers[i] ||
			    waitpid(writers[i], &status, WNOHANG) <= 0)
				continue;
			assert_int_equal(status, 0);
			writers[i] = 0;
			left--;
		}
	}
	assert_true(is_whole());
	assert_int_equal(nr_files("."), 1);
}

#undef CASE
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, enter, leave)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_file_is_made_and_replaced),
		CASE(any_name_will_do),
		CASE(links_are_not_followed),
		CASE(what_is_no_file_is_left_alone),
		CASE(a_failure_leaves_the_old_file),
		CASE(signals_wait),
		CASE(readers_see_whole_files),
	};

	return RUN(cases);
}
