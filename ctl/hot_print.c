// SPDX-License-Identifier: GPL-2.0-or-later
/* What `wtrackctl hot` found, how it knows, and what that took. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/range.h"
#include "cost.h"
#include "event.h"
#include "hot.h"
#include "json.h"
#include "table.h"
#include "units.h"

#define PROGRESS_NS	UINT64_C(500000000)

static const struct column columns[] = {
	{ .title = "GFN", .right = true },
	{ .title = "ADDRESS", .right = true },
	{ .title = "WRITES/s", .right = true },
	{ .title = "ERROR", .right = true },
	{ .title = "HOW" },
	{ .title = "SEEN", .right = true },
	{ .title = "INSTRUCTION", .right = true },
	{ .title = "GUARD" },
	{ 0 }
};

static double seconds_of(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double per_second(const struct hot *hot, uint64_t count)
{
	double seconds = seconds_of(hot->started_ns, hot->ended_ns);

	return seconds > 0 ? (double)count / seconds : 0;
}

/* An arming is taken to cost what a store does. */
static double share_of(const struct hot *hot)
{
	return cost_share(per_second(hot, hot->emulations +
					  hot->model.armings));
}

static uint64_t seen_of(const struct hot_page *page)
{
	return hot_page_is_counted(page) ? page->stores : page->touches;
}

static void add_row(struct table *table, const struct hot_page *page)
{
	bool counted = hot_page_is_counted(page);
	char rate[UNITS_SIZE], error[UNITS_SIZE];

	table_cell(table, "0x%" PRIx64, page->gfn);
	table_cell(table, "0x%" PRIx64, page->gfn << PAGE_SHIFT);
	table_cell(table, "%s", units_rate(hot_page_rate(page), rate));
	table_cell(table, "±%s", units_rate(hot_page_error(page), error));
	table_cell(table, "%s", counted ? "counted" : "estimated");
	table_cell(table, "%" PRIu64, seen_of(page));
	if (page->rip_votes)
		table_cell(table, "0x%" PRIx64, page->rip);
	else
		table_cell(table, "%s", "");
	table_cell(table, "%s", page->cause ? event_cause_name(page->cause) :
					      "");
}

static void print_table(const struct hot *hot, struct hot_page **pages,
			size_t nr)
{
	struct table *table = table_new(columns);
	size_t i;

	for (i = 0; i < nr; i++)
		add_row(table, pages[i]);
	table_print(table, hot->ctl);
	table_sum(table, hot->ctl, "page");
	table_free(table);
}

static void print_sampled(const struct hot *hot)
{
	const struct hot_model *model = &hot->model;
	double error, written = hot_model_written(model, &error);
	char sampled[UNITS_SIZE], all[UNITS_SIZE], found[UNITS_SIZE];
	char about[UNITS_SIZE], give[UNITS_SIZE];

	printf("Sampled: %s of %s pages, each for %d ms at least; %s were "
	       "written to.\n", units_exact(model->sampled, sampled),
	       units_exact(model->pages, all), 1000 / HOT_ROUNDS_PER_SECOND,
	       units_exact(model->written, found));
	if (model->sampled < model->pages)
		printf("Estimate: the guest writes to %s ±%s pages in that "
		       "time.\n", units_exact((uint64_t)(written + 0.5), about),
		       units_exact((uint64_t)(error + 0.5), give));
}

static void print_cost(const struct hot *hot)
{
	char stores[UNITS_SIZE], armings[UNITS_SIZE], time[UNITS_SIZE];
	char rate[UNITS_SIZE];

	printf("Cost: %s emulated stores and %s armed pages in %s, which is %s "
	       "stores a second\nof %" PRIu64 " at most, and %.1f %% of a vCPU's "
	       "time.\n", units_exact(hot->emulations, stores),
	       units_exact(hot->model.armings, armings),
	       units_time(hot->ended_ns - hot->started_ns, time),
	       units_rate(per_second(hot, hot->emulations), rate), hot->cost,
	       100 * share_of(hot));
}

static void print_text(const struct hot *hot, struct hot_page **pages, size_t nr)
{
	size_t tables = hot_model_page_tables(&hot->model);

	print_table(hot, pages, nr);
	if (!hot->ctl->legend || hot->ctl->quiet)
		return;
	putchar('\n');
	print_sampled(hot);
	if (tables)
		printf("Not listed: %zu page%s that the guest uses as page "
		       "tables.\n", tables, tables == 1 ? "" : "s");
	if (hot->model.not_kept)
		printf("Not listed: %" PRIu64 " writes to pages beyond the first "
		       "%d.\n", hot->model.not_kept, HOT_MAX_PAGES);
	print_cost(hot);
}

static struct json_object *page_to_json(const struct hot_page *page)
{
	struct json_object *obj = json_object_new_object();
	bool counted = hot_page_is_counted(page);

	json_u64(obj, "gfn", page->gfn);
	json_hex(obj, "gpa", page->gfn << PAGE_SHIFT);
	json_double(obj, "writes_per_second", hot_page_rate(page));
	json_double(obj, "error", hot_page_error(page));
	json_string(obj, "how", counted ? "counted" : "estimated");
	json_u64(obj, "seen", seen_of(page));
	json_double(obj, "seen_seconds", (double)(counted ? page->seen_ns :
						  page->armed_ns) / 1e9);
	if (page->rip_votes)
		json_hex(obj, "rip", page->rip);
	if (page->cause)
		json_string(obj, "cause", event_cause_name(page->cause));
	return obj;
}

static struct json_object *sampled_to_json(const struct hot *hot)
{
	const struct hot_model *model = &hot->model;
	struct json_object *obj = json_object_new_object();
	double error, written = hot_model_written(model, &error);

	json_u64(obj, "pages", model->pages);
	json_u64(obj, "sampled", model->sampled);
	json_u64(obj, "written", model->written);
	json_double(obj, "written_of_all", written);
	json_double(obj, "error", error);
	json_u64(obj, "page_tables", hot_model_page_tables(model));
	json_u64(obj, "not_kept", model->not_kept);
	json_u64(obj, "rounds", hot->rounds);
	json_double(obj, "seconds", seconds_of(hot->started_ns,
					       hot->sampled_ns));
	return obj;
}

static struct json_object *cost_to_json(const struct hot *hot)
{
	struct json_object *obj = json_object_new_object();

	json_u64(obj, "bound", hot->cost);
	json_u64(obj, "emulations", hot->emulations);
	json_u64(obj, "armings", hot->model.armings);
	json_double(obj, "emulations_per_second",
		    per_second(hot, hot->emulations));
	json_double(obj, "share", share_of(hot));
	json_double(obj, "seconds", seconds_of(hot->started_ns, hot->ended_ns));
	return obj;
}

static void print_json(const struct hot *hot, struct hot_page **pages, size_t nr)
{
	struct json_object *obj = json_document(hot->ctl);
	struct json_object *array = json_array(obj, "pages");
	size_t i;

	for (i = 0; i < nr; i++)
		json_object_array_add(array, page_to_json(pages[i]));
	json_object_object_add(obj, "sampled", sampled_to_json(hot));
	json_object_object_add(obj, "cost", cost_to_json(hot));
	json_print(hot->ctl, obj);
}

static bool has_progress(const struct hot *hot)
{
	return hot->ctl->json == JSON_OFF && !hot->ctl->quiet &&
	       isatty(STDERR_FILENO);
}

void hot_show_progress(struct hot *hot)
{
	uint64_t now = stream_now_ns();
	uint64_t end = hot->counting ? hot->end_ns : hot->until_ns;
	char sampled[UNITS_SIZE], all[UNITS_SIZE];

	if (!has_progress(hot) || now < hot->shown_ns + PROGRESS_NS)
		return;
	hot->shown_ns = now;
	if (hot->counting)
		fprintf(stderr, "\r\033[Kcounting the hottest pages");
	else
		fprintf(stderr, "\r\033[Ksampling: %s of %s pages, %zu written",
			units_exact(hot->model.sampled, sampled),
			units_exact(hot->model.pages, all), hot->model.nr_found);
	fprintf(stderr, ", %.0f s left", seconds_of(now, end));
	fflush(stderr);
}

void hot_print(const struct hot *hot)
{
	struct hot_page **pages;
	size_t nr;

	if (has_progress(hot) && hot->shown_ns)
		fputs("\r\033[K", stderr);
	pages = hot_model_hottest(&hot->model, hot->count, &nr);
	if (hot->ctl->json != JSON_OFF)
		print_json(hot, pages, nr);
	else
		print_text(hot, pages, nr);
	free(pages);
}
