/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is reading the bus. What a guest does shows in the counters of sessions on
 * it: how many stores, when. They are a side channel into the VMs of others.
 */
#ifndef WTRACKD_VIEWER_H
#define WTRACKD_VIEWER_H

#include <stdbool.h>
#include <sys/types.h>

struct manager;
struct session;
struct vm;

/*
 * The counters are as of now for root and the configured group, and for the users
 * of the VM and of the session; for others as of the last time that a full period
 * began. These say which ones the caller of the message that is being handled
 * gets. vm and session may be NULL.
 */
#define VIEWER_PERIOD_USEC	(UINT64_C(10) * 1000000)

bool viewer_sees_all(struct manager *m);
bool viewer_sees_vm(struct vm *vm);
bool viewer_sees_session(struct session *session);

#endif
