/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the set of watches call each other. */
#ifndef WTRACKD_WATCH_SET_H
#define WTRACKD_WATCH_SET_H

#include "watch_session.h"

struct watch *watch_find(struct watches *watches, const char *name);

/* watch_stored.c: sessions from the fd store, before their VMs are known. */
void watches_take_stored(struct watches *watches);
/* Has the watch a stored session on this VM? Then that is the VM's from now. */
bool watch_adopt(struct watch *watch, struct vm *vm);
/* Those that are nobody's after a while end. */
void watches_expire_stored(struct watches *watches);

#endif
