/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VM, and the thread that serves the watches on it.
 *
 * Whatever is done with a session may take as long as KVM and the VMM let it take,
 * so nothing but the VM's own thread uses one: it asks wtrackd for it, adds its
 * pages, reads its ring and writes its entries. The main thread knows which watches
 * match which VMs. It tells a guest what is wanted, and reads what the guest
 * reports; both are copied under the guest's lock, which nobody holds while waiting.
 */
#ifndef WATCH_GUEST_H
#define WATCH_GUEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "journal.h"
#include "shared.h"
#include "watch_config.h"

struct watch_session;
LIST_HEAD(watch_session_list, watch_session);
LIST_HEAD(guest_list, guest);

/* What the threads count for a watch. Shared by reference. */
struct watch_counts {
	unsigned int refs;		/* atomic, and so are these: */
	uint64_t events;
	uint64_t suppressed;
};

struct watch_counts *watch_counts_new(void);
struct watch_counts *watch_counts_ref(struct watch_counts *counts);
void watch_counts_unref(struct watch_counts *counts);

/* A watch that a VM is to have, or is not to have any more. */
struct wanted {
	char *name;
	struct watch_config *config;	/* a reference; NULL: not any more */
	struct watch_counts *counts;	/* a reference, or NULL without config */
	const char *why;		/* constant: it ends. NULL with config */
};

/* A session of the process before this one, from the fd store. */
struct stored {
	char *store_name;
	char *name;			/* of the watch */
	uint64_t vm_id;
	int vm_pid;
	int fd;
};

/* Which of the sessions that could not be opened, or were lost, are tried now. */
enum guest_retry {
	RETRY_NONE,
	RETRY_FAILED,
	RETRY_ALL,			/* an administrator has ended them, too */
};

/* What the main thread tells. */
struct guest_orders {
	struct wanted *wanted;
	size_t nr_wanted;
	char *vm_name;			/* NULL as long as it is not known */
	uid_t uid;			/* of the VM */
	int vm_fd;			/* -1 when not known */
	bool present;			/* wtrackd has it, and it is not gone */
	enum guest_retry retry;
	bool stop;			/* the service ends */
};

/* What the main thread reads, of each session. */
struct report {
	char *name;
	uint64_t session_id;
	bool active;
	int error;			/* why it waits, or 0 */
};

struct guest {
	/* Of the main thread. */
	LIST_ENTRY(guest) link;
	struct shared *shared;
	uint64_t vm_id;			/* of stored sessions, else 0 */
	bool has_thread;

	/* Constant. */
	int vm_pid;
	int wake_fd;			/* an eventfd: there are orders */

	pthread_t thread;		/* of the main thread, while has_thread */
	pthread_mutex_t lock;
	/* (lock) */
	struct guest_orders orders;
	struct stored *stored;
	size_t nr_stored;
	bool has_orders;
	bool obeying;			/* what was ordered is being done */
	bool asked;			/* whether it comes back at all */
	uint64_t ordered_usec;		/* since when one of them waits */
	struct report *reports;
	size_t nr_reports;
	bool ended;			/* the thread does nothing any more */

	/* Of the thread. */
	sd_event *event;
	struct watch_session_list sessions;
	char *vm_name;			/* "" when not known */
	int vm_fd;			/* -1 when not known */
	uid_t uid;
	bool named;			/* its name is known, or will not be */
	bool present;
	struct journal journal;
	/* One of them while sessions wait for the journal. */
	sd_event_source *journal_io;
	sd_event_source *journal_timer;
	/* Filled in and sent; too large for the stack of a callback. */
	struct journal_entry entry;
};

/* Of the main thread. The descriptors and names in @stored are taken over. */
int guest_new(struct shared *shared, int vm_pid, struct guest **ret);
int guest_add_stored(struct guest *guest, const struct stored *stored);
/*
 * Takes over what @orders refers to, also when it fails. Starts a thread if there
 * is none and something is to be done.
 */
int guest_order(struct guest *guest, struct guest_orders *orders);
void guest_orders_clear(struct guest_orders *orders);
/* There are orders for a thread that has ended: starts another one. */
void guest_revive(struct guest *guest);
/* It has no session, and nothing to do. */
bool guest_is_idle(struct guest *guest);
/* Has the thread ended, so that guest_free() does not wait? */
bool guest_has_ended(struct guest *guest);
/* Has the thread look at its orders, if there are any or not. */
void guest_ask(struct guest *guest);
/* It has not done so for so long. */
uint64_t guest_waits_usec(struct guest *guest);
/* Calls fn for each report, under the lock, until it returns an error. */
int guest_each_report(struct guest *guest,
		      int (*fn)(const struct report *report, void *userdata),
		      void *userdata);
/* Waits for the thread if there is one. */
void guest_free(struct guest *guest);

/* Of the thread, also for tests without one. */
int guest_begin(struct guest *guest);
void guest_end(struct guest *guest);
/* Does what was ordered; -ECANCELED when that is to stop. */
int guest_obey(struct guest *guest);
/* Reports what the sessions are like now. */
void guest_report(struct guest *guest);

#endif
