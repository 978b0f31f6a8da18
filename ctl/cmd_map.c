// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's memory, as KVM has it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

#include "command.h"
#include "common/range.h"
#include "json.h"
#include "mem.h"
#include "open.h"
#include "table.h"

/* Regions that change all the time have no state to show. */
#define TRIES	16

static const struct column columns[] = {
	{ .title = "FIRST", .right = true },
	{ .title = "LAST", .right = true },
	{ .title = "PAGES", .right = true },
	{ .title = "SIZE", .right = true },
	{ .title = "ADDRESS", .right = true },
	{ .title = "KIND" },
	{ 0 }
};

static const struct {
	uint32_t flag;
	const char *name;
} kinds[] = {
	{ WTRACK_REGION_READONLY, "read-only" },
	{ WTRACK_REGION_DIRTY_LOG, "dirty-logged" },
	{ WTRACK_REGION_PRIVATE, "private" },
	{ WTRACK_REGION_KVM, "kvm" },
};

#define NR_KINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* All of one moment. */
struct map {
	struct wtrack_region *regions;
	size_t nr;
	uint64_t generation;
};

/* -EAGAIN when the regions changed meanwhile. */
static int read_once(struct wtrack_session *session, struct map *map)
{
	uint64_t gfn = 0, generation = 0, first = 0;
	struct wtrack_region region;
	int r;

	map->nr = 0;
	while ((r = wtrack_session_regions_next(session, &gfn, &region,
						&generation)) > 0) {
		if (!map->nr)
			first = generation;
		if (generation != first)
			return -EAGAIN;
		map->regions = mem_grow(map->regions, map->nr, sizeof(region));
		map->regions[map->nr++] = region;
	}
	map->generation = generation;
	return r || !map->nr || generation == first ? r : -EAGAIN;
}

static int read_map(struct ctl *ctl, struct wtrack_session *session,
		    struct map *map)
{
	int tries = TRIES, r;

	do {
		r = read_once(session, map);
	} while (r == -EAGAIN && --tries);
	if (r == -EAGAIN)
		r = -EBUSY;
	return r ? open_fail(ctl, r, "reading the memory regions") : 0;
}

static void add_kinds(struct table *table, uint32_t flags)
{
	char text[64] = "";
	size_t i, len = 0;

	for (i = 0; i < NR_KINDS; i++)
		if (flags & kinds[i].flag)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%s", len ? "," : "",
						kinds[i].name);
	table_cell(table, "%s", text);
}

static void print_text(const struct ctl *ctl, const struct map *map)
{
	struct table *table = table_new(columns);
	const struct wtrack_region *region;
	char size[16];
	size_t i;

	for (i = 0; i < map->nr; i++) {
		region = &map->regions[i];
		table_cell(table, "0x%llx", (unsigned long long)region->gfn);
		table_cell(table, "0x%llx", (unsigned long long)
			   (region->gfn + region->nr_pages - 1));
		table_cell(table, "%llu", (unsigned long long)region->nr_pages);
		table_cell(table, "%s", text_bytes(region->nr_pages * PAGE_BYTES,
						   size, sizeof(size)));
		table_cell(table, "0x%llx", (unsigned long long)
			   (region->gfn << PAGE_SHIFT));
		add_kinds(table, region->flags);
	}
	table_print(table, ctl);
	table_sum(table, ctl, "region");
	table_free(table);
}

static struct json_object *region_to_json(const struct wtrack_region *region)
{
	struct json_object *obj = json_object_new_object();
	uint32_t flags = region->flags;

	json_u64(obj, "gfn", region->gfn);
	json_u64(obj, "nr_pages", region->nr_pages);
	json_flag(obj, "read_only", flags & WTRACK_REGION_READONLY);
	json_flag(obj, "dirty_logged", flags & WTRACK_REGION_DIRTY_LOG);
	json_flag(obj, "private", flags & WTRACK_REGION_PRIVATE);
	json_flag(obj, "kvm", flags & WTRACK_REGION_KVM);
	return obj;
}

static void print_json(const struct ctl *ctl, const struct map *map)
{
	struct json_object *obj = json_document(ctl);
	struct json_object *regions = json_array(obj, "regions");
	size_t i;

	for (i = 0; i < map->nr; i++)
		json_object_array_add(regions,
				      region_to_json(&map->regions[i]));
	json_hex(obj, "generation", map->generation);
	json_print(ctl, obj);
}

static int run(struct ctl *ctl)
{
	struct wtrack_session *session;
	struct map map = { 0 };
	int r = open_reader(ctl, &session);

	if (r)
		return r;
	r = read_map(ctl, session, &map);
	if (!r && ctl->json != JSON_OFF)
		print_json(ctl, &map);
	else if (!r)
		print_text(ctl, &map);
	wtrack_session_close(session);
	free(map.regions);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	{ 0 }
};

const struct command command_map = {
	.name = "map",
	.arguments = "VM",
	.summary = "List the memory that a VM has",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_NEEDS_VM,
	.run = run,
};
