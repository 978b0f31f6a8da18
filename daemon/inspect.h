/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WTRACKD_INSPECT_H
#define WTRACKD_INSPECT_H

#include <systemd/sd-bus.h>

struct session;

/* Session.ListRanges(): what a method handler returns. */
int inspect_method(struct session *session, sd_bus_message *call,
		   sd_bus_error *error);

#endif
