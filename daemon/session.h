/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of this host: those that clients opened through us, those of
 * the administrator's watches, and those that others opened on the device.
 * The module's account of them (genl.h) decides which ones there are.
 */
#ifndef WTRACKD_SESSION_H
#define WTRACKD_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include <wtrack/wtrack.h>

#include "limit.h"

struct genl_session;
struct genl_vm;
struct manager;
struct vm;

enum session_kind {
	SESSION_DIRECT,		/* opened without us */
	SESSION_CLIENT,		/* opened through us */
	SESSION_WATCH,		/* likewise, for a watch of the administrator's */
};

/* As of the newest dump. */
struct session_counters {
	uint32_t state;
	uint32_t records;
	uint32_t unread;
	uint64_t pages;
	uint64_t events;
	uint64_t merged;
	uint64_t overflows;
	uint64_t resync_writes;
	uint64_t regions_removed;
	uint64_t wakeups;
	uint64_t memory_bytes;
	uint64_t disarms;
	uint64_t over_budget;
	uint64_t rearms;
	uint64_t unreported;
};

struct session {
	LIST_ENTRY(session) link;
	struct manager *manager;
	uint64_t id;			/* the module's */
	struct vm *vm;			/* NULL when it cannot be told */
	uint64_t module_vm_id;		/* 0 before it is attached */
	pid_t vm_pid;			/* 0 when unknown or gone */
	int vm_fd;			/* -1 when unknown */
	enum session_kind kind;
	uid_t uid;			/* client, or who opened it */
	pid_t pid;
	uint64_t max_pages;		/* 0 when unknown: kind direct */
	struct limit_amount reserved;	/* all 0 when not limited */
	struct session_counters counters;
	struct session_counters coarse;	/* for those whom it is no concern of */
	char *path;
	sd_bus_slot *slot;
	bool seen;			/* by the dump under way */
	bool logged;			/* that it was opened */
};

const char *session_kind_name(enum session_kind kind);
/* Of one that is opened through us by that user. */
enum session_kind session_kind_of(const struct manager *m, uid_t uid);
struct session *session_find(struct manager *m, uint64_t id);

/*
 * Takes it into the account and puts it on the bus: a copy of fields. vm may
 * be NULL, it is looked for then. -EEXIST when there is one with this id.
 */
int session_add(struct manager *m, const struct session *fields, struct vm *vm,
		struct session **ret);
void session_log_opened(struct session *session);
/* It has a VM now, or had one: the module's number, and its process. */
void session_attached(struct session *session, uint64_t module_vm_id,
		      pid_t vm_pid);
void session_set_vm(struct session *session, struct vm *vm);
void session_vm_gone(struct session *session);
/* It is closed: gives back what it reserved, forgets its state file. */
void session_remove(struct session *session);
void sessions_free(struct manager *m);
/* The daemon is asked to stop: says which sessions go on without it. */
void sessions_tell_left(struct manager *m);
/* The module was removed, and all of them with it. */
void sessions_forget_all(struct manager *m);
/* All VMs of a process are known: which sessions of theirs are there? */
void sessions_process_scanned(struct manager *m, pid_t pid);

/* A dump, as genl_dump.c brings it: all of it, or the rest is unknown. */
void sessions_begin(struct manager *m);
void sessions_take_vm(struct manager *m, const struct genl_vm *vm);
void sessions_take(struct manager *m, const struct genl_session *dumped);
void sessions_end(struct manager *m, bool complete);

/*
 * Brings the counters of all sessions up to date, if they are older than 10
 * milliseconds. For properties: no session comes or goes meanwhile.
 */
void sessions_refresh(struct manager *m);
/*
 * What a caller gets: viewer.h. The coarse counters change at the beginning of a
 * period of the clock; when and how often callers ask makes no difference.
 */
const struct session_counters *session_counters(struct session *session,
						bool fresh);

#endif
