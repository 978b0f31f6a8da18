/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sent a message: what the bus itself says, which nobody can forge. */
#ifndef WTRACKD_CALLER_H
#define WTRACKD_CALLER_H

#include <systemd/sd-bus.h>

#include "policy.h"

/* The answer comes to fn, which reads it with caller_read(). */
int caller_ask(sd_bus_message *call, sd_bus_message_handler_t fn,
	       void *userdata, sd_bus_slot **ret);
/* *ret_groups is what ret->groups points to, to be freed. */
int caller_read(sd_bus_message *reply, struct policy_caller *ret,
		gid_t **ret_groups);

#endif
