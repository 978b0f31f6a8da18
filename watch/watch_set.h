/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the set of watches call each other. */
#ifndef WTRACKD_WATCH_SET_H
#define WTRACKD_WATCH_SET_H

#include "watch_session.h"

/* watch_set.c */
struct watch *watch_find(struct watches *watches, const char *name);

/* watch.c: into the list, with its configuration, which it takes over. */
int watch_add(struct watches *watches, struct watch_config *config,
	      struct watch **ret);
/* Its sessions have left it, or are gone. */
void watch_free(struct watch *watch);
void watch_leave(struct watch *watch, const char *why);
/* Another configuration, which it takes over likewise. */
void watch_change(struct watch *watch, struct watch_config *config);
/* The VM is new, or its names are, or the watch is. */
void watch_consider(struct watch *watch, struct vm *vm);
void watch_consider_all(struct watch *watch);

/* watch_stored.c: sessions from the fd store, before their VMs are known. */
void watches_take_stored(struct watches *watches);
/* Has the watch a stored session on this VM? Then that is the VM's from now. */
bool watch_adopt(struct watch *watch, struct vm *vm);
/* Those that are nobody's after a while end. */
void watches_expire_stored(struct watches *watches);

#endif
