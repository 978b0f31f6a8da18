// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_files.h"
#include "util.h"

const char *const config_dirs[] = {
	"/etc/wtrackd", "/run/wtrackd", "/usr/local/lib/wtrackd",
	"/usr/lib/wtrackd", NULL,
};

/* It may have been taken away since it was listed. */
static int read_one(const struct ini_reader *reader, const char *path)
{
	int r = ini_read(reader, path);

	return r == -ENOENT ? 0 : r;
}

static int read_main(const struct ini_reader *reader, const char *const *dirs)
{
	CLEANUP(free_p) char *path = NULL;
	int r = -ENOENT;

	for (; r == -ENOENT && *dirs; dirs++) {
		free(TAKE_PTR(path));
		if (asprintf(&path, "%s/wtrackd.conf", *dirs) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = ini_read(reader, path);
	}
	return r == -ENOENT ? 0 : r;
}

static int read_drop_ins(const struct ini_reader *reader,
			 const char *const *dirs)
{
	char **subdirs = config_subdirs(dirs, "wtrackd.conf.d");
	char **paths = NULL;
	size_t i;
	int r;

	if (!subdirs)
		return -ENOMEM;
	r = ini_list((const char *const *)subdirs, reader->report,
		     reader->userdata, &paths);
	for (i = 0; r >= 0 && paths[i]; i++)
		r = read_one(reader, paths[i]);
	strv_free(paths);
	strv_free(subdirs);
	return r;
}

int config_read(const struct ini_reader *reader, const char *const *dirs)
{
	int r;

	if (!dirs)
		dirs = config_dirs;
	r = read_main(reader, dirs);
	return r < 0 ? r : read_drop_ins(reader, dirs);
}

char **config_subdirs(const char *const *dirs, const char *name)
{
	char **subdirs = calloc(1, sizeof(*subdirs));
	char *path;

	if (!dirs)
		dirs = config_dirs;
	for (; subdirs && *dirs; dirs++) {
		if (asprintf(&path, "%s/%s", *dirs, name) < 0)
			path = NULL;
		if (strv_append(&subdirs, path) < 0) {
			strv_free(subdirs);
			return NULL;
		}
	}
	return subdirs;
}
