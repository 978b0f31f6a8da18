/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What udev tells: VMs come and go, and so does the module's device. */
#ifndef WTRACKD_UEVENT_H
#define WTRACKD_UEVENT_H

struct manager;
struct uevents;

int uevents_new(struct manager *m, struct uevents **ret);
void uevents_free(struct uevents *uevents);

#endif
