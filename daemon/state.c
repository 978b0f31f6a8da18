// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/number.h"
#include "state.h"
#include "util.h"

#define MAX_BYTES	1024
#define MAX_NAME	32

/* Every key of a file, once, in any order. */
enum key { KEY_SESSION, KEY_OPENER_PID, KEY_UID, KEY_PID, KEY_VM_PID, KEY_VM_FD,
	   KEY_MAX_PAGES, KEY_MAX_RECORDS, NR_KEYS };

static const struct {
	const char *name;
	uint64_t max;
} keys[NR_KEYS] = {
	[KEY_SESSION] = { "session", UINT64_MAX },
	[KEY_OPENER_PID] = { "opener_pid", INT_MAX },
	[KEY_UID] = { "uid", UINT32_MAX },
	[KEY_PID] = { "pid", INT_MAX },
	[KEY_VM_PID] = { "vm_pid", INT_MAX },
	[KEY_VM_FD] = { "vm_fd", INT_MAX },
	[KEY_MAX_PAGES] = { "max_pages", UINT64_MAX },
	[KEY_MAX_RECORDS] = { "max_records", UINT32_MAX },
};

static void to_values(const struct state *state, uint64_t *values)
{
	values[KEY_SESSION] = state->session_id;
	values[KEY_OPENER_PID] = (uint64_t)state->opener_pid;
	values[KEY_UID] = state->uid;
	values[KEY_PID] = (uint64_t)state->pid;
	values[KEY_VM_PID] = (uint64_t)state->vm_pid;
	values[KEY_VM_FD] = (uint64_t)state->vm_fd;
	values[KEY_MAX_PAGES] = state->max_pages;
	values[KEY_MAX_RECORDS] = state->max_records;
}

static void from_values(const uint64_t *values, struct state *ret)
{
	*ret = (struct state) {
		.session_id = values[KEY_SESSION],
		.opener_pid = (pid_t)values[KEY_OPENER_PID],
		.uid = (uid_t)values[KEY_UID],
		.pid = (pid_t)values[KEY_PID],
		.vm_pid = (pid_t)values[KEY_VM_PID],
		.vm_fd = (int)values[KEY_VM_FD],
		.max_pages = values[KEY_MAX_PAGES],
		.max_records = (uint32_t)values[KEY_MAX_RECORDS],
	};
}

int state_format(const struct state *state, char **ret)
{
	uint64_t values[NR_KEYS];
	size_t used = 0, i;
	char *text;

	text = malloc(MAX_BYTES);
	if (!text)
		return -ENOMEM;
	to_values(state, values);
	for (i = 0; i < NR_KEYS; i++)
		used += (size_t)snprintf(text + used, MAX_BYTES - used,
					 "%s=%" PRIu64 "\n", keys[i].name,
					 values[i]);
	*ret = text;
	return 0;
}

static int find_key(const char *name, size_t length)
{
	int i;

	for (i = 0; i < NR_KEYS; i++)
		if (strlen(keys[i].name) == length &&
		    !memcmp(keys[i].name, name, length))
			return i;
	return -EBADMSG;
}

/* One line without its end, which is a null byte. */
static int parse_line(const char *line, uint64_t *values, bool *seen)
{
	const char *equals = strchr(line, '=');
	int key;

	if (!equals)
		return -EBADMSG;
	key = find_key(line, (size_t)(equals - line));
	if (key < 0 || seen[key])
		return -EBADMSG;
	seen[key] = true;
	return number_parse_decimal(equals + 1, 0, keys[key].max, &values[key]) ?
	       -EBADMSG : 0;
}

int state_parse(const char *text, size_t size, struct state *ret)
{
	uint64_t values[NR_KEYS];
	bool seen[NR_KEYS] = {};
	char line[MAX_BYTES];
	const char *end;
	size_t i;

	while (size) {
		end = memchr(text, '\n', size);
		if (!end || (size_t)(end - text) >= sizeof(line) ||
		    memchr(text, '\0', (size_t)(end - text)))
			return -EBADMSG;
		memcpy(line, text, (size_t)(end - text));
		line[end - text] = '\0';
		if (parse_line(line, values, seen) < 0)
			return -EBADMSG;
		size -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	for (i = 0; i < NR_KEYS; i++)
		if (!seen[i])
			return -EBADMSG;
	from_values(values, ret);
	return 0;
}

static int write_all(int fd, const char *text)
{
	size_t size = strlen(text), done = 0;
	ssize_t n;

	while (done < size) {
		n = write(fd, text + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Under another name first. A crash of the host ends the session as well. */
static int replace(int dir, const char *name, const char *text)
{
	CLEANUP(close_p) int fd = -1;
	char temporary[MAX_NAME + 8];
	int r;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	fd = openat(dir, temporary,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r >= 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void file_name(uint64_t session_id, char name[MAX_NAME])
{
	snprintf(name, MAX_NAME, "%" PRIu64, session_id);
}

int state_write(const char *dir, const struct state *state)
{
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(close_p) int fd = -1;
	char name[MAX_NAME];
	int r;

	r = state_format(state, &text);
	if (r < 0)
		return r;
	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	file_name(state->session_id, name);
	return replace(fd, name, text);
}

int state_read(const char *dir, uint64_t session_id, struct state *ret)
{
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(close_p) int fd = -1;
	char name[MAX_NAME];
	struct state state;
	size_t size;
	int r;

	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	file_name(session_id, name);
	r = read_file_at(fd, name, MAX_BYTES, &text, &size);
	if (r < 0)
		return r;
	r = state_parse(text, size, &state);
	if (r < 0)
		return r;
	if (state.session_id != session_id)
		return -EBADMSG;
	*ret = state;
	return 0;
}

int state_remove(const char *dir, uint64_t session_id)
{
	CLEANUP(close_p) int fd = -1;
	char name[MAX_NAME];

	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	file_name(session_id, name);
	return unlinkat(fd, name, 0) < 0 ? -errno : 0;
}

static bool is_kept(const char *name,
		    int (*keep)(uint64_t session_id, void *userdata),
		    void *userdata)
{
	char canonical[MAX_NAME];
	uint64_t id;

	if (number_parse_decimal(name, 0, UINT64_MAX, &id))
		return false;
	file_name(id, canonical);
	return !strcmp(name, canonical) && keep(id, userdata);
}

int state_clean(const char *dir,
		int (*keep)(uint64_t session_id, void *userdata),
		void *userdata)
{
	struct dirent *entry;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return -errno;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    !is_kept(entry->d_name, keep, userdata))
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	return 0;
}
