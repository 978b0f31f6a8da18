// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files in /proc say, apart from where they are. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "utf8.h"
#include "util.h"

/* The value of the line that begins with key, or NULL. */
static const char *find_line(const char *text, const char *key)
{
	size_t length = strlen(key);

	while (text) {
		if (!strncmp(text, key, length))
			return text + length;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

int proc_parse_status(const char *text, struct proc_ids *ret)
{
	const char *uids = find_line(text, "Uid:");
	const char *tgid = find_line(text, "Tgid:");
	struct proc_ids ids;

	if (!uids || !tgid ||
	    sscanf(uids, " %u %u %u", &ids.uid, &ids.euid, &ids.suid) != 3 ||
	    sscanf(tgid, " %d", &ids.tgid) != 1 || ids.tgid <= 0)
		return -EBADMSG;
	*ret = ids;
	return 0;
}

/*
 * The next of the parts of an option that commas separate, two of them in a
 * row stand for one. Copied to part, which has room for all of text.
 */
static const char *next_part(const char *text, char *part)
{
	for (; *text; text++) {
		if (*text == ',' && text[1] != ',')
			break;
		if (*text == ',')
			text++;
		*part++ = *text;
	}
	*part = '\0';
	return *text ? text + 1 : text;
}

/*
 * QEMU takes -name NAME, and options in any order: -name guest=NAME,
 * debug-threads=on, process=NAME. The first part may be NAME alone.
 */
static int name_of_option(const char *option, char **ret)
{
	CLEANUP(free_p) char *part = malloc(strlen(option) + 1);
	CLEANUP(free_p) char *name = strdup("");
	const char *value, *start = option;
	bool bare;

	if (!part || !name)
		return -ENOMEM;
	while (*option) {
		bare = option == start && option[strcspn(option, "=,")] != '=';
		option = next_part(option, part);
		value = bare ? part :
			!strncmp(part, "guest=", 6) ? part + 6 : NULL;
		if (value && string_set(&name, value) < 0)
			return -ENOMEM;
	}
	return utf8_clean(name, strlen(name), ret);
}

static const char *next_argument(const char *at, const char *end)
{
	const char *null = memchr(at, '\0', (size_t)(end - at));

	return null ? null + 1 : end;
}

/* A program with another name is not QEMU, whatever its arguments are. */
static bool is_qemu(const char *program)
{
	const char *slash = strrchr(program, '/');

	program = slash ? slash + 1 : program;
	return !strncmp(program, "qemu", 4) || !strcmp(program, "kvm");
}

int proc_parse_qemu_name(const char *cmdline, size_t size, char **ret)
{
	CLEANUP(free_p) char *copy = malloc(size + 1);
	CLEANUP(free_p) char *name = strdup("");
	const char *at, *end;
	char *fresh;

	if (!copy || !name)
		return -ENOMEM;
	memcpy(copy, cmdline, size);
	copy[size] = '\0';
	at = copy;
	end = copy + size;
	if (at < end && is_qemu(at)) {
		for (; at < end; at = next_argument(at, end)) {
			if (strcmp(at, "-name") && strcmp(at, "--name"))
				continue;
			at = next_argument(at, end);
			if (at >= end)
				break;
			/* Of several, the last one counts. */
			if (name_of_option(at, &fresh) < 0)
				return -ENOMEM;
			free(name);
			name = fresh;
		}
	}
	*ret = TAKE_PTR(name);
	return 0;
}

int proc_parse_cgroup(const char *text, char **ret)
{
	const char *path = find_line(text, "0::");
	size_t length = path ? strcspn(path, "\n") : 0;
	char *copy;

	/* Escapes of systemd stay as they are: it is a path to be matched. */
	if (length >= PATH_MAX)
		return -EBADMSG;
	copy = strndup(path ? path : "", length);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* systemd's names of units: \xNN is a byte, - stands for /. */
static size_t unescape(const char *text, size_t size, char *out)
{
	size_t in = 0, length = 0;

	while (in < size) {
		if (size - in >= 4 && text[in] == '\\' && text[in + 1] == 'x' &&
		    hex_digit(text[in + 2]) >= 0 &&
		    hex_digit(text[in + 3]) >= 0) {
			out[length++] = (char)(hex_digit(text[in + 2]) << 4 |
					       hex_digit(text[in + 3]));
			in += 4;
		} else {
			out[length++] = text[in] == '-' ? '/' : text[in];
			in++;
		}
	}
	return length;
}

/*
 * The unit of systemd that a cgroup is in: behind the slices. What is below a
 * unit is named by its processes, hence by any user.
 */
static const char *unit_of(const char *cgroup, size_t *ret_length)
{
	static const char slice[] = ".slice";
	const size_t suffix = sizeof(slice) - 1;
	size_t length = 0;

	while (*cgroup == '/') {
		cgroup++;
		length = strcspn(cgroup, "/");
		if (length < suffix ||
		    strncmp(cgroup + length - suffix, slice, suffix))
			break;
		cgroup += length;
		length = 0;
	}
	*ret_length = length;
	return cgroup;
}

int proc_parse_machine(const char *cgroup, char **ret)
{
	static const char prefix[] = "machine-", suffix[] = ".scope";
	const size_t before = sizeof(prefix) - 1, behind = sizeof(suffix) - 1;
	char out[NAME_MAX + 1];
	const char *unit;
	size_t length;

	unit = unit_of(cgroup, &length);
	if (length > NAME_MAX || length < before + behind ||
	    strncmp(unit, prefix, before) ||
	    strncmp(unit + length - behind, suffix, behind))
		return utf8_clean("", 0, ret);
	length = unescape(unit + before, length - before - behind, out);
	return utf8_clean(out, length, ret);
}
