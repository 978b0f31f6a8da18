// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "module.h"
#include "tap.h"

#define PARAM_PATH	"/sys/module/kvm_wtrack/parameters/%s"

long long file_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoll(text) : -1;
}

void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		tap_fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
}

int module_refs(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return file_number(path);
}

const char *module_vendor(void)
{
	return module_refs("kvm_intel") >= 0 ? "kvm_intel" : "kvm_amd";
}

bool paging_is_nested(void)
{
	bool amd = !strcmp(module_vendor(), "kvm_amd");
	char value = 0;
	int fd = open(amd ? "/sys/module/kvm_amd/parameters/npt" :
		      "/sys/module/kvm_intel/parameters/ept",
		      O_RDONLY | O_CLOEXEC);

	CHECK_SYS(fd >= 0 && read(fd, &value, 1) == 1);
	close(fd);
	return value == 'Y' || value == '1';
}

bool code16_is_unknown(void)
{
	unsigned int major, minor;
	struct utsname u;

	CHECK_SYS(!uname(&u));
	CHECK_EQ(sscanf(u.release, "%u.%u", &major, &minor), 2);
	return strcmp(module_vendor(), "kvm_intel") &&
	       (major > 6 || (major == 6 && minor >= 18));
}

uint64_t module_param(const char *param)
{
	char path[128];
	long long value;

	snprintf(path, sizeof(path), PARAM_PATH, param);
	value = file_number(path);
	if (value < 0)
		tap_fail(__FILE__, __LINE__, "no parameter %s", param);
	return value;
}

int module_try_param(const char *param, const char *value)
{
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), PARAM_PATH, param);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_SYS(fd >= 0);
	err = write(fd, value, strlen(value)) < 0 ? errno : 0;
	close(fd);
	return err;
}

void module_set_param(const char *param, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	CHECK_ERRNO(module_try_param(param, text), 0);
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

/* The name of a module's file has hyphens or underscores, as its author likes. */
static int open_module(const char *dir, const char *name)
{
	char path[256], *p;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.ko", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	for (p = path + strlen(dir); *p; p++)
		if (*p == '_')
			*p = '-';
	return open(path, O_RDONLY | O_CLOEXEC);
}

int module_load(const char *name, const char *params)
{
	struct utsname u;
	char dir[128];
	int fd, r;

	fd = open_module("/lib", name);
	if (fd < 0) {
		uname(&u);
		snprintf(dir, sizeof(dir), "/lib/modules/%s", u.release);
		fd = open_module(dir, name);
	}
	if (fd < 0)
		tap_fail(__FILE__, __LINE__, "no file of module %s", name);
	r = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);
	return r;
}
