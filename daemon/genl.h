/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's account, by generic netlink: dumps at start and after a loss,
 * notices in between, and the kernel's word when the module comes and goes.
 */
#ifndef WTRACKD_GENL_H
#define WTRACKD_GENL_H

#include <stdbool.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

struct genl;
struct genl_ranges;
struct manager;

int genl_new(struct manager *m, struct genl **ret);
void genl_free(struct genl *genl);
bool genl_is_up(const struct genl *genl);

/* Asks for all VMs and sessions, and takes over what the answer says. */
int genl_refresh(struct genl *genl);

/*
 * What a session tracks, which may be a lot: comes in pieces, from the event
 * loop. The last call of fn has nr 0 and the result; the handle is gone then.
 */
typedef void (*genl_ranges_fn)(void *userdata,
			       const struct wtrack_range *ranges, size_t nr,
			       int result);
int genl_get_ranges(struct genl *genl, uint64_t session_id, genl_ranges_fn fn,
		    void *userdata, struct genl_ranges **ret);
void genl_ranges_cancel(struct genl_ranges *ranges);

#endif
