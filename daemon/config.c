// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/session.h>

#include "common/number.h"
#include "config.h"
#include "config_files.h"
#include "util.h"

/* A limit above that is a mistake, and sums of two of them do not wrap. */
#define MAX_LIMIT	(UINT64_C(1) << 52)

enum type { TYPE_NAME, TYPE_COUNT, TYPE_SIZE, TYPE_U32, TYPE_RIGHTS };

struct key {
	const char *section, *name;
	enum type type;
	size_t offset;
	uint64_t min, max;
};

#define KEY(section, name, type, field, min, max) \
	{ section, name, type, offsetof(struct config, field), min, max }

static const struct key keys[] = {
	KEY("Policy", "Group", TYPE_NAME, group, 0, 0),
	KEY("Policy", "WatchUser", TYPE_NAME, watch_user, 0, 0),
	KEY("Policy", "OthersRights", TYPE_RIGHTS, others_rights, 0, 0),
	KEY("Limits", "UserSessions", TYPE_COUNT, user_sessions, 0, MAX_LIMIT),
	KEY("Limits", "UserPages", TYPE_COUNT, user_pages, 0, MAX_LIMIT),
	KEY("Limits", "UserRingBytes", TYPE_SIZE, user_ring_bytes, 0,
	    MAX_LIMIT),
	KEY("Limits", "SessionPages", TYPE_COUNT, session_pages, 1, MAX_LIMIT),
	KEY("Limits", "SessionRingBytes", TYPE_SIZE, session_ring_bytes, 256,
	    MAX_LIMIT),
	KEY("Guard", "Budget", TYPE_U32, budget, 0, CONFIG_MAX_BUDGET),
	KEY("Guard", "BudgetPeriodMs", TYPE_U32, budget_period_ms, 1,
	    CONFIG_MAX_PERIOD_MS),
};

int config_init(struct config *config)
{
	*config = (struct config) {
		.group = strdup("kvm-wtrack-any"),
		.watch_user = strdup("wtrack-watch"),
		.others_rights = WTRACK_RIGHT_DATA | WTRACK_RIGHT_RIP |
				 WTRACK_RIGHT_CHANGE,
		.user_sessions = 64,
		.user_pages = 1048576,
		.user_ring_bytes = UINT64_C(64) << 20,
		.session_pages = 262144,
		.session_ring_bytes = UINT64_C(4) << 20,
		.budget = 0,
		.budget_period_ms = 100,
	};
	if (config->group && config->watch_user)
		return 0;
	config_done(config);
	return -ENOMEM;
}

void config_done(struct config *config)
{
	free(config->group);
	free(config->watch_user);
	config->group = config->watch_user = NULL;
}

static const struct key *find_key(const struct ini_entry *entry,
				  bool *ret_section)
{
	size_t i;

	*ret_section = false;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, entry->section))
			continue;
		*ret_section = true;
		if (!strcmp(keys[i].name, entry->key))
			return &keys[i];
	}
	return NULL;
}

static bool is_account_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.-$";

	return strlen(name) <= 255 && strspn(name, allowed) == strlen(name);
}

static const struct {
	const char *name;
	uint64_t right;
} rights[] = {
	{ "memory", WTRACK_RIGHT_MEMORY }, { "data", WTRACK_RIGHT_DATA },
	{ "rip", WTRACK_RIGHT_RIP }, { "others", WTRACK_RIGHT_OTHERS },
	{ "change", WTRACK_RIGHT_CHANGE }, { "sync", WTRACK_RIGHT_SYNC },
};

static uint64_t find_right(const char *word, size_t length)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rights); i++)
		if (strlen(rights[i].name) == length &&
		    !memcmp(rights[i].name, word, length))
			return rights[i].right;
	return 0;
}

/* Words between commas or blanks; none is none. */
static int parse_rights(const char *value, uint64_t *ret)
{
	uint64_t sum = 0, right;
	size_t length;

	for (value += strspn(value, ", \t"); *value;
	     value += strspn(value, ", \t")) {
		length = strcspn(value, ", \t");
		right = find_right(value, length);
		if (!right)
			return -EINVAL;
		sum |= right;
		value += length;
	}
	*ret = sum;
	return 0;
}

static int parse_number(const struct key *key, const char *value,
			uint64_t *ret)
{
	uint64_t number;
	int r;

	if (key->type == TYPE_SIZE)
		r = number_parse_size(value, key->min, key->max, &number);
	else
		r = number_parse(value, key->min, key->max, &number);
	if (r < 0)
		return r;
	*ret = number;
	return 0;
}

static int set_value(const struct key *key, const char *value, void *field)
{
	uint64_t number;
	int r;

	if (key->type == TYPE_NAME)
		return is_account_name(value) ? string_set(field, value) :
					      -EINVAL;
	if (key->type == TYPE_RIGHTS)
		return parse_rights(value, field);
	r = parse_number(key, value, &number);
	if (r < 0)
		return r;
	if (key->type == TYPE_U32)
		*(uint32_t *)field = (uint32_t)number;
	else
		*(uint64_t *)field = number;
	return 0;
}

static const char *expectation(const struct key *key)
{
	static const char *const texts[] = {
		[TYPE_NAME] = "the name of a user or group",
		[TYPE_COUNT] = "a number",
		[TYPE_SIZE] = "a number of bytes, with K, M, G or T",
		[TYPE_U32] = "a number",
		[TYPE_RIGHTS] = "a list of memory, data, rip, others, change "
				"and sync",
	};

	return texts[key->type];
}

struct loading {
	struct config *config;
	bool found_metrics;
	ini_report_fn report;
	void *userdata;
};

/*
 * Files from before 1.0.0 may have this section. Nothing depends on what it says,
 * so one warning is enough, however many files have it.
 */
static bool is_of_metrics(const struct ini_reader *reader,
			  const struct ini_entry *entry)
{
	struct loading *loading = reader->userdata;

	if (strcmp(entry->section, "Metrics"))
		return false;
	if (!loading->found_metrics)
		ini_report(reader, entry, "section [Metrics] has no effect any "
			   "more: see wtrack-metrics(8), and remove it");
	loading->found_metrics = true;
	return true;
}

static int on_entry(const struct ini_reader *reader,
		    const struct ini_entry *entry)
{
	struct loading *loading = reader->userdata;
	const struct key *key;
	bool section;
	int r;

	/* wtrack-watch reads them. */
	if (!strcmp(entry->section, "Watches") || is_of_metrics(reader, entry))
		return 0;
	key = find_key(entry, &section);
	if (!key) {
		ini_report(reader, entry, section ?
			   "unknown key %s in section [%s]: left out" :
			   "key %s in unknown section [%s]: left out",
			   entry->key, entry->section);
		return 0;
	}
	r = set_value(key, entry->value, (char *)loading->config + key->offset);
	if (r == -ENOMEM)
		return r;
	if (r == -ERANGE)
		ini_report(reader, entry,
			   "%s=%s is out of range (%ju to %ju): left out",
			   entry->key, entry->value, (uintmax_t)key->min,
			   (uintmax_t)key->max);
	else if (r < 0)
		ini_report(reader, entry, "%s=%s is not %s: left out",
			   entry->key, entry->value, expectation(key));
	return 0;
}

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	struct loading *loading = userdata;

	if (loading->report)
		loading->report(loading->userdata, file, line, message);
}

int config_load(struct config *config, const char *const *dirs,
		ini_report_fn report, void *userdata)
{
	struct config fresh;
	struct loading loading = { .config = &fresh, .report = report,
				   .userdata = userdata };
	struct ini_reader reader = { on_entry, on_report, &loading };
	int r;

	r = config_init(&fresh);
	if (r >= 0)
		r = config_read(&reader, dirs);
	if (r < 0) {
		config_done(&fresh);
		return r;
	}
	config_done(config);
	*config = fresh;
	return 0;
}
