// SPDX-License-Identifier: GPL-2.0-or-later
/* A directory for each case, and noise. */
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

char tree[64];

static uint32_t noise_state;

int tree_setup(void **state)
{
	(void)state;
	noise_state = 12345;
	snprintf(tree, sizeof(tree), "%s/wtrackd-test-XXXXXX", P_tmpdir);
	return mkdtemp(tree) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int tree_teardown(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *tree_path(const char *name)
{
	static char path[512];
	char *slash;

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	for (slash = strchr(path + strlen(tree) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	return path;
}

void tree_write_bytes(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(tree_path(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void tree_write(const char *name, const char *text)
{
	tree_write_bytes(name, text, strlen(text));
}

bool tree_has(const char *name)
{
	return access(tree_path(name), F_OK) == 0;
}

uint32_t noise(void)
{
	noise_state = noise_state * 1664525 + 1013904223;
	return noise_state >> 8;
}

void noise_fill(char *bytes, size_t size, const char *alphabet)
{
	size_t nr = strlen(alphabet) + 1, i;

	/* The null byte of the alphabet is one of its bytes. */
	for (i = 0; i < size; i++)
		bytes[i] = noise() % 8 ? alphabet[noise() % nr] :
					 (char)noise();
}
