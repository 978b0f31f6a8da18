// SPDX-License-Identifier: GPL-2.0-or-later
/* The OpenMetrics text, and the dashboard that uses it. */
#include "test.h"


#include "metrics_text.h"

static const struct metrics_vm vms[] = {
	{ 100, 9, "web", 2, 7, 4096 },
	{ 100, 10, "web", 0, 0, 0 },
	{ 200, 9, "a\"b\\c\nd", 0, 0, 0 },
};

static const struct metrics_session sessions[] = {
	{ .id = 5, .vm_pid = 100, .vm_name = "web", .uid = 1000, .pages = 7,
	  .events = 18446744073709551615u, .unread = 3, .records = 4096,
	  .memory_bytes = 65536 },
	{ .id = 6, .vm_pid = 0, .vm_name = "" },
};

static const struct metrics_count watches[] = { { "doorbells", 50, 20 } };
static const struct metrics_count refusals[] = { { "limit", 4, 0 } };

static const struct metrics everything = {
	.version = "1.0.0", .module_loaded = true, .nr_all_vms = 3,
	.kinds = { { "direct", 0, 0 }, { "client", 1, 0 }, { "watch", 1, 0 } },
	.vms = vms, .nr_vms = 3, .sessions = sessions, .nr_sessions = 2,
	.watches = watches, .nr_watches = 1,
	.refusals = refusals, .nr_refusals = 1,
};

/* Valid until it is called again. */
static char *text_of(const struct metrics *metrics)
{
	static char text[1 << 16];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	metrics_write(out, metrics);
	assert_int_equal(fclose(out), 0);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line))) {
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
		at++;
	}
	return false;
}

static void each_value_is_there(void **state)
{
	static const char *const lines[] = {
		"# TYPE wtrack info",
		"wtrack_info{version=\"1.0.0\",module=\"loaded\"} 1",
		"wtrack_vms 3",
		"wtrack_sessions{kind=\"client\"} 1",
		"wtrack_vm_sessions{vm_pid=\"100\",vm_fd=\"9\",vm_name=\"web\"}"
			" 2",
		"# UNIT wtrack_vm_memory_bytes bytes",
		"wtrack_vm_memory_bytes{vm_pid=\"100\",vm_fd=\"9\","
			"vm_name=\"web\"} 4096",
		"wtrack_vm_pages{vm_pid=\"200\",vm_fd=\"9\","
			"vm_name=\"a\\\"b\\\\c\\nd\"} 0",
		"# TYPE wtrack_session_events counter",
		"wtrack_session_events_total{session=\"5\",vm_pid=\"100\","
			"vm_name=\"web\",uid=\"1000\"} 18446744073709551615",
		"wtrack_session_unread_records{session=\"5\",vm_pid=\"100\","
			"vm_name=\"web\",uid=\"1000\"} 3",
		"wtrack_watch_events_total{watch=\"doorbells\"} 50",
		"wtrack_watch_suppressed_total{watch=\"doorbells\"} 20",
		"wtrack_daemon_refusals_total{rule=\"limit\"} 4",
	};
	char *text = text_of(&everything);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!has_line(text, lines[i]))
			print_error("no %s in\n%s", lines[i], text);
		assert_true(has_line(text, lines[i]));
	}
}

static void text_ends_with_eof_and_nothing_else(void **state)
{
	const struct metrics nothing = {
		.version = "1",
		.kinds = { { "a", 0, 0 }, { "b", 0, 0 }, { "c", 0, 0 } },
	};
	char *text = text_of(&nothing);

	(void)state;
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	assert_ptr_equal(strstr(text, "# EOF"), text + strlen(text) - 6);
	assert_null(strstr(text, "\n\n"));
	assert_true(has_line(text, "wtrack_info{version=\"1\","
			     "module=\"absent\"} 1"));
}

/*
 * A family's lines are together, begin with its TYPE, and its samples have the
 * suffix of the type.
 */
static void families_are_in_order(void **state)
{
	char *text = text_of(&everything), *line, *rest = text;
	char family[128] = "", type[16] = "", seen[8192] = "", name[160];
	size_t length;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line && strcmp(line, "# EOF")) {
		if (sscanf(line, "# TYPE %127s %15s", family, type) == 2) {
			snprintf(name, sizeof(name), " %s ", family);
			assert_null(strstr(seen, name));
			strcat(seen, name);
			continue;
		}
		length = strlen(family);
		if (*line == '#') {
			assert_true(strlen(line) > 7);
			assert_memory_equal(line + 7, family, length);
			assert_int_equal(line[7 + length], ' ');
			continue;
		}
		assert_memory_equal(line, family, length);
		snprintf(name, sizeof(name), "%s",
			 !strcmp(type, "counter") ? "_total" :
			 !strcmp(type, "info") ? "_info" : "");
		assert_memory_equal(line + length, name, strlen(name));
		assert_true(strchr(" {", line[length + strlen(name)]));
	}
	assert_string_equal(line, "# EOF");
}

static char *read_dashboard(void)
{
	FILE *file = fopen(DASHBOARD, "r");
	char *text = calloc(1, 1 << 18);

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return text;
}

static bool has_sample(const char *text, const char *name, size_t length)
{
	char line[128];
	const char *at;

	snprintf(line, sizeof(line), "\n%.*s", (int)length, name);
	at = strstr(text, line);
	return at && (at[length + 1] == ' ' || at[length + 1] == '{');
}

static void dashboard_uses_names_that_exist(void **state)
{
	char *dashboard = read_dashboard(), *at = dashboard;
	char *text = text_of(&everything);
	unsigned int used = 0;
	size_t n;

	(void)state;
	for (; (at = strstr(at, "wtrack_")); at += n) {
		n = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
		if (!has_sample(text, at, n))
			fail_msg("the dashboard uses %.*s", (int)n, at);
		used++;
	}
	assert_true(used > 10);
	free(dashboard);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(each_value_is_there),
		cmocka_unit_test(text_ends_with_eof_and_nothing_else),
		cmocka_unit_test(families_are_in_order),
		cmocka_unit_test(dashboard_uses_names_that_exist),
	};

	return RUN(cases);
}
