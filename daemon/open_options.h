/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WTRACKD_OPEN_OPTIONS_H
#define WTRACKD_OPEN_OPTIONS_H

#include <systemd/sd-bus.h>

#include "config.h"
#include "limit.h"
#include "request.h"

/* The name of a VM, FindVM's argument, out of the message into the request. */
int open_options_read_vm(struct request *request, sd_bus_message *call,
			 sd_bus_error *error);
/* OpenSession's arguments out of the message, into the request. */
int open_options_read(struct request *request, sd_bus_message *call,
		      sd_bus_error *error);

/*
 * What the session may use, and so what is reserved: what was asked for, else
 * the user's limits divided by the sessions that the user may have. Neither
 * goes beyond the limits of a session, nor beyond what the module knows. -ERANGE
 * when more was asked for than one session may have, with the key that says so
 * and its value.
 */
int open_options_amount(const struct open_options *options,
			const struct config *config,
			const struct wtrack_info *info,
			struct limit_amount *ret, uint32_t *ret_records,
			const char **ret_key, uint64_t *ret_max);

#define RECORD_BYTES	64	/* that a record takes in a ring */

#endif
