/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks polkit, and does something else until it answers. */
#ifndef WTRACKD_POLKIT_H
#define WTRACKD_POLKIT_H

#include <systemd/sd-bus.h>

#define ACTION_OPEN_SESSION	"org.wtrack1.open-session"
#define ACTION_INSPECT		"org.wtrack1.inspect"
#define ACTION_END_SESSION	"org.wtrack1.end-session"
#define ACTION_MANAGE		"org.wtrack1.manage"

struct polkit_check;

enum polkit_answer {
	POLKIT_YES,
	POLKIT_NO,
	POLKIT_CHALLENGE,	/* would have to ask somebody, and may not */
	POLKIT_FAILED,		/* is not there, or does not understand us */
};

typedef void (*polkit_fn)(void *userdata, enum polkit_answer answer);

/*
 * May the sender of call do action? It is asked for a password only when call
 * allows that. details are pairs, ended by NULL. Not called back after
 * polkit_cancel(), which also takes the dialog away. The handle is gone when fn
 * is called.
 */
int polkit_check(sd_bus_message *call, const char *action,
		 const char *const *details, polkit_fn fn, void *userdata,
		 struct polkit_check **ret);
void polkit_cancel(struct polkit_check *check);

#endif
