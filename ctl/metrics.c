// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table of all metrics. Each is gone through with the objects that it counts;
 * what becomes of its samples, text or JSON, is up to a struct sink.
 */
#include <inttypes.h>
#include <string.h>

#include "cost.h"
#include "json.h"
#include "metrics.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_LABELS	5
#define SECOND_NS	UINT64_C(1000000000)

struct sink;

/* A metric, and how to go through its samples. */
struct family {
	const char *name;
	const char *type;
	const char *help;	/* has neither a backslash nor an end of line */
	void (*each)(struct sink *sink, const struct family *family,
		     const struct metrics *metrics);
	size_t offset;		/* of the value in the object: 4 or 8 bytes */
	size_t size;
	uint64_t (*ns)(const void *object);	/* the value instead, in seconds */
};

/* Names are ours, values may be anything in UTF-8. */
struct labels {
	struct {
		const char *name;
		const char *value;
	} list[MAX_LABELS];
	size_t nr;
	char numbers[MAX_LABELS][24];
};

struct sink {
	FILE *out;
	struct json_object *array;
	void (*put)(struct sink *sink, const struct family *family,
		    const struct labels *labels, uint64_t value);
};

static void label_text(struct labels *labels, const char *name,
		       const char *value)
{
	labels->list[labels->nr].name = name;
	labels->list[labels->nr++].value = value;
}

static void label_number(struct labels *labels, const char *name,
			 uint64_t value)
{
	char *text = labels->numbers[labels->nr];

	snprintf(text, sizeof(labels->numbers[0]), "%" PRIu64, value);
	label_text(labels, name, text);
}

static void label_vm(struct labels *labels, const struct vm *vm)
{
	label_number(labels, "vm_pid", (uint32_t)vm->pid);
	label_number(labels, "vm_fd", (uint32_t)vm->fd);
	label_text(labels, "vm_name", vm->name);
}

static uint64_t value_of(const struct family *family, const void *object)
{
	const char *place = (const char *)object + family->offset;
	uint64_t wide;
	uint32_t narrow;

	if (family->ns)
		return family->ns(object);
	if (family->size == sizeof(narrow)) {
		memcpy(&narrow, place, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, place, sizeof(wide));
	return wide;
}

static void put_one(struct sink *sink, const struct family *family,
		    const char *name, const char *label, uint64_t value)
{
	struct labels labels = { 0 };

	if (name)
		label_text(&labels, name, label);
	sink->put(sink, family, &labels, value);
}

static void each_version(struct sink *sink, const struct family *family,
			 const struct metrics *metrics)
{
	put_one(sink, family, "version", metrics->version, 1);
}

static void each_module(struct sink *sink, const struct family *family,
			const struct metrics *metrics)
{
	put_one(sink, family, NULL, NULL, metrics->module_loaded);
}

static void count_vms(struct sink *sink, const struct family *family,
		      const struct metrics *metrics)
{
	uint64_t nr = 0;
	size_t i;

	for (i = 0; i < metrics->model->nr_vms; i++)
		nr += !metrics->model->vms[i].gone;
	put_one(sink, family, NULL, NULL, nr);
}

/* A kind that has no session has a sample as well: it is 0, not unknown. */
static void count_sessions(struct sink *sink, const struct family *family,
			   const struct metrics *metrics)
{
	static const char *const kinds[] = { "client", "direct", "watch" };
	const struct model *model = metrics->model;
	uint64_t nr;
	size_t i, k;

	for (k = 0; k < NR(kinds); k++) {
		nr = 0;
		for (i = 0; i < model->nr_sessions; i++)
			nr += !strcmp(model->sessions[i].kind, kinds[k]);
		put_one(sink, family, "kind", kinds[k], nr);
	}
}

/* Another VM may have the process id and descriptor of one that is gone. */
static void each_vm(struct sink *sink, const struct family *family,
		    const struct metrics *metrics)
{
	const struct vm *vm = metrics->model->vms;
	size_t i;

	for (i = 0; i < metrics->model->nr_vms; i++, vm++) {
		struct labels labels = { 0 };

		if (vm->gone)
			continue;
		label_vm(&labels, vm);
		sink->put(sink, family, &labels, value_of(family, vm));
	}
}

static void each_session(struct sink *sink, const struct family *family,
			 const struct metrics *metrics)
{
	const struct session *session = metrics->model->sessions;
	size_t i;

	if (!metrics->per_session)
		return;
	for (i = 0; i < metrics->model->nr_sessions; i++, session++) {
		struct labels labels = { 0 };

		label_number(&labels, "session", session->id);
		if (session->vm)
			label_vm(&labels, session->vm);
		label_number(&labels, "uid", session->client_uid);
		sink->put(sink, family, &labels, value_of(family, session));
	}
}

static void each_watch(struct sink *sink, const struct family *family,
		       const struct metrics *metrics)
{
	const struct watch *watch = metrics->model->watches;
	size_t i;

	for (i = 0; i < metrics->model->nr_watches; i++, watch++)
		put_one(sink, family, "watch", watch->name,
			value_of(family, watch));
}

static void each_refusal(struct sink *sink, const struct family *family,
			 const struct metrics *metrics)
{
	size_t i;

	for (i = 0; i < metrics->nr_refusals; i++)
		put_one(sink, family, "rule", metrics->refusals[i].rule,
			metrics->refusals[i].count);
}

static uint64_t emulation_ns(uint64_t stores)
{
	uint64_t ns;

	return __builtin_mul_overflow(stores, COST_STORE_NS, &ns) ? UINT64_MAX :
								    ns;
}

/* Of a vCPU, for the writes that KVM has emulated for the VM's sessions. */
static uint64_t vm_ns(const void *object)
{
	return emulation_ns(((const struct vm *)object)->writes);
}

/* The same for what one session has been told of. */
static uint64_t session_ns(const void *object)
{
	const struct counters *counters =
		&((const struct session *)object)->counters;

	return emulation_ns(counters->events + counters->merged +
			    counters->resync_writes);
}

#define FIELD(type, field) \
	offsetof(struct type, field), sizeof(((struct type *)0)->field), NULL
#define NO_FIELD	0, 0, NULL
#define VM(name, type, field, help) \
	{ "wtrack_vm_" name, type, help, each_vm, FIELD(vm, field) }
#define SESSION(name, type, field, help) \
	{ "wtrack_session_" name, type, help, each_session, \
	  FIELD(session, field) }

static const struct family families[] = {
	{ "wtrack_info", "gauge", "Always 1; the label is the daemon's version.",
	  each_version, NO_FIELD },
	{ "wtrack_module_loaded", "gauge",
	  "Whether the kernel module is there: 1 or 0.", each_module,
	  NO_FIELD },
	{ "wtrack_vms", "gauge", "Virtual machines that run.", count_vms,
	  NO_FIELD },
	{ "wtrack_sessions", "gauge", "Sessions, by who opened them: a client "
	  "of the daemon, a watch, or somebody directly.", count_sessions,
	  NO_FIELD },
	VM("sessions", "gauge", nr_sessions, "Sessions on the VM."),
	VM("pages", "gauge", pages,
	   "Pages that the VM's sessions track, each counted once."),
	VM("writes_total", "counter", writes, "Writes of the guest to these "
	   "pages, each counted once, since its first session came."),
	{ "wtrack_vm_emulation_seconds_total", "counter", "Time of vCPUs that these "
	  "writes have taken, by estimate.", each_vm, 0, 0, vm_ns },
	VM("memory_bytes", "gauge", memory_bytes,
	   "Kernel memory held for the VM and its sessions."),
	SESSION("pages", "gauge", pages, "Pages that the session tracks."),
	SESSION("events_total", "counter", counters.events,
		"Records that went into the ring."),
	SESSION("merged_total", "counter", counters.merged,
		"Writes that an unread record stood for."),
	SESSION("overflows_total", "counter", counters.overflows,
		"How often the ring was full."),
	SESSION("resync_writes_total", "counter", counters.resync_writes,
		"Writes that found the ring full."),
	SESSION("disarms_total", "counter", counters.disarms,
		"How often the guard stopped observing a page."),
	SESSION("over_budget_total", "counter", counters.over_budget,
		"Disarms because of the budget."),
	SESSION("rearms_total", "counter", counters.rearms,
		"How often a page was observed again."),
	SESSION("unreported_total", "counter", counters.unreported,
		"Stores that KVM made without telling what."),
	{ "wtrack_session_emulation_seconds_total", "counter", "Time of vCPUs that "
	  "the writes to its pages have taken, by estimate.", each_session, 0,
	  0, session_ns },
	SESSION("unread_records", "gauge", unread,
		"Records that the reader has not released."),
	SESSION("ring_records", "gauge", records, "Size of the ring."),
	SESSION("memory_bytes", "gauge", memory_bytes,
		"Kernel memory held for the session."),
	{ "wtrack_watch_events_total", "counter",
	  "Writes and steps of the guard that a watch has seen.", each_watch,
	  FIELD(watch, events) },
	{ "wtrack_watch_suppressed_total", "counter",
	  "Of these, what the rate limit kept out of the journal.", each_watch,
	  FIELD(watch, suppressed) },
	{ "wtrack_daemon_refusals_total", "counter",
	  "Requests for sessions that were refused, by rule.", each_refusal,
	  NO_FIELD },
};

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

static void put_text(struct sink *sink, const struct family *family,
		     const struct labels *labels, uint64_t value)
{
	size_t i;

	fputs(family->name, sink->out);
	for (i = 0; i < labels->nr; i++) {
		fprintf(sink->out, "%s%s=\"", i ? "," : "{",
			labels->list[i].name);
		write_escaped(sink->out, labels->list[i].value);
		putc('"', sink->out);
	}
	fprintf(sink->out, "%s ", i ? "}" : "");
	if (family->ns)
		fprintf(sink->out, "%" PRIu64 ".%09" PRIu64 "\n", value / SECOND_NS,
			value % SECOND_NS);
	else
		fprintf(sink->out, "%" PRIu64 "\n", value);
}

void metrics_write(FILE *out, const struct metrics *metrics, bool legend)
{
	struct sink sink = { .out = out, .put = put_text };
	const struct family *family;
	size_t i;

	for (i = 0; i < NR(families); i++) {
		family = &families[i];
		if (legend)
			fprintf(out, "# HELP %s %s\n# TYPE %s %s\n",
				family->name, family->help, family->name,
				family->type);
		family->each(&sink, family, metrics);
	}
}

static void put_json(struct sink *sink, const struct family *family,
		     const struct labels *labels, uint64_t value)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *values = json_object_new_object();
	size_t i;

	json_string(obj, "name", family->name);
	json_string(obj, "type", family->type);
	for (i = 0; i < labels->nr; i++)
		json_string(values, labels->list[i].name,
			    labels->list[i].value);
	json_object_object_add(obj, "labels", values);
	if (family->ns)
		json_double(obj, "value", (double)value / SECOND_NS);
	else
		json_u64(obj, "value", value);
	json_object_array_add(sink->array, obj);
}

struct json_object *metrics_to_json(const struct metrics *metrics)
{
	struct sink sink = { .array = json_object_new_array(),
			     .put = put_json };
	size_t i;

	for (i = 0; i < NR(families); i++)
		families[i].each(&sink, &families[i], metrics);
	return sink.array;
}
