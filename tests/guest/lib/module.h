/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel modules: references, parameters, loading and unloading. */
#ifndef GUEST_MODULE_H
#define GUEST_MODULE_H

#include <stdbool.h>
#include <stdint.h>

/* References to the module, -1 when it is not loaded. */
int module_refs(const char *name);
/* "kvm_amd" or "kvm_intel", the one that is loaded. */
const char *module_vendor(void);

/* Whether guests have nested page tables, npt or ept of the vendor module. */
bool paging_is_nested(void);
/*
 * Kernels from 6.18 on tell nobody where 16-bit code is, and only Intel's VMCS
 * does: each of its stores disarms its page then.
 */
bool code16_is_unknown(void);

/* A parameter of kvm_wtrack; a case that sets one sets it back. */
uint64_t module_param(const char *param);
void module_set_param(const char *param, uint64_t value);
/* Writes it: the errno, or 0. */
int module_try_param(const char *param, const char *value);

/* delete_module(2) and finit_module(2): the errno, or 0. */
int module_unload(const char *name);
/* The file is found by its name in /lib or in the kernel's folder there. */
int module_load(const char *name, const char *params);

/* The number in a file like those of sysfs, or -1. */
long long file_number(const char *path);
/* Writes the text to such a file. */
void file_write(const char *path, const char *text);

#endif /* GUEST_MODULE_H */
