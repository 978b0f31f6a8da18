// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files there are: drop-ins in several directories. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Empty files are in the list until the end, since they hide others. */
static int add_dir(const char *dir, char ***paths)
{
	CLEANUP(free_p) char *path = NULL;
	struct dirent *entry;
	int r = 0;
	DIR *d;

	d = opendir(dir);
	if (!d)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (r >= 0 && (entry = readdir(d))) {
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

static bool is_empty(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT;
	return S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && !st.st_size);
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

int ini_list(const char *const *dirs, char ***ret_paths)
{
	char **paths = calloc(1, sizeof(*paths));
	int r = paths ? 0 : -ENOMEM;

	for (; r >= 0 && *dirs; dirs++)
		r = add_dir(*dirs, &paths);
	if (r < 0) {
		strv_free(paths);
		return r;
	}
	drop_empty(paths);
	qsort(paths, strv_length(paths), sizeof(*paths), by_name);
	*ret_paths = paths;
	return 0;
}
