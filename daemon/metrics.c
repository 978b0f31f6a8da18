// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "manager.h"
#include "metrics.h"
#include "metrics_text.h"
#include "session.h"
#include "util.h"
#include "vm.h"
#include "watch.h"

/* metrics_text.h's arrays, which here may be written to. */
struct gathered {
	bool fresh;		/* viewer.h */
	struct metrics metrics;
	struct metrics_vm *vms;
	struct metrics_session *sessions;
	struct metrics_count *watches;
	struct metrics_count refusals[NR_RULES];
};

static void add_to_vm(struct metrics_vm *entry, struct session *session,
		      bool fresh)
{
	const struct session_counters *counters =
		session_counters(session, fresh);

	entry->sessions++;
	entry->pages += counters->pages;
	entry->memory_bytes += counters->memory_bytes;
}

static int gather_vms(struct manager *m, struct gathered *gathered)
{
	struct session *session;
	struct metrics_vm *entry;
	struct vm *vm;
	size_t nr = 0;

	LIST_FOREACH(vm, &m->vms, link)
		nr += !vm->gone;
	entry = gathered->vms = calloc(nr + 1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	LIST_FOREACH(vm, &m->vms, link) {
		if (vm->gone)
			continue;
		entry->pid = vm->process->pid;
		entry->fd = vm->fd;
		entry->name = vm_name(vm);
		entry->memory_bytes = vm->memory_bytes;
		LIST_FOREACH(session, &m->sessions, link)
			if (session->vm == vm)
				add_to_vm(entry, session, gathered->fresh);
		entry++;
	}
	gathered->metrics.vms = gathered->vms;
	gathered->metrics.nr_all_vms = nr;
	gathered->metrics.nr_vms = nr;
	return 0;
}

static struct metrics_session session_entry(struct session *session, bool fresh)
{
	const struct session_counters *counters =
		session_counters(session, fresh);
	const struct vm *vm = session->vm;

	return (struct metrics_session){
		.id = session->id,
		.vm_pid = vm ? vm->process->pid : 0,
		.vm_name = vm ? vm_name(vm) : "",
		.uid = session->uid,
		.pages = counters->pages,
		.events = counters->events,
		.merged = counters->merged,
		.overflows = counters->overflows,
		.resync_writes = counters->resync_writes,
		.disarms = counters->disarms,
		.over_budget = counters->over_budget,
		.rearms = counters->rearms,
		.unreported = counters->unreported,
		.unread = counters->unread,
		.records = counters->records,
		.memory_bytes = counters->memory_bytes,
	};
}

static int gather_sessions(struct manager *m, struct gathered *gathered)
{
	struct metrics *metrics = &gathered->metrics;
	struct session *session;
	size_t i, nr = 0;

	for (i = 0; i < METRICS_KINDS; i++)
		metrics->kinds[i].label = session_kind_name((int)i);
	LIST_FOREACH(session, &m->sessions, link) {
		metrics->kinds[session->kind].value++;
		nr++;
	}
	if (!m->config.per_session)
		return 0;
	gathered->sessions = calloc(nr + 1, sizeof(*gathered->sessions));
	if (!gathered->sessions)
		return -ENOMEM;
	nr = 0;
	LIST_FOREACH(session, &m->sessions, link)
		gathered->sessions[nr++] =
			session_entry(session, gathered->fresh);
	metrics->sessions = gathered->sessions;
	metrics->nr_sessions = nr;
	return 0;
}

static int gather_watches(struct manager *m, struct gathered *gathered)
{
	struct metrics_count *entry;
	struct watch *watch;
	size_t nr = 0;

	for (watch = watches_first(m->watches); watch;
	     watch = watches_next(watch))
		nr++;
	entry = gathered->watches = calloc(nr + 1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	for (watch = watches_first(m->watches); watch;
	     watch = watches_next(watch))
		*entry++ = (struct metrics_count){
			watch_name(watch), watch_events(watch, gathered->fresh),
			watch_suppressed(watch, gathered->fresh),
		};
	gathered->metrics.watches = gathered->watches;
	gathered->metrics.nr_watches = nr;
	return 0;
}

static void gather_daemon(struct manager *m, struct gathered *gathered)
{
	struct metrics *metrics = &gathered->metrics;
	size_t i;

	for (i = 0; i < NR_RULES; i++)
		gathered->refusals[i] = (struct metrics_count){
			rule_name((enum rule)i), m->refusals[i], 0,
		};
	metrics->version = WTRACK_VERSION;
	metrics->module_loaded = manager_module_loaded(m);
	metrics->refusals = gathered->refusals;
	metrics->nr_refusals = NR_RULES;
}

static int to_text(const struct metrics *metrics, char **ret)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	bool failed;

	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	metrics_write(out, metrics);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

int metrics_text(struct manager *m, bool fresh, char **ret)
{
	struct gathered gathered = { .fresh = fresh };
	int r;

	sessions_refresh(m);
	gather_daemon(m, &gathered);
	r = gather_vms(m, &gathered);
	if (!r)
		r = gather_sessions(m, &gathered);
	if (!r)
		r = gather_watches(m, &gathered);
	if (!r)
		r = to_text(&gathered.metrics, ret);
	free(gathered.vms);
	free(gathered.sessions);
	free(gathered.watches);
	return r;
}
