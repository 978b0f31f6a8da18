// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/event.h>
#include <wtrack/status.h>

#include "cost.h"
#include "event.h"
#include "mem.h"
#include "model.h"
#include "top_model.h"

#define MAX_SESSIONS	65536

void top_init(struct top_model *top)
{
	*top = (struct top_model) { 0 };
	tally_init(&top->before, MAX_SESSIONS);
	tally_init(&top->disarms_before, MAX_SESSIONS);
	tally_init(&top->vms_before, MAX_SESSIONS);
	tally_init(&top->total, TOP_PAGES);
	tally_init(&top->recent, TOP_PAGES);
}

static void clear(struct top_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		free(list->rows[i].label);
		free(list->rows[i].name);
	}
	free(list->rows);
	*list = (struct top_list) { 0 };
}

void top_done(struct top_model *top)
{
	int kind;

	for (kind = 0; kind < TOP_KINDS; kind++)
		clear(&top->lists[kind]);
	tally_done(&top->before);
	tally_done(&top->disarms_before);
	tally_done(&top->vms_before);
	tally_done(&top->total);
	tally_done(&top->recent);
}

/* In a page's entry, gap says that it is not seen now. */
static void add_guard(struct top_model *top, const struct event *event)
{
	struct tally_entry *page = tally_get(&top->total, event_gfn(event));

	if (!page)
		return;
	page->gap = event->code == WTRACK_GUARD_DISARMED ||
		    event->code == WTRACK_GUARD_STOPPED;
	page->losses += event_is_loss(event);
}

void top_event(struct top_model *top, const struct event *event)
{
	if (event->type == EVENT_GUARD)
		add_guard(top, event);
	if (event->type != EVENT_WRITE)
		return;
	tally_add(&top->total, event_gfn(event), event->len, event->time_ns);
	tally_add(&top->recent, event_gfn(event), event->len, event->time_ns);
}

static struct top_row *add_row(struct top_list *list)
{
	list->rows = mem_grow(list->rows, list->nr, sizeof(*list->rows));
	memset(&list->rows[list->nr], 0, sizeof(*list->rows));
	return &list->rows[list->nr++];
}

static double rate_of(uint64_t count, uint64_t ns)
{
	return ns ? (double)count * 1e9 / (double)ns : 0;
}

/* How many writes since the last look; none of a session or a VM that is new. */
static uint64_t count_since(struct tally *tally, uint64_t id, uint64_t writes)
{
	struct tally_entry *before = tally_get(tally, id);
	uint64_t count = 0;

	if (!before)
		return 0;
	if (before->first_ns && writes > before->count)
		count = writes - before->count;
	before->count = writes;
	before->first_ns = 1;
	return count;
}

/* The module numbers a VM anew, and counts from 0, when its first session comes. */
static void add_vms(struct top_model *top, const struct model *model,
		    uint64_t ns)
{
	struct top_row *row;
	char label[64];
	size_t i;

	for (i = 0; i < model->nr_vms; i++) {
		const struct vm *vm = &model->vms[i];

		row = add_row(&top->lists[TOP_VMS]);
		row->id = (uint64_t)vm->pid << 32 | (uint32_t)vm->fd;
		row->label = mem_strdup(vm_label(model, vm, label,
						 sizeof(label)));
		row->name = mem_strdup(vm->name[0] ? vm->name : vm->comm);
		row->uid = vm->uid;
		row->sessions = vm->nr_sessions;
		row->pages = vm->pages;
		row->memory = vm->memory_bytes;
		row->unseen = vm->gone;
		row->total = vm->writes;
		if (vm->vm_id)
			row->rate = rate_of(count_since(&top->vms_before,
							vm->vm_id, vm->writes),
					    ns);
		top->rate += row->rate;
	}
}

static void add_to_vm(struct top_model *top, const struct model *model,
		      const struct session *session, const struct top_row *from)
{
	struct top_row *row;

	if (!session->vm)
		return;
	row = &top->lists[TOP_VMS].rows[session->vm - model->vms];
	row->losses += from->losses;
	if (from->disarm_rate > row->disarm_rate)
		row->disarm_rate = from->disarm_rate;
}

/* The records of a session include those of the disarmings. */
double top_row_share(enum top_kind kind, const struct top_row *row)
{
	return cost_share(row->rate + (kind == TOP_VMS ? row->disarm_rate : 0));
}

static void add_session(struct top_model *top, const struct model *model,
			const struct session *session, uint64_t ns)
{
	const struct counters *counters = &session->counters;
	struct top_row *row = add_row(&top->lists[TOP_SESSIONS]);
	char label[64] = "?";

	if (session->vm)
		vm_label(model, session->vm, label, sizeof(label));
	row->id = session->id;
	row->label = mem_strdup(label);
	row->name = mem_strdup(session->kind);
	row->uid = session->client_uid;
	row->pid = session->client_pid;
	row->pages = session->pages;
	row->unread = session->unread;
	row->records = session->records;
	row->losses = counters->overflows + counters->disarms +
		      counters->unreported;
	row->total = counters->events + counters->merged +
		     counters->resync_writes;
	row->rate = rate_of(count_since(&top->before, session->id, row->total),
			    ns);
	row->disarm_rate = rate_of(count_since(&top->disarms_before, session->id,
					       counters->disarms), ns);
	row->unseen = session->state & WTRACK_STATE_RESYNC;
	add_to_vm(top, model, session, row);
}

static void add_pages(struct top_model *top, uint64_t ns)
{
	struct top_list *list = &top->lists[TOP_PAGES_PANE];
	struct tally_entry *page = top->total.slots;
	struct top_row *row;
	size_t i;

	clear(list);
	for (i = 0; i < top->total.nr_slots; i++, page++) {
		if (!page->used)
			continue;
		row = add_row(list);
		row->id = page->key;
		row->total = page->count;
		row->losses = page->losses;
		row->unseen = page->gap;
		row->rate = rate_of(tally_get(&top->recent, page->key) ?
				    tally_get(&top->recent, page->key)->count :
				    0, ns);
	}
	tally_done(&top->recent);
	tally_init(&top->recent, TOP_PAGES);
}

void top_update(struct top_model *top, const struct model *model,
		uint64_t now_ns)
{
	uint64_t ns = top->time_ns ? now_ns - top->time_ns : 0;
	size_t i;

	top->time_ns = now_ns;
	add_pages(top, ns);
	if (!model)
		return;
	clear(&top->lists[TOP_VMS]);
	clear(&top->lists[TOP_SESSIONS]);
	top->rate = top->share = 0;
	add_vms(top, model, ns);
	for (i = 0; i < model->nr_sessions; i++)
		add_session(top, model, &model->sessions[i], ns);
	for (i = 0; i < top->lists[TOP_VMS].nr; i++)
		top->share += top_row_share(TOP_VMS,
					    &top->lists[TOP_VMS].rows[i]);
}

static enum top_sort sort_by;
static int sort_sign;

static int by_number(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* The busiest first, or by number; what is equal always in the same order. */
static int compare(const void *a, const void *b)
{
	const struct top_row *one = a, *other = b;
	int r = 0;

	if (sort_by == TOP_BY_RATE)
		r = -by_number(one->rate, other->rate);
	if (sort_by != TOP_BY_ID && !r)
		r = one->total == other->total ? 0 :
		    one->total > other->total ? -1 : 1;
	if (!r)
		r = one->id == other->id ? 0 : one->id < other->id ? -1 : 1;
	return sort_sign * r;
}

void top_sort(struct top_list *list, enum top_sort by, bool reverse)
{
	sort_by = by;
	sort_sign = reverse ? -1 : 1;
	if (list->nr)
		qsort(list->rows, list->nr, sizeof(*list->rows), compare);
}
