/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machine.py calls, and what of fake.c goes by another name here. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kvm_wtrack.h>

struct fake_daemon;

int fake_sys_poll(int fd, short events, int timeout_ms, short *ret_revents);
void fake_sys_munmap(void *mem, size_t length);

void machine_setup(void);
int machine_teardown(void);
void machine_write(uint64_t gpa, const void *data, uint16_t len);
void machine_publish(const struct kvm_wtrack_record *record);
void machine_region_removed(uint64_t gfn, uint64_t nr_pages);
void machine_vm_gone(void);
void machine_region_added(uint64_t gfn, uint64_t nr_pages, uint32_t flags);
void machine_add_features(uint64_t features);
void machine_memory_write(uint64_t gpa, const void *data, size_t len);
void machine_store(uint64_t gpa, const void *data, uint16_t len);
void machine_unreadable(uint64_t gfn, int err);
void machine_change_regions(int times);
void machine_refuse(uint64_t gfn, int err);
void machine_fail(int call, int err);
void machine_daemon_delays(int times);
void machine_daemon_says(const char *error, const char *message);
void machine_vmm(const int *fds, int nr);
int machine_session_fd(uint32_t records);
const struct kvm_wtrack_restrict *machine_restriction(void);
const struct kvm_wtrack_tune *machine_tune(void);
void machine_end(void);
const struct kvm_wtrack_ring *machine_ring(void);
const struct fake_daemon *machine_daemon(void);

#endif
