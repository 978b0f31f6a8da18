/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the file of a kernel module says of itself. */
#ifndef CTL_MODULE_FILE_H
#define CTL_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct module_file - facts
 * @compressed: nothing else is known then
 * @is_signed: a signature follows the module; whose is not looked at
 * @vermagic: the kernel that it is for
 * @build_id: of the linker, hexadecimal; "" if there is none
 */
struct module_file {
	bool compressed;
	bool is_signed;
	char vermagic[128];
	char build_id[65];
};

/* Path of the module that modprobe would load: 0, or -ENOENT. */
int module_find(const char *release, const char *name, char *ret, size_t size);
/* 0, or -errno; -ENOEXEC when it is no module. */
int module_file_read(const char *path, struct module_file *ret);
/* The build id of a loaded module, "" if it has none. */
void module_loaded_id(const char *module, char *ret, size_t size);

#endif
