// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files there are: drop-ins in several directories. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ini.h"
#include "util.h"

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static bool is_wanted(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 &&
	       !strcmp(name + length - 5, ".conf");
}

static bool is_hidden(char *const *paths, const char *name)
{
	for (; paths && *paths; paths++)
		if (!strcmp(base_name(*paths), name))
			return true;
	return false;
}

static int cannot_read(const char *dir, int error, ini_report_fn report,
		       void *userdata)
{
	char message[128];

	snprintf(message, sizeof(message), "cannot be read: %s",
		 strerror(error));
	if (report)
		report(userdata, dir, 0, message);
	return -error;
}

/* Empty files are in the list until the end, since they hide others. */
static int add_dir(const char *dir, ini_report_fn report, void *userdata,
		   char ***paths)
{
	CLEANUP(free_p) char *path = NULL;
	struct dirent *entry;
	int r = 0;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 :
		       cannot_read(dir, errno, report, userdata);
	while (r >= 0) {
		errno = 0;
		entry = readdir(d);
		if (!entry) {
			if (errno)
				r = cannot_read(dir, errno, report, userdata);
			break;
		}
		if (!is_wanted(entry->d_name) ||
		    is_hidden(*paths, entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", dir, entry->d_name) < 0)
			path = NULL;
		r = strv_append(paths, TAKE_PTR(path));
	}
	closedir(d);
	return r;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* What cannot be looked at is not: reading it will tell. */
static bool is_empty(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return is_null(&st) || (S_ISREG(st.st_mode) && !st.st_size);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a),
		      base_name(*(char *const *)b));
}

static void drop_empty(char **paths)
{
	char **from, **to = paths;

	for (from = paths; from && *from; from++) {
		if (is_empty(*from))
			free(*from);
		else
			*to++ = *from;
	}
	if (to)
		*to = NULL;
}

int ini_list(const char *const *dirs, ini_report_fn report, void *userdata,
	     char ***ret_paths)
{
	char **paths = calloc(1, sizeof(*paths));
	int r = paths ? 0 : -ENOMEM;

	for (; r >= 0 && *dirs; dirs++)
		r = add_dir(*dirs, report, userdata, &paths);
	if (r < 0) {
		strv_free(paths);
		return r;
	}
	drop_empty(paths);
	qsort(paths, strv_length(paths), sizeof(*paths), by_name);
	*ret_paths = paths;
	return 0;
}
