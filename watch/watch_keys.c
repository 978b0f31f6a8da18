// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys that a file in watches.d may have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "common/range.h"
#include "util.h"
#include "watch_config.h"

struct key {
	const char *section;
	const char *name;
	int (*set)(struct watch_config *config, const char *value);
};

/* An empty value takes back what was given before, so do lists. */
static int set_glob(char **glob, const char *value)
{
	if (*value)
		return string_set(glob, value);
	free(*glob);
	*glob = NULL;
	return 0;
}

static int set_machine(struct watch_config *config, const char *value)
{
	return set_glob(&config->match.machine, value);
}

static int set_name(struct watch_config *config, const char *value)
{
	return set_glob(&config->match.qemu_name, value);
}

static int set_cgroup(struct watch_config *config, const char *value)
{
	return set_glob(&config->match.cgroup, value);
}

static int set_user(struct watch_config *config, const char *value)
{
	int r;

	if (!*value) {
		config->match.has_uid = false;
		return 0;
	}
	r = watch_match_parse_user(value, &config->match.uid);
	if (!r)
		config->match.has_uid = true;
	return r;
}

static int add_range(struct watch_config *config, const char *value,
		     int (*parse)(const char *, struct wtrack_range *))
{
	struct wtrack_range range;
	int r;

	if (!*value) {
		ranges_clear(&config->ranges);
		return 0;
	}
	r = parse(value, &range);
	return r < 0 ? r : ranges_add(&config->ranges, &range);
}

static int set_gfn(struct watch_config *config, const char *value)
{
	return add_range(config, value, range_parse_gfns);
}

static int set_gpa(struct watch_config *config, const char *value)
{
	return add_range(config, value, range_parse_gpas);
}

static int set_u32(uint32_t *field, const char *value, uint32_t min,
		   uint32_t max)
{
	uint64_t number;
	int r = number_parse(value, min, max, &number);

	if (!r)
		*field = (uint32_t)number;
	return r;
}

static int set_interval(struct watch_config *config, const char *value)
{
	return number_parse_time(value, NUMBER_US, 0, DEFAULTS_MAX_INTERVAL_USEC,
				 &config->rate_limit_interval_usec);
}

static int set_burst(struct watch_config *config, const char *value)
{
	return set_u32(&config->rate_limit_burst, value, 0, UINT32_MAX);
}

static int set_budget(struct watch_config *config, const char *value)
{
	return set_u32(&config->budget, value, 0, DEFAULTS_MAX_BUDGET);
}

static int set_period(struct watch_config *config, const char *value)
{
	return set_u32(&config->budget_period_ms, value, 1,
		       DEFAULTS_MAX_PERIOD_MS);
}

static int set_description(struct watch_config *config, const char *value)
{
	return string_set(&config->description, value);
}

static const struct key keys[] = {
	{ "Match", "Machine", set_machine },
	{ "Match", "Name", set_name },
	{ "Match", "User", set_user },
	{ "Match", "Cgroup", set_cgroup },
	{ "Watch", "Gfn", set_gfn },
	{ "Watch", "Gpa", set_gpa },
	{ "Watch", "RateLimitInterval", set_interval },
	{ "Watch", "RateLimitBurst", set_burst },
	{ "Watch", "Budget", set_budget },
	{ "Watch", "BudgetPeriodMs", set_period },
	{ "Watch", "Description", set_description },
};

int watch_config_set(struct watch_config *config, const char *section,
		     const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].section, section) &&
		    !strcmp(keys[i].name, key))
			return keys[i].set(config, value);
	return -ENOENT;
}
