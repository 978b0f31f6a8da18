// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates of the counters, a line for each interval. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "cost.h"
#include "json.h"
#include "sessions.h"
#include "stream.h"

/* A terminal gets the heading again after so many lines. */
#define LINES_PER_HEADING	20

/* What is compared: the counters at two moments. */
struct sample {
	struct model model;
	uint64_t time_ns;
};

/**
 * struct stat - the command
 * @stream: counts, waits, ends
 * @path: only this VM's sessions, NULL for all
 * @last: the sample before
 * @lines: printed so far
 */
struct stat {
	struct stream stream;
	char *path;
	struct sample last;
	size_t lines;
};

/* The sums of one line. */
struct sums {
	size_t sessions;
	uint64_t pages;		/* distinct ones */
	uint64_t writes;	/* of the guests, since the last sample */
	uint64_t disarms;	/* for each VM those of its session with most */
	uint64_t unread;
	struct counters grown;
	double seconds;
};

static const struct session *find_session(const struct model *model,
					  uint64_t id)
{
	size_t low = 0, high = model->nr_sessions, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (model->sessions[middle].id == id)
			return &model->sessions[middle];
		if (model->sessions[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* A session that was not there before began with nothing. */
static struct counters growth(const struct sample *last,
			      const struct session *now)
{
	const struct session *before = find_session(&last->model, now->id);
	struct counters grown = now->counters;
	uint64_t *fields = (uint64_t *)&grown;
	uint64_t old;
	size_t i;

	for (i = 0; before && i < NR_COUNTERS; i++) {
		old = counter_get(&before->counters, i);
		fields[i] = fields[i] > old ? fields[i] - old : 0;
	}
	return grown;
}

/*
 * The module numbers a VM anew, and counts from 0, when its first session comes. So all
 * writes of a VM with a new number are new.
 */
static uint64_t new_writes(const struct sample *last, const struct vm *now)
{
	const struct vm *vm = last->model.vms;
	size_t i;

	for (i = 0; i < last->model.nr_vms; i++, vm++)
		if (vm->vm_id == now->vm_id)
			return now->writes > vm->writes ?
				       now->writes - vm->writes : 0;
	return now->writes;
}

static uint64_t most_disarms(const struct sample *last, const struct sample *now,
			     const struct vm *vm)
{
	const struct session *session = now->model.sessions;
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < now->model.nr_sessions; i++, session++)
		if (session->vm == vm &&
		    growth(last, session).disarms > most)
			most = growth(last, session).disarms;
	return most;
}

static void add_vms(const struct stat *stat, const struct sample *now,
		    struct sums *sums)
{
	const struct vm *vm = now->model.vms;
	size_t i;

	for (i = 0; i < now->model.nr_vms; i++, vm++) {
		if (!vm->vm_id || (stat->path && strcmp(vm->path, stat->path)))
			continue;
		sums->pages += vm->pages;
		sums->writes += new_writes(&stat->last, vm);
		sums->disarms += most_disarms(&stat->last, now, vm);
	}
}

static struct sums sum_up(const struct stat *stat, const struct sample *now)
{
	struct sums sums = { 0 };
	const struct session *session;
	struct counters grown;
	size_t i;

	sums.seconds = (double)(now->time_ns - stat->last.time_ns) / 1e9;
	for (i = 0; i < now->model.nr_sessions; i++) {
		session = &now->model.sessions[i];
		if (!session_is_of(session, stat->path))
			continue;
		grown = growth(&stat->last, session);
		counters_add(&sums.grown, &grown);
		sums.sessions++;
		sums.unread += session->unread;
	}
	add_vms(stat, now, &sums);
	return sums;
}

static void print_heading(const struct stat *stat)
{
	const struct ctl *ctl = stat->stream.ctl;

	if (!ctl->legend || (stat->lines &&
	    (!term_is_tty() || stat->lines % LINES_PER_HEADING)))
		return;
	printf("%s%8s %8s %9s %6s %7s %9s %9s %9s %7s %8s %8s%s\n",
	       term_colour(COLOUR_BOLD), "SESSIONS", "PAGES", "WRITES/s",
	       "VCPU%", "UNREAD", "EVENTS/s", "MERGED/s", "RESYNC/s", "FULL/s", "DISARM/s",
	       "WAKEUP/s", term_colour(COLOUR_NONE));
}

static double rate(uint64_t grown, double seconds)
{
	return seconds > 0 ? (double)grown / seconds : 0;
}

/* Of the time of one vCPU, for all writes that KVM has emulated. */
static double vcpu_share(const struct sums *sums)
{
	return cost_share(rate(sums->writes + sums->disarms, sums->seconds));
}

static void print_line(const struct stat *stat, const struct sums *sums)
{
	const struct counters *grown = &sums->grown;

	print_heading(stat);
	printf("%8zu %8llu %9.0f %6.1f %7llu %9.0f %9.0f %9.0f %7.0f %8.0f %8.0f\n",
	       sums->sessions, (unsigned long long)sums->pages,
	       rate(sums->writes, sums->seconds), 100 * vcpu_share(sums),
	       (unsigned long long)sums->unread,
	       rate(grown->events, sums->seconds),
	       rate(grown->merged, sums->seconds),
	       rate(grown->resync_writes, sums->seconds),
	       rate(grown->overflows, sums->seconds),
	       rate(grown->disarms, sums->seconds),
	       rate(grown->wakeups, sums->seconds));
}

static struct json_object *rates_to_json(const struct counters *grown,
					 double seconds)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	for (i = 0; i < NR_COUNTERS; i++)
		json_double(obj, counter_names[i],
			    rate(counter_get(grown, i), seconds));
	return obj;
}

static void add_session(struct json_object *array, const struct stat *stat,
			const struct session *session, double seconds)
{
	struct counters grown = growth(&stat->last, session);
	struct json_object *obj = json_object_new_object();

	json_u64(obj, "id", session->id);
	json_object_object_add(obj, "vm_pid", session->vm ?
			       json_object_new_int(session->vm->pid) : NULL);
	json_u64(obj, "pages", session->pages);
	json_u64(obj, "unread", session->unread);
	json_double(obj, "vcpu_share",
		    cost_share(rate(grown.events + grown.merged +
				    grown.resync_writes, seconds)));
	json_object_object_add(obj, "rates", rates_to_json(&grown, seconds));
	json_object_array_add(array, obj);
}

static void print_json(const struct stat *stat, const struct sample *now,
		       const struct sums *sums)
{
	struct json_object *obj = json_line("sample"), *array;
	size_t i;

	json_u64(obj, "time_ns", now->time_ns);
	json_double(obj, "seconds", sums->seconds);
	json_u64(obj, "nr_sessions", sums->sessions);
	json_u64(obj, "pages", sums->pages);
	json_double(obj, "writes_per_second",
		    rate(sums->writes, sums->seconds));
	json_double(obj, "vcpu_share", vcpu_share(sums));
	json_u64(obj, "unread", sums->unread);
	json_object_object_add(obj, "rates",
			       rates_to_json(&sums->grown, sums->seconds));
	array = json_array(obj, "sessions");
	for (i = 0; i < now->model.nr_sessions; i++)
		if (session_is_of(&now->model.sessions[i], stat->path))
			add_session(array, stat, &now->model.sessions[i],
				    sums->seconds);
	json_print(stat->stream.ctl, obj);
}

/* Of a VM that is watched, its end is the end. */
static bool vm_is_gone(const struct stat *stat, const struct sample *now)
{
	const struct vm *vm;

	if (!stat->path)
		return false;
	vm = model_vm(&now->model, stat->path);
	return !vm || vm->gone;
}

static void print_sample(struct stat *stat, const struct sample *now)
{
	struct sums sums = sum_up(stat, now);

	if (stat->stream.ctl->json != JSON_OFF)
		print_json(stat, now, &sums);
	else
		print_line(stat, &sums);
	stat->lines++;
	stat->stream.losses += sums.grown.overflows + sums.grown.disarms +
		sums.grown.unreported;
	stream_count(&stat->stream);
}

static int take_sample(struct stat *stat, struct sample *ret)
{
	int r = model_load(stat->stream.ctl, &ret->model);

	ret->time_ns = stream_now_ns();
	if (r)
		stream_stop(&stat->stream, STREAM_ERROR, r);
	return r;
}

static void go_on(struct stat *stat)
{
	struct sample now;

	if (take_sample(stat, &now))
		return;
	print_sample(stat, &now);
	if (vm_is_gone(stat, &now))
		stream_stop(&stat->stream, STREAM_VM_GONE, 0);
	model_free(&stat->last.model);
	stat->last = now;
}

static void print_started(const struct stat *stat, uint64_t interval_ns)
{
	struct json_object *obj;

	if (stat->stream.ctl->json == JSON_OFF)
		return;
	obj = json_line("started");
	json_string(obj, "command", "stat");
	json_double(obj, "interval", (double)interval_ns / 1e9);
	json_print(stat->stream.ctl, obj);
}

/* The next whole interval, so that the time a sample takes adds up to none. */
static int64_t time_left(const struct stat *stat, uint64_t interval_ns)
{
	uint64_t next = stat->stream.started_ns +
		(stat->lines + 1) * interval_ns;
	uint64_t now = stream_now_ns();

	return next > now ? (int64_t)(next - now) : 0;
}

static int run(struct ctl *ctl)
{
	uint64_t interval = args_number(&ctl->args, "interval", 1000000000);
	struct stat stat = { 0 };
	int r;

	r = sessions_find_vm(ctl, &stat.path);
	if (r)
		return r;
	r = stream_begin(&stat.stream, ctl);
	if (r)
		goto out;
	stat.stream.output_only = true;
	if (!take_sample(&stat, &stat.last))
		print_started(&stat, interval);
	while (stream_wait(&stat.stream, -1, time_left(&stat, interval)) !=
	       STREAM_END)
		go_on(&stat);
	r = stream_end(&stat.stream, NULL);
	model_free(&stat.last.model);
out:
	free(stat.path);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	{ .name = "interval", .letter = 'i', .type = ARG_SECONDS,
	  .metavar = "SEC", .min = 10 * NUMBER_MS, .max = ARG_MAX_NS,
	  .summary = "time from line to line, 1 second" },
	{ 0 }
};

const struct command command_stat = {
	.name = "stat",
	.arguments = "[VM]",
	.summary = "Show rates of events, resyncs and disarms by interval",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_LOOKS,
	.run = run,
};
