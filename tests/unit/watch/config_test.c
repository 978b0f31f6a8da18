// SPDX-License-Identifier: GPL-2.0-or-later
/* Files in watches.d: good ones, wrong ones, garbage, cut off ones. */
#include "test.h"

#include <sys/stat.h>

#include "watch_config.h"

static const struct defaults defaults = {
	.budget = 7,
	.budget_period_ms = 100,
	.rate_limit_interval_usec = 10000000,
	.rate_limit_burst = 1000,
	.ring_records = 4096,
};

struct fixture {
	char dir[64];
	char reports[4096];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/config_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	struct fixture *f = userdata;
	size_t at = strlen(f->reports);

	snprintf(f->reports + at, sizeof(f->reports) - at, "%s:%u:%s\n",
		 strrchr(file, '/') + 1, line, message);
}

static void put_bytes(struct fixture *f, const char *name, const void *bytes,
		      size_t size)
{
	char path[384];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int read_one(struct fixture *f, const char *text,
		    struct watch_config **ret)
{
	char path[128];

	put_bytes(f, "one.conf", text, strlen(text));
	snprintf(path, sizeof(path), "%s/one.conf", f->dir);
	*f->reports = '\0';
	return watch_config_read(path, &defaults, on_report, f, ret);
}

static void every_key_has_its_effect(void **state)
{
	struct fixture *f = *state;
	struct watch_config *config;

	assert_int_equal(read_one(f,
		"[Match]\nMachine=web-*\nName=vm?\nUser=1000\n"
		"Cgroup=/machine.slice/*\n"
		"[Watch]\nGfn=0x8000+4\nGfn=0x9000-0x9001\nGpa=0x8004000+4K\n"
		"RateLimitInterval=1min\nRateLimitBurst=5\nBudget=100\n"
		"BudgetPeriodMs=20\nDescription=Doorbells of the GPU\n",
		&config), 0);
	assert_string_equal(f->reports, "");
	assert_string_equal(config->name, "one");
	assert_string_equal(config->match.machine, "web-*");
	assert_string_equal(config->match.qemu_name, "vm?");
	assert_string_equal(config->match.cgroup, "/machine.slice/*");
	assert_true(config->match.has_uid);
	assert_int_equal(config->match.uid, 1000);
	assert_int_equal(config->ranges.nr, 2);
	assert_int_equal(config->ranges.at[0].gfn, 0x8000);
	assert_int_equal(config->ranges.at[0].nr_pages, 5);
	assert_int_equal(config->ranges.at[1].nr_pages, 2);
	assert_int_equal(config->rate_limit_interval_usec, 60000000);
	assert_int_equal(config->rate_limit_burst, 5);
	assert_int_equal(config->budget, 100);
	assert_int_equal(config->budget_period_ms, 20);
	assert_string_equal(config->description, "Doorbells of the GPU");
	watch_config_unref(config);
}

static void what_is_not_given_is_the_daemons(void **state)
{
	struct fixture *f = *state;
	struct watch_config *config;

	assert_int_equal(read_one(f, "[Match]\nUser=root\n[Watch]\nGfn=1\n",
				  &config), 0);
	assert_int_equal(config->match.uid, 0);
	assert_int_equal(config->rate_limit_interval_usec, 10000000);
	assert_int_equal(config->rate_limit_burst, 1000);
	assert_int_equal(config->ring_records, 4096);
	assert_int_equal(config->budget, 7);
	assert_int_equal(config->budget_period_ms, 100);
	watch_config_unref(config);
	assert_int_equal(read_one(f, "[Match]\nName=*\n[Watch]\nGfn=1\n"
				  "Budget=0\n", &config), 0);
	assert_int_equal(config->budget, 0);
	assert_int_equal(config->budget_period_ms, 0);
	watch_config_unref(config);
}

static void wrong_values_are_named_and_the_rest_works(void **state)
{
	struct fixture *f = *state;
	struct watch_config *config;

	assert_int_equal(read_one(f,
		"[Match]\nName=a\n[Watch]\nGfn=0x10\nGfn=x\n"
		"Gfn=0x10000000000\nColour=red\nRateLimitBurst=-1\n"
		"BudgetPeriodMs=4001\n[Wtach]\nGfn=5\n", &config), 0);
	assert_string_equal(f->reports,
		"one.conf:5:Gfn=x: not understood, ignored\n"
		"one.conf:6:Gfn=0x10000000000: out of bounds, ignored\n"
		"one.conf:7:unknown key Colour= in [Watch], ignored\n"
		"one.conf:8:RateLimitBurst=-1: not understood, ignored\n"
		"one.conf:9:BudgetPeriodMs=4001: out of bounds, ignored\n"
		"one.conf:11:unknown key Gfn= in [Wtach], ignored\n");
	assert_int_equal(config->ranges.nr, 1);
	assert_int_equal(config->rate_limit_burst, 1000);
	watch_config_unref(config);
}

/* Each number of a watch: the bounds, and what is beyond them. */
static void every_number_has_its_bounds(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} lines[] = {
		{ "RateLimitBurst=0", true },
		{ "RateLimitBurst=4294967294", true },
		{ "RateLimitBurst=4294967295", true },
		{ "RateLimitBurst=4294967296", false },
		{ "RateLimitBurst=18446744073709551616", false },
		{ "RateLimitBurst=0x0x10", false },
		{ "RateLimitBurst=1K", false },
		{ "RateLimitBurst=+1", false },
		{ "RateLimitBurst=", false },
		{ "RateLimitInterval=0", true },
		{ "RateLimitInterval=0.5s", true },
		{ "RateLimitInterval=5 min", true },
		{ "RateLimitInterval=31535999999999us", true },
		{ "RateLimitInterval=8760h", true },
		{ "RateLimitInterval=31536000000001us", false },
		{ "RateLimitInterval=18446744073709551616", false },
		{ "RateLimitInterval=0x10", false },
		{ "RateLimitInterval=", false },
		{ "RateLimitInterval=-1", false },
		{ "Budget=0", true }, { "Budget=1", true },
		{ "Budget=65534", true }, { "Budget=65535", true },
		{ "Budget=65536", false }, { "Budget=4294967296", false },
		{ "Budget=", false }, { "Budget=-1", false },
		{ "BudgetPeriodMs=0", false }, { "BudgetPeriodMs=1", true },
		{ "BudgetPeriodMs=3999", true },
		{ "BudgetPeriodMs=4000", true },
		{ "BudgetPeriodMs=4001", false },
		{ "BudgetPeriodMs=4294967297", false },
		{ "BudgetPeriodMs=5ms", false }, { "BudgetPeriodMs=", false },
		{ "Gfn=0xffffffffff", true }, { "Gfn=0x10000000000", false },
		{ "Gfn=0x0x10", false }, { "Gfn=0+0x10000000000", true },
		{ "Gfn=0+0x10000000001", false }, { "Gfn=1+0", false },
		{ "Gpa=0x1000", true }, { "Gpa=0x1000+4k", true },
		{ "Gpa=0x1000+4K", true }, { "Gpa=0xfffffffffffff+1", true },
		{ "Gpa=0xfffffffffffff+2", false },
		{ "Gpa=0x10000000000000", false }, { "Gpa=0x1000+0", false },
	};
	struct fixture *f = *state;
	struct watch_config *config;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text),
			 "[Match]\nName=a\n[Watch]\nGfn=1\n%s\n",
			 lines[i].line);
		assert_int_equal(read_one(f, text, &config), 0);
		if (!*f->reports != lines[i].good)
			fail_msg("%s: %s", lines[i].line, f->reports);
		watch_config_unref(config);
	}
}

/* The daemon's default is a limit for a watch, too, and not none. */
static void large_defaults_are_kept(void **state)
{
	struct fixture *f = *state;
	struct defaults large = defaults;
	struct watch_config *config;
	char path[128];
	const char *text = "[Match]\nName=a\n[Watch]\nGfn=1\n";

	large.rate_limit_burst = UINT32_MAX;
	put_bytes(f, "one.conf", text, strlen(text));
	snprintf(path, sizeof(path), "%s/one.conf", f->dir);
	assert_int_equal(watch_config_read(path, &large, on_report, f, &config),
			 0);
	assert_int_equal(config->rate_limit_burst, UINT32_MAX);
	watch_config_unref(config);
}

static void users_are_decimal_numbers_or_names(void **state)
{
	static const struct {
		const char *user;
		bool good;
	} users[] = {
		{ "0", true }, { "4294967294", true }, { "4294967295", false },
		{ "4294967296", false }, { "18446744073709551616", false },
		{ "0x10", false }, { "1K", false }, { "1 2", false },
		{ "root", true },
	};
	struct fixture *f = *state;
	struct watch_config *config;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		snprintf(text, sizeof(text),
			 "[Match]\nUser=%s\n[Watch]\nGfn=1\n", users[i].user);
		assert_int_equal(read_one(f, text, &config),
				 users[i].good ? 0 : -EINVAL);
		if (users[i].good)
			watch_config_unref(config);
	}
}

static void empty_value_takes_back(void **state)
{
	struct fixture *f = *state;
	struct watch_config *config;

	assert_int_equal(read_one(f,
		"[Match]\nName=a\nMachine=b\nMachine=\nUser=5\nUser=\n"
		"[Watch]\nGfn=1\nGfn=\nGfn=3\n", &config), 0);
	assert_null(config->match.machine);
	assert_false(config->match.has_uid);
	assert_int_equal(config->ranges.nr, 1);
	assert_int_equal(config->ranges.at[0].gfn, 3);
	watch_config_unref(config);
}

/* A condition that is dropped would have the watch be for more VMs. */
static void mistake_in_match_makes_no_watch(void **state)
{
	static const char *const bad[] = {
		"[Match]\nName=*\nUser=no-such-user-here\n[Watch]\nGfn=1\n",
		"[Match]\nName=*\nUser=4294967295\n[Watch]\nGfn=1\n",
		"[Match]\nName=*\nMachin=web\n[Watch]\nGfn=1\n",
	};
	struct fixture *f = *state;
	struct watch_config *config = NULL;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_one(f, bad[i], &config), -EINVAL);
		assert_non_null(strstr(f->reports, "one.conf:3:"));
		assert_non_null(strstr(f->reports, "one.conf:0:no watch"));
	}
	assert_null(config);
}

static void watch_of_nothing_or_for_all_is_none(void **state)
{
	struct fixture *f = *state;
	struct watch_config *config = NULL;

	assert_int_equal(read_one(f, "[Watch]\nGfn=1\n", &config), -EINVAL);
	assert_string_equal(f->reports,
			    "one.conf:0:no watch: [Match] is empty\n");
	assert_int_equal(read_one(f, "[Match]\nName=a\n", &config), -EINVAL);
	assert_string_equal(f->reports, "one.conf:0:no watch: neither Gfn= nor "
			    "Gpa= in [Watch]\n");
	assert_null(config);
}

static void broken_files_do_not_stop_the_others(void **state)
{
	static const char good[] = "[Match]\nName=a\n[Watch]\nGfn=1\n";
	struct fixture *f = *state;
	const char *const dirs[] = { f->dir, NULL };
	struct watch_config **configs;
	char garbage[3000];
	unsigned int i, seed = 3;
	size_t nr;

	for (i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)rand_r(&seed);
	put_bytes(f, "10-good.conf", good, strlen(good));
	put_bytes(f, "20-garbage.conf", garbage, sizeof(garbage));
	put_bytes(f, "30-cut.conf", good, 20);
	put_bytes(f, "40-good.conf", good, strlen(good));
	put_bytes(f, "ignored.txt", good, strlen(good));
	assert_int_equal(watch_configs_load(dirs, &defaults, on_report, f,
					    &configs, &nr), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(configs[0]->name, "10-good");
	assert_string_equal(configs[1]->name, "40-good");
	assert_non_null(strstr(f->reports, "20-garbage.conf:"));
	assert_non_null(strstr(f->reports, "30-cut.conf:"));
	watch_configs_free(configs, nr);
}

/* With @letter so many times. */
static int read_named(struct fixture *f, const char *letter, unsigned int nr)
{
	static const char good[] = "[Match]\nName=a\n[Watch]\nGfn=1\n";
	struct watch_config *config;
	char name[512] = "", path[768];
	int r;

	while (nr--)
		strcat(name, letter);
	strcat(name, ".conf");
	put_bytes(f, name, good, strlen(good));
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	f->reports[0] = '\0';
	r = watch_config_read(path, &defaults, on_report, f, &config);
	if (!r)
		watch_config_unref(config);
	unlink(path);
	return r;
}

/* What loads has a place in the fd store, whatever VM it is for. */
static void names_that_cannot_be_stored_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_named(f, "n", 217), 0);
	assert_int_equal(read_named(f, "n", 218), -EINVAL);
	assert_non_null(strstr(f->reports, ":0:no watch: its name is too long"));
	assert_non_null(strstr(f->reports, "217 bytes"));
	assert_int_equal(read_named(f, "\u0444", 27), 0);
	assert_int_equal(read_named(f, "\u0444", 30), -EINVAL);
	assert_non_null(strstr(f->reports, ":0:no watch: its name is too long"));
	assert_int_equal(read_named(f, " ", 54), 0);
	assert_int_equal(read_named(f, " ", 55), -EINVAL);
}

/* The bus would refuse to say it. */
static void names_that_are_no_text_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_named(f, "\xff", 1), -EINVAL);
	assert_non_null(strstr(f->reports, ":0:no watch: its name is not "));
	assert_int_equal(read_named(f, "a\nb", 1), -EINVAL);
	assert_int_equal(read_named(f, "\x1b[31m", 1), -EINVAL);
}

/* It goes on as it was, so its name is needed. */
static void file_that_cannot_be_read_leaves_its_name(void **state)
{
	struct fixture *f = *state;
	const char *const dirs[] = { f->dir, NULL };
	struct watch_config **configs;
	char path[512];
	size_t nr;

	snprintf(path, sizeof(path), "%s/gone.conf", f->dir);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_int_equal(watch_configs_load(dirs, &defaults, on_report, f,
					    &configs, &nr), 0);
	assert_int_equal(nr, 1);
	assert_string_equal(configs[0]->name, "gone");
	assert_true(configs[0]->unreadable);
	assert_non_null(strstr(f->reports, "cannot be read"));
	watch_configs_free(configs, nr);
	unlink(path);
}

/* Cut off anywhere, and with any byte replaced. */
static void no_file_is_too_broken(void **state)
{
	static const char good[] =
		"[Match]\nName=a*\nUser=0\n[Watch]\nGfn=0x10+4\nGpa=0x5000+1K\n"
		"RateLimitInterval=10s\nBudget=5\nDescription=x \\\n y\n";
	struct fixture *f = *state;
	struct watch_config *config;
	char text[sizeof(good)];
	size_t i;
	int r;

	for (i = 0; i < 2 * (sizeof(good) - 1); i++) {
		strcpy(text, good);
		if (i & 1)
			text[i / 2] = (char)(i * 37 + 1);
		else
			text[i / 2] = '\0';
		r = read_one(f, text, &config);
		assert_true(r == 0 || r == -EINVAL);
		if (!r)
			watch_config_unref(config);
	}
}

static void changes_are_seen(void **state)
{
	static const char base[] = "[Match]\nName=a\n[Watch]\nGfn=1\n";
	static const struct {
		const char *more;
		bool same_ring;
	} changes[] = {
		{ "Gfn=7\n", true }, { "Budget=9\n", false },
		{ "BudgetPeriodMs=9\n", false }, { "Description=b\n", true },
		{ "RateLimitBurst=1\n", true },
		{ "RateLimitInterval=1\n", true },
		{ "[Match]\nMachine=m\n", true }, { "[Match]\nUser=0\n", true },
		{ "[Match]\nName=b\n", true }, { "[Match]\nCgroup=c\n", true },
	};
	struct fixture *f = *state;
	struct watch_config *a, *b;
	char text[256];
	size_t i;

	assert_int_equal(read_one(f, base, &a), 0);
	assert_int_equal(read_one(f, base, &b), 0);
	assert_true(watch_config_equal(a, b));
	watch_config_unref(b);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", base, changes[i].more);
		assert_int_equal(read_one(f, text, &b), 0);
		assert_false(watch_config_equal(a, b));
		assert_int_equal(watch_config_same_ring(a, b),
				 changes[i].same_ring);
		watch_config_unref(b);
	}
	watch_config_unref(a);
}

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(every_key_has_its_effect),
		CASE(what_is_not_given_is_the_daemons),
		CASE(wrong_values_are_named_and_the_rest_works),
		CASE(every_number_has_its_bounds),
		CASE(large_defaults_are_kept),
		CASE(users_are_decimal_numbers_or_names),
		CASE(empty_value_takes_back),
		CASE(mistake_in_match_makes_no_watch),
		CASE(watch_of_nothing_or_for_all_is_none),
		CASE(broken_files_do_not_stop_the_others),
		CASE(names_that_cannot_be_stored_are_refused),
		CASE(names_that_are_no_text_are_refused),
		CASE(file_that_cannot_be_read_leaves_its_name),
		CASE(no_file_is_too_broken),
		CASE(changes_are_seen),
	};

	return RUN(cases);
}
