/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening sessions: for clients, and for the daemon itself. */
#ifndef WTRACKD_OPEN_H
#define WTRACKD_OPEN_H

#include <systemd/sd-bus.h>

struct manager;
struct request;
struct session;
struct vm;
struct wtrack_session;

/* Manager.OpenSession(): what a method handler returns. */
int open_method(struct manager *m, sd_bus_message *call, sd_bus_error *error);

/* A session on the VM; the library's errors, and those of vm_copy_fd(). */
int open_vm(const struct vm *vm, struct wtrack_session **ret);

#endif
