/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One watch, one VM, and what stands in wtrackd's place. */
#ifndef SCENE_H
#define SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "message-ids.h"
#include "watch_session.h"

struct scene {
	char dir[64];
	int journald;		/* what is sent to the journal */
	int systemd;		/* what is sent to the service manager */
	struct shared shared;
	struct guest *guest;	/* without its thread */
	struct watch_config config;
	struct watch_counts counts;
	int open_error;		/* what wtrackd answers */
	unsigned int nr_requests;	/* that it has */
	unsigned int all_requests;	/* that it ever had */
	bool is_slow;		/* it does not answer */
	bool no_threads;	/* the service has as many as it may */
	/*
	 * Pipes: a request for the VM of process 1 writes to the first one, and then
	 * waits until the second one can be read.
	 */
	int hangs, goes_on;
	/* The newest entry that was looked at. */
	char entry[JOURNAL_ENTRY_BYTES + 1];
};

#define HANGS_PID	1

extern struct scene scene;

int scene_setup(void **state);
int scene_teardown(void **state);

/* What the main thread orders, done at once. */
void scene_order(struct guest_orders *orders);
/* Sessions that the service manager has no place for. */
unsigned int scene_nr_not_stored(void);
/* The watch's pages; it begins on the VM. */
struct watch_session *scene_start(const struct wtrack_range *ranges, size_t nr);
/* Another process takes over what the one before was killed with. */
struct watch_session *scene_restart(struct watch_session *session);
/* The loop runs until there is nothing to do, or for at least so long. */
void scene_run(unsigned int usec);
/* The loop runs, however long, until the journal, or systemd, is told something. */
void scene_await_entry(void);
void scene_await_told(void);
/* What epoll would say of the session. */
void scene_io(struct watch_session *session);
/* ... of all sessions, and always, when nothing more comes. */
void scene_hang_up(void);

/* The next entry: its MESSAGE_ID has to be this one. */
void expect(const char *id);
void expect_nothing(void);
/* Of that entry. */
void expect_field(const char *name, const char *value);
/* To the next one with this id, or to any one with NULL. */
bool skip_to(const char *id);
/* What the service manager was told, "" if nothing. */
void expect_told(const char *text);

#define SCENE(fn)	cmocka_unit_test_setup_teardown(fn, scene_setup, \
							scene_teardown)
#define PAGES(...) \
	((struct wtrack_range[]){ __VA_ARGS__ }), \
	sizeof((struct wtrack_range[]){ __VA_ARGS__ }) / \
	sizeof(struct wtrack_range)

#endif
