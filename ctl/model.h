/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemons know at one moment: VMs, sessions, watches. */
#ifndef CTL_MODEL_H
#define CTL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl.h"

struct json_object;

/* As the properties of org.wtrack1.VM; strings are never NULL. */
struct vm {
	char *path;
	int32_t pid;
	int32_t fd;
	uint32_t uid;
	char *name;
	char *machine;
	char *qemu_name;
	char *cgroup;
	char *comm;
	uint64_t vm_id;
	uint64_t pages;		/* distinct ones that are tracked */
	uint64_t writes;	/* of the guest to them, once each */
	uint64_t memory_bytes;
	bool gone;
	size_t nr_sessions;	/* counted in the model */
};

/* Those that grow, for rates. */
struct counters {
	uint64_t events;
	uint64_t merged;
	uint64_t overflows;
	uint64_t resync_writes;
	uint64_t regions_removed;
	uint64_t wakeups;
	uint64_t disarms;
	uint64_t over_budget;
	uint64_t rearms;
	uint64_t unreported;
};

/* As the properties of org.wtrack1.Session. */
struct session {
	char *path;
	uint64_t id;
	char *vm_path;
	char *kind;
	uint32_t client_uid;
	int32_t client_pid;
	uint32_t state;
	uint64_t pages;
	uint64_t max_pages;
	uint32_t records;
	uint32_t unread;
	uint64_t memory_bytes;
	struct counters counters;
	const struct vm *vm;	/* of the same model, or NULL */
	const struct watch *watch;	/* likewise: whose it is */
};

struct session_ids {
	uint64_t *ids;
	size_t nr;
};

/* As the properties of org.wtrack1.Watch. */
struct watch {
	char *path;
	char *name;
	char *file;
	uint64_t events;
	uint64_t suppressed;
	struct session_ids sessions;
	bool active;
};

/* VMs by pid and descriptor, sessions by id, watches by name. */
struct model {
	struct vm *vms;
	size_t nr_vms;
	struct session *sessions;
	size_t nr_sessions;
	struct watch *watches;
	size_t nr_watches;
};

/* What wtrackd tells in one call, and the watches. 0, or the exit code. */
int model_load(struct ctl *ctl, struct model *ret);
/* The same, telling nobody of a failure: a negative errno then. */
int model_try(struct ctl *ctl, struct model *ret);
void model_free(struct model *model);

const struct vm *model_vm(const struct model *model, const char *path);

/* "4711", or "4711:9" for one of several VMs of a process. */
const char *vm_label(const struct model *model, const struct vm *vm, char *buf,
		     size_t size);
/* "attached,ring", as the bits of struct wtrack_status. */
char *state_text(uint32_t state, char *buf, size_t size);

struct json_object *vm_to_json(const struct vm *vm);
struct json_object *session_to_json(const struct session *session);
struct json_object *counters_to_json(const struct counters *counters);

/* The sum's names, in the order of struct counters. */
#define NR_COUNTERS	(sizeof(struct counters) / sizeof(uint64_t))
extern const char *const counter_names[NR_COUNTERS];
uint64_t counter_get(const struct counters *counters, size_t i);
void counters_add(struct counters *sum, const struct counters *counters);

#endif
