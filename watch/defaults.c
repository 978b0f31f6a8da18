// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/number.h"
#include "config_files.h"
#include "defaults.h"
#include "util.h"

/* What the module takes: its INFO call says so. */
#define MIN_RECORDS	4
#define MAX_RECORDS	(1U << 24)

enum type { TYPE_USEC, TYPE_U32, TYPE_RECORDS };

struct key {
	const char *section, *name;
	enum type type;
	size_t offset;
	uint64_t min, max;
};

#define KEY(section, name, type, field, min, max) \
	{ section, name, type, offsetof(struct defaults, field), min, max }

static const struct key keys[] = {
	KEY("Guard", "Budget", TYPE_U32, budget, 0, DEFAULTS_MAX_BUDGET),
	KEY("Guard", "BudgetPeriodMs", TYPE_U32, budget_period_ms, 1,
	    DEFAULTS_MAX_PERIOD_MS),
	KEY("Watches", "RateLimitInterval", TYPE_USEC, rate_limit_interval_usec,
	    0, DEFAULTS_MAX_INTERVAL_USEC),
	KEY("Watches", "RateLimitBurst", TYPE_U32, rate_limit_burst, 0,
	    UINT32_MAX),
	KEY("Watches", "RingRecords", TYPE_RECORDS, ring_records, MIN_RECORDS,
	    MAX_RECORDS),
};

void defaults_init(struct defaults *defaults)
{
	*defaults = (struct defaults) {
		.rate_limit_interval_usec = UINT64_C(10) * 1000000,
		.rate_limit_burst = 1000,
		.ring_records = 4096,
		.budget = 0,
		.budget_period_ms = 100,
	};
}

struct loading {
	struct defaults *defaults;
	bool reporting;		/* on what is ours to report */
	ini_report_fn report;
	void *userdata;
};

static const struct key *find_key(const struct ini_entry *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].section, entry->section) &&
		    !strcmp(keys[i].name, entry->key))
			return &keys[i];
	return NULL;
}

static int set_value(const struct key *key, const char *value, void *field)
{
	uint64_t number;
	int r;

	if (key->type == TYPE_USEC)
		r = number_parse_time(value, NUMBER_US, key->min, key->max,
				      &number);
	else
		r = number_parse(value, key->min, key->max, &number);
	if (r < 0)
		return r;
	if (key->type == TYPE_RECORDS && (number & (number - 1)))
		return -EINVAL;
	if (key->type == TYPE_USEC)
		*(uint64_t *)field = number;
	else
		*(uint32_t *)field = (uint32_t)number;
	return 0;
}

static const char *expectation(const struct key *key)
{
	static const char *const texts[] = {
		[TYPE_USEC] = "a time, with us, ms, s, min or h",
		[TYPE_U32] = "a number",
		[TYPE_RECORDS] = "a power of two",
	};

	return texts[key->type];
}

static int set_entry(const struct ini_reader *reader,
		     const struct ini_entry *entry)
{
	struct loading *loading = reader->userdata;
	bool ours = !strcmp(entry->section, "Watches");
	const struct key *key = find_key(entry);
	int r;

	if (!key) {
		if (ours)
			ini_report(reader, entry, "unknown key %s in section "
				   "[%s]: left out", entry->key,
				   entry->section);
		return 0;
	}
	r = set_value(key, entry->value,
		      (char *)loading->defaults + key->offset);
	if (!ours || r >= 0)
		return 0;
	if (r == -ERANGE)
		ini_report(reader, entry,
			   "%s=%s is out of range (%ju to %ju): left out",
			   entry->key, entry->value, (uintmax_t)key->min,
			   (uintmax_t)key->max);
	else
		ini_report(reader, entry, "%s=%s is not %s: left out",
			   entry->key, entry->value, expectation(key));
	return 0;
}

static int on_entry(const struct ini_reader *reader,
		    const struct ini_entry *entry)
{
	struct loading *loading = reader->userdata;
	int r;

	loading->reporting = true;
	r = set_entry(reader, entry);
	loading->reporting = false;
	return r;
}

/* Of lines that are none wtrackd tells; a file that cannot be read stops us, too. */
static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	struct loading *loading = userdata;

	if (loading->report && (loading->reporting || !line))
		loading->report(loading->userdata, file, line, message);
}

int defaults_load(struct defaults *defaults, const char *const *dirs,
		  ini_report_fn report, void *userdata)
{
	struct defaults fresh;
	struct loading loading = {
		.defaults = &fresh, .report = report, .userdata = userdata,
	};
	const struct ini_reader reader = { on_entry, on_report, &loading };
	int r;

	defaults_init(&fresh);
	r = config_read(&reader, dirs);
	if (r >= 0)
		*defaults = fresh;
	return r;
}
