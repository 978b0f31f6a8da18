/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WTRACKD_END_H
#define WTRACKD_END_H

#include <systemd/sd-bus.h>

struct session;

/* Session.End(): what a method handler returns. */
int end_method(struct session *session, sd_bus_message *call,
	       sd_bus_error *error);

#endif
