/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening sessions for clients. */
#ifndef WTRACKD_OPEN_H
#define WTRACKD_OPEN_H

#include <systemd/sd-bus.h>

struct manager;

/* Manager.OpenSession(): what a method handler returns. */
int open_method(struct manager *m, sd_bus_message *call, sd_bus_error *error);

#endif
