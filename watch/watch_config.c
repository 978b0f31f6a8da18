// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fdstore.h"
#include "utf8.h"
#include "util.h"
#include "watch_config.h"

#define SUFFIX	".conf"

/* While a file is read. */
struct reading {
	struct watch_config *config;
	ini_report_fn report;
	void *userdata;
	/* It could match VMs that are not meant. */
	bool match_is_wrong;
};

static const char *reason(int error)
{
	switch (error) {
	case -ERANGE:
		return "out of bounds";
	case -ESRCH:
		return "no such user";
	default:
		return "not understood";
	}
}

static int on_entry(const struct ini_reader *reader,
		    const struct ini_entry *entry)
{
	struct reading *reading = reader->userdata;
	int r;

	r = watch_config_set(reading->config, entry->section, entry->key,
			     entry->value);
	if (!r || r == -ENOMEM)
		return r;
	if (r == -ENOENT)
		ini_report(reader, entry, "unknown key %s= in [%s], ignored",
			   entry->key, entry->section);
	else
		ini_report(reader, entry, "%s=%s: %s, ignored",
			   entry->key, entry->value, reason(r));
	if (!strcmp(entry->section, "Match"))
		reading->match_is_wrong = true;
	return 0;
}

/*
 * It will be a part of the name of a stored descriptor, with the numbers of any
 * VM, and text on the bus.
 */
static int watch_check_name(const char *name)
{
	char store_name[FDSTORE_NAME_BYTES];
	CLEANUP(free_p) char *clean = NULL;
	int r;

	r = utf8_clean(name, strlen(name), &clean);
	if (r < 0)
		return r;
	if (strcmp(name, clean))
		return -EILSEQ;
	return fdstore_name(name, UINT64_MAX, INT_MAX, store_name);
}

static const char *name_problem(int error)
{
	return error == -EILSEQ ?
	       "no watch: its name is not printable UTF-8" :
	       error == -ENAMETOOLONG ?
	       "no watch: its name is too long; it may have " WATCH_MAX_PLAIN
	       " bytes, of which all but a-z, A-Z, 0-9, '.', '_' and '-' count "
	       "four times" :
	       NULL;
}

static int name_of_path(const char *path, char **ret)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t length = strlen(file);

	if (length <= strlen(SUFFIX) ||
	    strcmp(file + length - strlen(SUFFIX), SUFFIX))
		return -EINVAL;
	length -= strlen(SUFFIX);
	*ret = strndup(file, length);
	return *ret ? watch_check_name(*ret) : -ENOMEM;
}

static int config_new(const char *path, const struct defaults *defaults,
		      struct watch_config **ret)
{
	struct watch_config *config = calloc(1, sizeof(*config));
	int r;

	if (!config)
		return -ENOMEM;
	config->refs = 1;
	config->rate_limit_interval_usec = defaults->rate_limit_interval_usec;
	config->rate_limit_burst = defaults->rate_limit_burst;
	config->ring_records = defaults->ring_records;
	config->budget = defaults->budget;
	config->budget_period_ms = defaults->budget_period_ms;
	r = name_of_path(path, &config->name);
	if (!r)
		r = string_set(&config->path, path);
	if (!r)
		r = string_set(&config->description, "");
	if (r < 0) {
		watch_config_unref(config);
		return r;
	}
	*ret = config;
	return 0;
}

struct watch_config *watch_config_ref(struct watch_config *config)
{
	if (config)
		__atomic_add_fetch(&config->refs, 1, __ATOMIC_RELAXED);
	return config;
}

void watch_config_unref(struct watch_config *config)
{
	if (!config || __atomic_sub_fetch(&config->refs, 1, __ATOMIC_ACQ_REL))
		return;
	watch_match_clear(&config->match);
	ranges_clear(&config->ranges);
	free(config->name);
	free(config->path);
	free(config->description);
	free(config);
}

/* Why a file that was read makes no watch, or NULL when it does. */
static const char *what_is_missing(const struct reading *reading)
{
	if (reading->match_is_wrong)
		return "no watch: [Match] has mistakes, and without them it "
		       "could be for other machines";
	if (watch_match_is_empty(&reading->config->match))
		return "no watch: [Match] is empty";
	if (!reading->config->ranges.nr)
		return "no watch: neither Gfn= nor Gpa= in [Watch]";
	return NULL;
}

/* One without the other limits nothing. */
static void settle_budget(struct watch_config *config)
{
	if (config->budget && config->budget_period_ms)
		return;
	config->budget = 0;
	config->budget_period_ms = 0;
}

static void pass_report(void *userdata, const char *file, unsigned int line,
			const char *message)
{
	struct reading *reading = userdata;

	reading->report(reading->userdata, file, line, message);
}

static int read_into(struct watch_config *config, ini_report_fn report,
		     void *userdata)
{
	struct reading reading = {
		.config = config,
		.report = report,
		.userdata = userdata,
	};
	const struct ini_reader reader = { on_entry, pass_report, &reading };
	const char *missing;
	int r;

	r = ini_read(&reader, config->path);
	if (r < 0)
		return r == -ENOMEM || r == -ENOENT ? r : -EIO;
	missing = what_is_missing(&reading);
	if (missing) {
		report(userdata, config->path, 0, missing);
		return -EINVAL;
	}
	settle_budget(config);
	return 0;
}

int watch_config_read(const char *path, const struct defaults *defaults,
		      ini_report_fn report, void *userdata,
		      struct watch_config **ret)
{
	struct watch_config *config;
	int r;

	r = config_new(path, defaults, &config);
	if (name_problem(r))
		report(userdata, path, 0, name_problem(r));
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	r = read_into(config, report, userdata);
	if (r == -EIO) {
		config->unreadable = true;
		r = 0;
	}
	if (r == -ENOENT)
		r = -EINVAL;
	if (r < 0) {
		watch_config_unref(config);
		return r;
	}
	*ret = config;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_match(const struct watch_match *a, const struct watch_match *b)
{
	return same_text(a->machine, b->machine) &&
	       same_text(a->qemu_name, b->qemu_name) &&
	       same_text(a->cgroup, b->cgroup) && a->has_uid == b->has_uid &&
	       a->uid == b->uid;
}

bool watch_config_equal(const struct watch_config *a,
			const struct watch_config *b)
{
	return same_text(a->name, b->name) && same_text(a->path, b->path) &&
	       same_text(a->description, b->description) &&
	       same_match(&a->match, &b->match) &&
	       ranges_equal(&a->ranges, &b->ranges) &&
	       a->rate_limit_interval_usec == b->rate_limit_interval_usec &&
	       a->rate_limit_burst == b->rate_limit_burst &&
	       watch_config_same_ring(a, b);
}

bool watch_config_same_ring(const struct watch_config *a,
			    const struct watch_config *b)
{
	return a->ring_records == b->ring_records && a->budget == b->budget &&
	       a->budget_period_ms == b->budget_period_ms;
}

void watch_configs_free(struct watch_config **configs, size_t nr)
{
	while (nr)
		watch_config_unref(configs[--nr]);
	free(configs);
}

int watch_configs_load(const char *const *dirs, const struct defaults *defaults,
		       ini_report_fn report, void *userdata,
		       struct watch_config ***ret, size_t *ret_nr)
{
	struct watch_config **configs;
	char **paths;
	size_t i, nr = 0;
	int r;

	r = ini_list(dirs, report, userdata, &paths);
	if (r < 0)
		return r;
	configs = calloc(strv_length(paths) + 1, sizeof(*configs));
	r = configs ? 0 : -ENOMEM;
	for (i = 0; r != -ENOMEM && paths[i]; i++) {
		r = watch_config_read(paths[i], defaults, report, userdata,
				      &configs[nr]);
		if (!r)
			nr++;
	}
	strv_free(paths);
	if (r == -ENOMEM) {
		watch_configs_free(configs, nr);
		return r;
	}
	*ret = configs;
	*ret_nr = nr;
	return 0;
}
