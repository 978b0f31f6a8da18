// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "metrics_text.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

enum type { GAUGE, COUNTER, INFO };

struct family {
	const char *name;	/* without _total or _info */
	enum type type;
	const char *unit;	/* the last word of the name, or NULL */
	const char *help;
};

static void write_head(FILE *out, const struct family *family)
{
	static const char *const types[] = {
		[GAUGE] = "gauge", [COUNTER] = "counter", [INFO] = "info",
	};

	fprintf(out, "# TYPE %s %s\n", family->name, types[family->type]);
	if (family->unit)
		fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
	fprintf(out, "# HELP %s %s\n", family->name, family->help);
}

static void write_name(FILE *out, const struct family *family)
{
	static const char *const suffixes[] = {
		[GAUGE] = "", [COUNTER] = "_total", [INFO] = "_info",
	};

	fprintf(out, "%s%s", family->name, suffixes[family->type]);
}

static void write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

static void write_label(FILE *out, const char *before, const char *name,
			const char *value)
{
	fprintf(out, "%s%s=\"", before, name);
	write_escaped(out, value);
	putc('"', out);
}

static void write_single(FILE *out, const struct family *family, uint64_t value)
{
	write_head(out, family);
	write_name(out, family);
	fprintf(out, " %" PRIu64 "\n", value);
}

static void write_count(FILE *out, const struct family *family,
			const char *label, const char *label_value,
			uint64_t value)
{
	write_name(out, family);
	write_label(out, "{", label, label_value);
	fprintf(out, "} %" PRIu64 "\n", value);
}

static void write_info(FILE *out, const struct metrics *metrics)
{
	static const struct family family = {
		"wtrack", INFO, NULL, "The daemon, and whether the kernel "
		"module is there.",
	};

	write_head(out, &family);
	write_name(out, &family);
	write_label(out, "{", "version", metrics->version);
	write_label(out, ",", "module",
		    metrics->module_loaded ? "loaded" : "absent");
	fputs("} 1\n", out);
}

static void write_totals(FILE *out, const struct metrics *metrics)
{
	static const struct family vms = {
		"wtrack_vms", GAUGE, NULL, "Virtual machines that run.",
	};
	static const struct family sessions = {
		"wtrack_sessions", GAUGE, NULL, "Sessions, by who opened them: "
		"a client of the daemon, a watch, or somebody directly.",
	};
	size_t i;

	write_single(out, &vms, metrics->nr_all_vms);
	write_head(out, &sessions);
	for (i = 0; i < METRICS_KINDS; i++)
		write_count(out, &sessions, "kind", metrics->kinds[i].label,
			    metrics->kinds[i].value);
}

/* A field of each element of an array. */
struct column {
	struct family family;
	size_t offset;
};

static uint64_t value_at(const void *element, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)element + offset, sizeof(value));
	return value;
}

static void write_vm(FILE *out, const struct column *column,
		     const struct metrics_vm *vm)
{
	write_name(out, &column->family);
	fprintf(out, "{vm_pid=\"%d\",vm_fd=\"%d\"", (int)vm->pid, vm->fd);
	write_label(out, ",", "vm_name", vm->name);
	fprintf(out, "} %" PRIu64 "\n", value_at(vm, column->offset));
}

static void write_vms(FILE *out, const struct metrics *metrics)
{
#define VM_COLUMN(field, name, unit, help) \
	{ { "wtrack_vm_" name, GAUGE, unit, help }, \
	  offsetof(struct metrics_vm, field) }
	static const struct column columns[] = {
		VM_COLUMN(sessions, "sessions", NULL, "Sessions on the VM."),
		VM_COLUMN(pages, "pages", "pages",
			  "Pages that the VM's sessions track, added up."),
		VM_COLUMN(memory_bytes, "memory_bytes", "bytes",
			  "Kernel memory held for the VM and its sessions."),
	};
	size_t c, i;

	for (c = 0; c < COUNT(columns); c++) {
		write_head(out, &columns[c].family);
		for (i = 0; i < metrics->nr_vms; i++)
			write_vm(out, &columns[c], &metrics->vms[i]);
	}
}

static void write_session(FILE *out, const struct column *column,
			  const struct metrics_session *session)
{
	write_name(out, &column->family);
	fprintf(out, "{session=\"%" PRIu64 "\",vm_pid=\"%d\"", session->id,
		(int)session->vm_pid);
	write_label(out, ",", "vm_name", session->vm_name);
	fprintf(out, ",uid=\"%u\"} %" PRIu64 "\n", (unsigned int)session->uid,
		value_at(session, column->offset));
}

static void write_sessions(FILE *out, const struct metrics *metrics)
{
#define SESSION_COLUMN(field, type, name, unit, help) \
	{ { "wtrack_session_" name, type, unit, help }, \
	  offsetof(struct metrics_session, field) }
	static const struct column columns[] = {
		SESSION_COLUMN(pages, GAUGE, "pages", "pages",
			       "Pages that the session tracks."),
		SESSION_COLUMN(events, COUNTER, "events", NULL,
			       "Records that went into the ring."),
		SESSION_COLUMN(merged, COUNTER, "merged", NULL,
			       "Writes that an unread record stood for."),
		SESSION_COLUMN(overflows, COUNTER, "overflows", NULL,
			       "How often the ring was full."),
		SESSION_COLUMN(resync_writes, COUNTER, "resync_writes", NULL,
			       "Writes that found the ring full."),
		SESSION_COLUMN(disarms, COUNTER, "disarms", NULL,
			       "How often the guard stopped observing a page."),
		SESSION_COLUMN(over_budget, COUNTER, "over_budget", NULL,
			       "Disarms because of the budget."),
		SESSION_COLUMN(rearms, COUNTER, "rearms", NULL,
			       "How often a page was observed again."),
		SESSION_COLUMN(unreported, COUNTER, "unreported", NULL,
			       "Stores that KVM made without telling what."),
		SESSION_COLUMN(unread, GAUGE, "unread_records", "records",
			       "Records that the reader has not released."),
		SESSION_COLUMN(records, GAUGE, "ring_records", "records",
			       "Size of the ring."),
		SESSION_COLUMN(memory_bytes, GAUGE, "memory_bytes", "bytes",
			       "Kernel memory held for the session."),
	};
	size_t c, i;

	for (c = 0; c < COUNT(columns); c++) {
		write_head(out, &columns[c].family);
		for (i = 0; i < metrics->nr_sessions; i++)
			write_session(out, &columns[c], &metrics->sessions[i]);
	}
}

static void write_daemon(FILE *out, const struct metrics *metrics)
{
	static const struct family events = {
		"wtrack_watch_events", COUNTER, NULL,
		"Writes and steps of the guard that a watch has seen.",
	};
	static const struct family suppressed = {
		"wtrack_watch_suppressed", COUNTER, NULL,
		"Of these, what the rate limit kept out of the journal.",
	};
	static const struct family refusals = {
		"wtrack_daemon_refusals", COUNTER, NULL,
		"Requests for sessions that were refused, by rule.",
	};
	size_t i;

	write_head(out, &events);
	for (i = 0; i < metrics->nr_watches; i++)
		write_count(out, &events, "watch", metrics->watches[i].label,
			    metrics->watches[i].value);
	write_head(out, &suppressed);
	for (i = 0; i < metrics->nr_watches; i++)
		write_count(out, &suppressed, "watch",
			    metrics->watches[i].label,
			    metrics->watches[i].suppressed);
	write_head(out, &refusals);
	for (i = 0; i < metrics->nr_refusals; i++)
		write_count(out, &refusals, "rule", metrics->refusals[i].label,
			    metrics->refusals[i].value);
}

void metrics_write(FILE *out, const struct metrics *metrics)
{
	write_info(out, metrics);
	write_totals(out, metrics);
	write_vms(out, metrics);
	write_sessions(out, metrics);
	write_daemon(out, metrics);
	fputs("# EOF\n", out);
}
