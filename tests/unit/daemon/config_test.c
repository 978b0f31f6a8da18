// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wtrackd.conf and its drop-ins: what wtrackd and wtrack-watch take of them, and
 * what one of the two reports.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "defaults.h"
#include "util.h"
#include "test.h"

static struct config config;
static struct defaults watches;
static char reports[65536];
static int nr_reports;
static char etc[128], run[128];
static const char *dirs[] = { etc, run, NULL };

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	size_t used = strlen(reports);

	assert_ptr_equal(userdata, &config);
	nr_reports++;
	snprintf(reports + used, sizeof(reports) - used, "%s:%u: %s\n",
		 file + strlen(tree) + 1, line, message);
}

static int setup(void **state)
{
	if (tree_setup(state) < 0)
		return -1;
	reports[0] = '\0';
	nr_reports = 0;
	snprintf(etc, sizeof(etc), "%s/etc", tree);
	snprintf(run, sizeof(run), "%s/run", tree);
	return config_init(&config);
}

static int teardown(void **state)
{
	config_done(&config);
	return tree_teardown(state);
}

static void load(void)
{
	reports[0] = '\0';
	nr_reports = 0;
	assert_int_equal(config_load(&config, dirs, on_report, &config), 0);
	assert_int_equal(defaults_load(&watches, dirs, on_report, &config), 0);
}

static void reported(const char *text)
{
	if (!strstr(reports, text))
		fail_msg("no \"%s\" in:\n%s", text, reports);
}

static void assert_defaults(void)
{
	assert_string_equal(config.group, "kvm-wtrack-any");
	assert_int_equal(config.others_rights, 0x16);
	assert_int_equal(config.user_sessions, 64);
	assert_int_equal(config.user_pages, 1048576);
	assert_int_equal(config.user_ring_bytes, 64 << 20);
	assert_int_equal(config.session_pages, 262144);
	assert_int_equal(config.session_ring_bytes, 4 << 20);
	assert_string_equal(config.watch_user, "wtrack-watch");
	assert_int_equal(config.budget, 0);
	assert_int_equal(config.budget_period_ms, 100);
	assert_int_equal(watches.budget, 0);
	assert_int_equal(watches.budget_period_ms, 100);
	assert_int_equal(watches.rate_limit_interval_usec, 10000000);
	assert_int_equal(watches.rate_limit_burst, 1000);
	assert_int_equal(watches.ring_records, 4096);
}

static void without_files_it_is_the_defaults(void **state)
{
	(void)state;
	load();
	assert_int_equal(nr_reports, 0);
	assert_defaults();
}

/* Takes the comment sign off the keys, and says how many there are. */
static int uncomment(char *text)
{
	int nr = 0;

	for (; text; text = strchr(text, '\n'), text += text != NULL) {
		if (text[0] != '#' || text[1] < 'A' || text[1] > 'Z' ||
		    strcspn(text, "=") > strcspn(text, " \n"))
			continue;
		text[0] = ' ';
		nr++;
	}
	return nr;
}

static void shipped_file_shows_the_defaults(void **state)
{
	char text[8192];
	FILE *file = fopen(SHIPPED, "r");
	size_t size;

	(void)state;
	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	tree_write("etc/wtrackd.conf", text);
	load();
	assert_string_equal(reports, "");
	assert_int_equal(uncomment(text), 13);
	tree_write("etc/wtrackd.conf", text);
	load();
	assert_string_equal(reports, "");
	assert_defaults();
}

static void every_key_is_read(void **state)
{
	(void)state;
	tree_write("etc/wtrackd.conf",
		   "# comment\n; another\n\n"
		   "[Policy]\nGroup=admins\nWatchUser=eye\nOthersRights=sync\tmemory  \n"
		   "[Limits]\nUserSessions=1\nUserPages=0x20\n"
		   "UserRingBytes=3M\nSessionPages=4\nSessionRingBytes=5K\n"
		   "[Guard]\nBudget=6\nBudgetPeriodMs=7\n"
		   "[Watches]\nRateLimitInterval=2min\nRateLimitBurst=9\n"
		   "RingRecords=1024\n");
	load();
	assert_string_equal(reports, "");
	assert_string_equal(config.group, "admins");
	assert_int_equal(config.others_rights, 0x21);
	assert_int_equal(config.user_sessions, 1);
	assert_int_equal(config.user_pages, 32);
	assert_int_equal(config.user_ring_bytes, 3 << 20);
	assert_int_equal(config.session_pages, 4);
	assert_int_equal(config.session_ring_bytes, 5 << 10);
	assert_string_equal(config.watch_user, "eye");
	assert_int_equal(config.budget, 6);
	assert_int_equal(config.budget_period_ms, 7);
	assert_int_equal(watches.budget, 6);
	assert_int_equal(watches.budget_period_ms, 7);
	assert_int_equal(watches.rate_limit_interval_usec, 120000000);
	assert_int_equal(watches.rate_limit_burst, 9);
	assert_int_equal(watches.ring_records, 1024);
}

static void mistakes_are_reported_by_line_and_left_out(void **state)
{
	(void)state;
	tree_write("etc/wtrackd.conf",
		   "Early=1\n"				/* 1 */
		   "[Limits]\n"
		   "UserSessions=many\n"		/* 3 */
		   "UserPages=-1\n"			/* 4 */
		   "SessionPages=0\n"			/* 5 */
		   "SessionRingBytes=1\n"		/* 6 */
		   "UserSession=1\n"			/* 7 */
		   "just words\n"			/* 8 */
		   "=1\n"				/* 9 */
		   "[Unknown]\n"
		   "UserSessions=1\n"			/* 11 */
		   "[Limits\n"				/* 12 */
		   "UserSessions=2\n"
		   "[Watches]\n"
		   "RingRecords=1000\n"			/* 15 */
		   "RateLimitInterval=5 weeks\n"	/* 16 */
		   "[Policy]\n"
		   "Group=a b\n"			/* 18 */
		   "[Guard]\n"
		   "Budget=65536\n"			/* 20 */
		   "BudgetPeriodMs=4001\n"		/* 21 */
		   "[Policy]\n"
		   "OthersRights=data dat\n"		/* 23 */
		   "OthersRights=data;rip\n"		/* 24 */
		   "WatchUser=a/b\n"			/* 25 */
		   "[Watches]\n"
		   "RingRecord=8\n");			/* 27 */
	load();
	reported("etc/wtrackd.conf:1: outside of a section");
	reported("etc/wtrackd.conf:3: UserSessions=many is not a number");
	reported("etc/wtrackd.conf:4: UserPages=-1 is not a number");
	reported("etc/wtrackd.conf:5: SessionPages=0 is out of range");
	reported("etc/wtrackd.conf:6: SessionRingBytes=1 is out of range");
	reported("etc/wtrackd.conf:7: unknown key UserSession");
	reported("etc/wtrackd.conf:8: neither a section nor KEY=VALUE");
	reported("etc/wtrackd.conf:9: neither a section nor KEY=VALUE");
	reported("etc/wtrackd.conf:11: key UserSessions in unknown section");
	reported("etc/wtrackd.conf:12: not a section");
	reported("etc/wtrackd.conf:15: RingRecords=1000 is not a power of two");
	reported("etc/wtrackd.conf:16: RateLimitInterval=5 weeks is not a time");
	reported("etc/wtrackd.conf:18: Group=a b is not the name of a user or group");
	reported("etc/wtrackd.conf:20: Budget=65536 is out of range");
	reported("etc/wtrackd.conf:21: BudgetPeriodMs=4001 is out of range");
	reported("etc/wtrackd.conf:23: OthersRights=data dat is not a list of memory");
	reported("etc/wtrackd.conf:24: OthersRights=data;rip is not a list of memory");
	reported("etc/wtrackd.conf:25: WatchUser=a/b is not the name of a user");
	reported("etc/wtrackd.conf:27: unknown key RingRecord");
	assert_int_equal(nr_reports, 19);
	assert_string_equal(config.watch_user, "wtrack-watch");
	assert_int_equal(watches.budget, 0);
	assert_int_equal(config.others_rights, 0x16);
	assert_int_equal(config.user_sessions, 64);
	assert_int_equal(watches.ring_records, 4096);
	assert_string_equal(config.group, "kvm-wtrack-any");
}

/* The whole section is named once, and the rest of the files counts. */
static void a_section_that_is_no_more_is_one_warning(void **state)
{
	(void)state;
	tree_write("etc/wtrackd.conf",
		   "[Metrics]\nPerSession=no\nOther=1\n"
		   "[Limits]\nUserSessions=3\n");
	tree_write("etc/wtrackd.conf.d/1.conf",
		   "[Metrics]\nPerSession=yes\n[Guard]\nBudget=5\n");
	load();
	reported("etc/wtrackd.conf:2: section [Metrics] has no effect any more");
	reported("wtrack-metrics(8)");
	assert_int_equal(nr_reports, 1);
	assert_int_equal(config.user_sessions, 3);
	assert_int_equal(config.budget, 5);
	/* Each time that the configuration is read. */
	load();
	assert_int_equal(nr_reports, 1);
}

/*
 * Each key that is a number: what it may be, and where it goes. The shipped
 * file has all keys, so none is forgotten here.
 */
static const struct bounds {
	const char *section, *key;
	uint64_t min, max;
	const void *field;
	size_t size;
	const char *unit;	/* behind the bounds; NULL: a power of two */
} all_bounds[] = {
#define BOUNDS(section, key, min, max, field, unit) \
	{ section, key, min, max, &config.field, sizeof(config.field), unit }
	BOUNDS("Limits", "UserSessions", 0, UINT64_C(1) << 52, user_sessions, ""),
	BOUNDS("Limits", "UserPages", 0, UINT64_C(1) << 52, user_pages, ""),
	BOUNDS("Limits", "UserRingBytes", 0, UINT64_C(1) << 52,
	       user_ring_bytes, ""),
	BOUNDS("Limits", "SessionPages", 1, UINT64_C(1) << 52, session_pages,
	       ""),
	BOUNDS("Limits", "SessionRingBytes", 256, UINT64_C(1) << 52,
	       session_ring_bytes, ""),
	BOUNDS("Guard", "Budget", 0, 65535, budget, ""),
	BOUNDS("Guard", "BudgetPeriodMs", 1, 4000, budget_period_ms, ""),
#define WATCH_BOUNDS(section, key, min, max, field, unit) \
	{ section, key, min, max, &watches.field, sizeof(watches.field), unit }
	WATCH_BOUNDS("Watches", "RateLimitInterval", 0, UINT64_C(31536000000000),
	       rate_limit_interval_usec, "us"),
	WATCH_BOUNDS("Watches", "RateLimitBurst", 0, UINT32_MAX, rate_limit_burst,
	       ""),
	WATCH_BOUNDS("Watches", "RingRecords", 4, 1 << 24, ring_records, NULL),
};

static const char *const no_numbers[] = { "Group", "WatchUser", "OthersRights" };

static uint64_t field_of(const struct bounds *bounds)
{
	return bounds->size == 4 ? *(const uint32_t *)bounds->field :
				   *(const uint64_t *)bounds->field;
}

/* What the key is when it is set to @value; the default if it is left out. */
static uint64_t set_to(const struct bounds *bounds, const char *value,
		       const char *unit)
{
	char text[256];

	snprintf(text, sizeof(text), "[%s]\n%s=%s%s\n", bounds->section,
		 bounds->key, value, unit ? unit : "");
	tree_write("etc/wtrackd.conf", text);
	load();
	return field_of(bounds);
}

static void check_value(const struct bounds *bounds, uint64_t value, bool good)
{
	uint64_t before = set_to(bounds, "", "");
	char text[32];
	uint64_t is;

	snprintf(text, sizeof(text), "%ju", (uintmax_t)value);
	is = set_to(bounds, text, bounds->unit);
	if (is != (good ? value : before) || (nr_reports == 0) != good ||
	    (!good && !strstr(reports, "out of range")))
		fail_msg("%s=%s: %ju, %s", bounds->key, text, (uintmax_t)is,
			 reports);
}

static void every_number_has_its_bounds(void **state)
{
	static const char *const garbage[] = {
		"", "-1", "+5", "5 5", "0x0x10", "0x", "5x", "five", "1e3",
		"99999999999999999999999x",
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_bounds); i++) {
		const struct bounds *bounds = &all_bounds[i];
		uint64_t step = bounds->unit ? 1 : bounds->max;

		if (bounds->min)
			check_value(bounds, bounds->unit ? bounds->min - 1 :
				    bounds->min / 2, false);
		check_value(bounds, bounds->min, true);
		check_value(bounds, bounds->unit ? bounds->min + 1 :
			    bounds->min * 2, true);
		check_value(bounds, bounds->unit ? bounds->max - 1 :
			    bounds->max / 2, true);
		check_value(bounds, bounds->max, true);
		check_value(bounds, bounds->max + step, false);
		check_value(bounds, UINT64_MAX, false);
		for (j = 0; j < ARRAY_SIZE(garbage); j++) {
			set_to(bounds, garbage[j], "");
			assert_int_equal(nr_reports, 1);
		}
		/* One more than 64 bits, and what a limit of none would be. */
		set_to(bounds, "18446744073709551616", bounds->unit);
		reported("out of range");
		if (bounds->max < UINT32_MAX || bounds->size == 4) {
			set_to(bounds, "4294967296", "");
			assert_int_equal(nr_reports, 1);
		}
	}
}

static void every_key_of_the_shipped_file_has_bounds(void **state)
{
	char line[256], *equals;
	FILE *file = fopen(SHIPPED, "r");
	size_t i, nr = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		equals = strchr(line, '=');
		if (line[0] != '#' || !equals || strcspn(line + 1, " ") <
		    (size_t)(equals - line))
			continue;
		*equals = '\0';
		for (i = 0; i < ARRAY_SIZE(all_bounds); i++)
			if (!strcmp(line + 1, all_bounds[i].key))
				break;
		if (i == ARRAY_SIZE(all_bounds) &&
		    strcmp(line + 1, no_numbers[0]) &&
		    strcmp(line + 1, no_numbers[1]) &&
		    strcmp(line + 1, no_numbers[2]))
			fail_msg("%s has no bounds", line + 1);
		nr++;
	}
	fclose(file);
	assert_int_equal(nr, ARRAY_SIZE(all_bounds) + ARRAY_SIZE(no_numbers));
}

static void first_directory_has_the_main_file(void **state)
{
	(void)state;
	tree_write("run/wtrackd.conf", "[Limits]\nUserSessions=2\n"
		   "UserPages=2\n");
	load();
	assert_int_equal(config.user_sessions, 2);
	tree_write("etc/wtrackd.conf", "[Limits]\nUserSessions=1\n");
	load();
	assert_int_equal(config.user_sessions, 1);
	assert_int_equal(config.user_pages, 1048576);
}

static void drop_ins_come_after_it_by_name(void **state)
{
	(void)state;
	tree_write("etc/wtrackd.conf", "[Limits]\nUserSessions=1\n"
		   "UserPages=1\nSessionPages=1\n");
	tree_write("etc/wtrackd.conf.d/20-b.conf", "[Limits]\nUserSessions=20\n");
	tree_write("run/wtrackd.conf.d/10-a.conf", "[Limits]\nUserSessions=10\n"
		   "UserPages=10\n");
	tree_write("run/wtrackd.conf.d/30-c.txt", "[Limits]\nUserSessions=30\n");
	tree_write("run/wtrackd.conf.d/.40.conf", "[Limits]\nUserSessions=40\n");
	load();
	assert_int_equal(nr_reports, 0);
	assert_int_equal(config.user_sessions, 20);
	assert_int_equal(config.user_pages, 10);
	assert_int_equal(config.session_pages, 1);
}

static void same_name_hides_and_null_masks(void **state)
{
	(void)state;
	tree_write("run/wtrackd.conf.d/a.conf", "[Limits]\nUserSessions=1\n");
	tree_write("run/wtrackd.conf.d/b.conf", "[Limits]\nUserPages=1\n");
	tree_write("run/wtrackd.conf.d/c.conf", "[Limits]\nSessionPages=1\n");
	tree_write("etc/wtrackd.conf.d/a.conf", "[Limits]\nUserSessions=2\n");
	assert_int_equal(symlink("/dev/null",
				 tree_path("etc/wtrackd.conf.d/b.conf")), 0);
	tree_write("etc/wtrackd.conf.d/c.conf", "");
	load();
	assert_int_equal(nr_reports, 0);
	assert_int_equal(config.user_sessions, 2);
	assert_int_equal(config.user_pages, 1048576);
	assert_int_equal(config.session_pages, 262144);
}

static void what_was_set_is_forgotten_with_the_file(void **state)
{
	(void)state;
	tree_write("etc/wtrackd.conf", "[Policy]\nGroup=\n"
		   "[Limits]\nUserSessions=1\n");
	load();
	assert_string_equal(config.group, "");
	unlink(tree_path("etc/wtrackd.conf"));
	load();
	assert_int_equal(config.user_sessions, 64);
	assert_string_equal(config.group, "kvm-wtrack-any");
}

/* It may set the tighter limits: nothing is taken, and nothing changes. */
static void is_refused(const char *text)
{
	reports[0] = '\0';
	assert_true(config_load(&config, dirs, on_report, &config) < 0);
	reported(text);
	assert_int_equal(config.user_sessions, 7);
}

static void take_seven(void)
{
	tree_write("etc/wtrackd.conf", "[Limits]\nUserSessions=7\n");
	load();
	assert_int_equal(config.user_sessions, 7);
	tree_write("etc/wtrackd.conf.d/b.conf", "[Limits]\nUserSessions=3\n");
}

static void drop_in_that_cannot_be_read_is_refused(void **state)
{
	(void)state;
	take_seven();
	/* It is a directory. */
	tree_path("etc/wtrackd.conf.d/a.conf/x");
	is_refused("etc/wtrackd.conf.d/a.conf:0: cannot be read");
	rmdir(tree_path("etc/wtrackd.conf.d/a.conf"));
	load();
	assert_int_equal(config.user_sessions, 3);
}

static void link_to_nothing_is_refused(void **state)
{
	(void)state;
	take_seven();
	assert_int_equal(symlink("/nowhere/at/all",
				 tree_path("etc/wtrackd.conf.d/a.conf")), 0);
	is_refused("etc/wtrackd.conf.d/a.conf:0: cannot be read: "
		   "it is a link to nothing");
	unlink(tree_path("etc/wtrackd.conf.d/a.conf"));
	/* The main file of another folder does not take its place. */
	tree_write("run/wtrackd.conf", "[Limits]\nUserSessions=9\n");
	unlink(tree_path("etc/wtrackd.conf"));
	assert_int_equal(symlink("/nowhere/at/all",
				 tree_path("etc/wtrackd.conf")), 0);
	is_refused("etc/wtrackd.conf:0: cannot be read: it is a link to nothing");
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	take_seven();
	assert_int_equal(mkfifo(tree_path("etc/wtrackd.conf.d/a.conf"), 0600),
			 0);
	is_refused("etc/wtrackd.conf.d/a.conf:0: cannot be read: "
		   "it is no regular file");
}

static void folder_that_is_none_is_refused(void **state)
{
	(void)state;
	take_seven();
	tree_write("run/wtrackd.conf.d", "");
	is_refused("run/wtrackd.conf.d:0: cannot be read");
}

/* Whatever is in the file, the daemon gets a configuration. */
static void noise_does_no_harm(void **state)
{
	char bytes[4096];
	int i;

	(void)state;
	for (i = 0; i < 500; i++) {
		noise_fill(bytes, sizeof(bytes),
			   "[Limits]\n[Policy]\nGroup=UserSessions=1K\\\n#;");
		tree_write_bytes("etc/wtrackd.conf", bytes,
				 noise() % sizeof(bytes));
		load();
		assert_non_null(config.group);
		assert_in_range(config.session_pages, 1, UINT64_C(1) << 52);
	}
}

static void endless_file_is_refused(void **state)
{
	char *big = malloc(INI_MAX_BYTES + 1);

	(void)state;
	take_seven();
	memset(big, '\n', INI_MAX_BYTES + 1);
	memcpy(big, "[Limits]\nUserSessions=1\n", 24);
	tree_write_bytes("etc/wtrackd.conf", big, INI_MAX_BYTES + 1);
	is_refused("etc/wtrackd.conf:0: cannot be read: it is too long");
	free(big);
}

#undef CASE
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(without_files_it_is_the_defaults),
		CASE(shipped_file_shows_the_defaults),
		CASE(every_key_is_read),
		CASE(mistakes_are_reported_by_line_and_left_out),
		CASE(a_section_that_is_no_more_is_one_warning),
		CASE(every_number_has_its_bounds),
		CASE(every_key_of_the_shipped_file_has_bounds),
		CASE(first_directory_has_the_main_file),
		CASE(drop_ins_come_after_it_by_name),
		CASE(same_name_hides_and_null_masks),
		CASE(what_was_set_is_forgotten_with_the_file),
		CASE(drop_in_that_cannot_be_read_is_refused),
		CASE(link_to_nothing_is_refused),
		CASE(what_is_no_file_is_refused),
		CASE(folder_that_is_none_is_refused),
		CASE(noise_does_no_harm),
		CASE(endless_file_is_refused),
	};

	return RUN(cases);
}
