// SPDX-License-Identifier: GPL-2.0-or-later
/* The text that Prometheus reads, the same as JSON, and the dashboard. */
#include <ctype.h>
#include <stdlib.h>

#include "json.h"
#include "metrics.h"
#include "test.h"

#define NASTY	"a\"b\\c\nd{e=\"f\",g}# \\n \303\244 \033["

static struct vm vms[] = {
	{ .pid = 100, .fd = 9, .name = "web", .pages = 7, .writes = UINT64_MAX,
	  .memory_bytes = 4096, .nr_sessions = 2 },
	{ .pid = 100, .fd = 10, .name = "web", .writes = 1000000 },
	{ .pid = 150, .fd = 9, .name = "gone", .gone = true, .nr_sessions = 1 },
	{ .pid = 200, .fd = 9, .name = NASTY },
};

static struct session sessions[] = {
	{ .id = 5, .kind = "client", .client_uid = 1000, .pages = 7,
	  .records = 4096, .unread = 3, .memory_bytes = 65536, .vm = &vms[0],
	  .counters = { .events = UINT64_MAX, .merged = 1, .overflows = 2,
			.resync_writes = 3, .disarms = 4, .over_budget = 5,
			.rearms = 6, .unreported = 7 } },
	{ .id = UINT64_MAX, .kind = "watch", .client_uid = UINT32_MAX,
	  .records = UINT32_MAX, .vm = &vms[2] },
	{ .id = 7, .kind = "direct", .vm = NULL,
	  .counters = { .events = 1, .merged = 2, .resync_writes = 3 } },
};

static struct watch watches[] = {
	{ .name = "doorbells", .events = 50, .suppressed = 20 },
	{ .name = NASTY, .events = 1 },
};

static const struct metrics_refusal refusals[] = {
	{ "limit", 4 }, { "no-vm", 0 },
};

static struct model everything_model = {
	.vms = vms, .nr_vms = 4, .sessions = sessions, .nr_sessions = 3,
	.watches = watches, .nr_watches = 2,
};

static const struct metrics everything = {
	.model = &everything_model, .version = "1.0.0", .module_loaded = true,
	.refusals = refusals, .nr_refusals = 2, .per_session = true,
};

/* Valid until it is called again. */
static char *text_of(const struct metrics *metrics, bool legend)
{
	static char buffer[1 << 16];
	FILE *out = fmemopen(buffer, sizeof(buffer), "w");

	assert_non_null(out);
	metrics_write(out, metrics, legend);
	assert_int_equal(fclose(out), 0);
	return buffer;
}

static bool has_line(const char *all, const char *line)
{
	size_t length = strlen(line);
	const char *at = all;

	while ((at = strstr(at, line))) {
		if ((at == all || at[-1] == '\n') && at[length] == '\n')
			return true;
		at++;
	}
	return false;
}

static void each_value_is_there(void **state)
{
#define WEB	"vm_pid=\"100\",vm_fd=\"9\",vm_name=\"web\""
#define FIVE	"{session=\"5\"," WEB ",uid=\"1000\"} "
	static const char *const lines[] = {
		"# TYPE wtrack_info gauge",
		"wtrack_info{version=\"1.0.0\"} 1",
		"wtrack_module_loaded 1",
		"wtrack_vms 3",
		"wtrack_sessions{kind=\"client\"} 1",
		"wtrack_sessions{kind=\"direct\"} 1",
		"wtrack_sessions{kind=\"watch\"} 1",
		"wtrack_vm_sessions{" WEB "} 2",
		"wtrack_vm_pages{" WEB "} 7",
		"# TYPE wtrack_vm_writes_total counter",
		"wtrack_vm_writes_total{" WEB "} 18446744073709551615",
		"wtrack_vm_memory_bytes{" WEB "} 4096",
		"wtrack_vm_sessions{vm_pid=\"100\",vm_fd=\"10\","
			"vm_name=\"web\"} 0",
		"wtrack_vm_pages{vm_pid=\"200\",vm_fd=\"9\",vm_name="
			"\"a\\\"b\\\\c\\nd{e=\\\"f\\\",g}# \\\\n \303\244 "
			"\033[\"} 0",
		"# TYPE wtrack_session_events_total counter",
		"wtrack_session_pages" FIVE "7",
		"wtrack_session_events_total" FIVE "18446744073709551615",
		"wtrack_session_merged_total" FIVE "1",
		"wtrack_session_overflows_total" FIVE "2",
		"wtrack_session_resync_writes_total" FIVE "3",
		"wtrack_session_disarms_total" FIVE "4",
		"wtrack_session_over_budget_total" FIVE "5",
		"wtrack_session_rearms_total" FIVE "6",
		"wtrack_session_unreported_total" FIVE "7",
		"# TYPE wtrack_vm_emulation_seconds_total counter",
		"wtrack_vm_emulation_seconds_total{vm_pid=\"100\",vm_fd=\"10\","
			"vm_name=\"web\"} 4.728000000",
		"wtrack_session_emulation_seconds_total{session=\"7\",uid=\"0\"} "
			"0.000028368",
		"wtrack_session_unread_records" FIVE "3",
		"wtrack_session_ring_records" FIVE "4096",
		"wtrack_session_memory_bytes" FIVE "65536",
		"wtrack_session_ring_records{session=\"18446744073709551615\","
			"vm_pid=\"150\",vm_fd=\"9\",vm_name=\"gone\","
			"uid=\"4294967295\"} 4294967295",
		"wtrack_session_pages{session=\"7\",uid=\"0\"} 0",
		"wtrack_watch_events_total{watch=\"doorbells\"} 50",
		"wtrack_watch_suppressed_total{watch=\"doorbells\"} 20",
		"wtrack_daemon_refusals_total{rule=\"limit\"} 4",
		"wtrack_daemon_refusals_total{rule=\"no-vm\"} 0",
	};
	char *all = text_of(&everything, true);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!has_line(all, lines[i]))
			fail_msg("no %s in\n%s", lines[i], all);
	assert_null(strstr(all, "wtrack_vm_sessions{vm_pid=\"150\""));
}

static void nothing_is_a_text_as_well(void **state)
{
	const struct model nothing_model = { 0 };
	const struct metrics nothing = { .model = &nothing_model,
					 .version = "1", .per_session = true };

	(void)state;
	assert_string_equal(text_of(&nothing, false),
			    "wtrack_info{version=\"1\"} 1\n"
			    "wtrack_module_loaded 0\n"
			    "wtrack_vms 0\n"
			    "wtrack_sessions{kind=\"client\"} 0\n"
			    "wtrack_sessions{kind=\"direct\"} 0\n"
			    "wtrack_sessions{kind=\"watch\"} 0\n");
}

static void sessions_may_be_left_out(void **state)
{
	struct metrics fewer = everything;
	char *all;

	(void)state;
	fewer.per_session = false;
	all = text_of(&fewer, true);
	assert_null(strstr(all, "\nwtrack_session_"));
	assert_true(has_line(all, "wtrack_sessions{kind=\"client\"} 1"));
	assert_true(has_line(all, "wtrack_vm_sessions{" WEB "} 2"));
}

/* [a-zA-Z_][a-zA-Z0-9_]*, which metrics and labels alike may be called. */
static size_t name_length(const char *at)
{
	size_t n = 0;

	while (isalpha((unsigned char)at[n]) || at[n] == '_' ||
	       (n && isdigit((unsigned char)at[n])))
		n++;
	assert_true(n > 0);
	return n;
}

/* name="value"; what is behind the closing quote. */
static const char *skip_label(const char *at, char *names)
{
	size_t n = name_length(at);
	char name[64];

	snprintf(name, sizeof(name), " %.*s ", (int)n, at);
	assert_null(strstr(names, name));
	strcat(names, name);
	assert_memory_equal(at + n, "=\"", 2);
	for (at += n + 2; *at != '"'; at++) {
		assert_true(*at && *at != '\n');
		if (*at == '\\')
			assert_non_null(memchr("\\\"n", *++at, 3));
	}
	return at + 1;
}

/* A sample from the name of its metric on, to the end of its line. */
static void check_sample(const char *line, const char *metric)
{
	size_t n = name_length(line);
	char names[256] = "";
	const char *at = line + n;

	assert_int_equal(n, strlen(metric));
	assert_memory_equal(line, metric, n);
	if (*at == '{') {
		do {
			at = skip_label(at + 1, names);
		} while (*at == ',');
		assert_int_equal(*at++, '}');
	}
	assert_int_equal(*at++, ' ');
	assert_true(isdigit((unsigned char)*at));
	at += strspn(at, "0123456789");
	if (*at == '.') {
		assert_true(isdigit((unsigned char)at[1]));
		at += 1 + strspn(at + 1, "0123456789");
	}
	assert_int_equal(*at, '\0');
}

/*
 * By the letter of the format: HELP, TYPE, then all samples of the metric, none
 * of them twice, and nothing else; a counter and nothing else ends with _total.
 */
static void text_is_what_prometheus_reads(void **state)
{
	char *copy = strdup(text_of(&everything, true)), *rest = copy, *line;
	char seen[1 << 16] = "\n", names[4096] = "\n";
	char name[128], type[16], key[512];
	unsigned int nr = 0;

	(void)state;
	while (*rest) {
		assert_non_null(strchr(rest, '\n'));
		line = strsep(&rest, "\n");
		assert_int_equal(sscanf(line, "# HELP %127s", name), 1);
		assert_int_equal(line[7 + strlen(name)], ' ');
		assert_true(strlen(line) > 8 + strlen(name));
		assert_null(strchr(line, '\\'));
		snprintf(key, sizeof(key), "\n%s ", name);
		assert_null(strstr(names, key));
		strcat(strcat(names, name), " \n");
		line = strsep(&rest, "\n");
		snprintf(key, sizeof(key), "# TYPE %s ", name);
		assert_memory_equal(line, key, strlen(key));
		assert_int_equal(sscanf(line + strlen(key), "%15s", type), 1);
		assert_true(!strcmp(type, "gauge") || !strcmp(type, "counter"));
		assert_int_equal(!strcmp(type, "counter"),
				 strlen(name) > 6 &&
				 !strcmp(name + strlen(name) - 6, "_total"));
		for (; *rest && *rest != '#'; nr++) {
			line = strsep(&rest, "\n");
			check_sample(line, name);
			snprintf(key, sizeof(key), "\n%.*s ",
				 (int)(strrchr(line, ' ') - line), line);
			assert_null(strstr(seen, key));
			strcat(strcat(seen, key + 1), "\n");
		}
	}
	assert_true(nr > 40);
	free(copy);
}

static void json_has_the_same(void **state)
{
	struct json_object *array = metrics_to_json(&everything), *labels;
	char *all = text_of(&everything, false), *at;
	struct json_object *sample;
	const char *name;
	char *printed;
	size_t i, nr = 0;

	(void)state;
	for (at = all; (at = strchr(at, '\n')); at++)
		nr++;
	assert_int_equal(json_object_array_length(array), nr);
	for (i = 0; i < nr; i++) {
		sample = json_object_array_get_idx(array, i);
		name = json_object_get_string(json_object_object_get(sample,
								     "name"));
		assert_memory_equal(all, name, strlen(name));
		assert_true(all[strlen(name)] == ' ' || all[strlen(name)] == '{');
		labels = json_object_object_get(sample, "labels");
		assert_int_equal(json_object_object_length(labels) > 0,
				 all[strlen(name)] == '{');
		all = strchr(all, '\n') + 1;
	}
	sample = json_object_array_get_idx(array, 8);
	printed = json_text(sample, false);
	assert_string_equal(printed,
			    "{\"name\":\"wtrack_vm_sessions\",\"type\":"
			    "\"gauge\",\"labels\":{\"vm_pid\":\"200\",\"vm_fd\":"
			    "\"9\",\"vm_name\":\"a\\\"b\\\\c\\nd{e=\\\"f\\\",g}# "
			    "\\\\n \303\244 \\u001b[\"},\"value\":0}");
	free(printed);
	json_object_put(array);
}

static char *read_dashboard(void)
{
	FILE *file = fopen(DASHBOARD, "r");
	char *all = calloc(1, 1 << 18);

	assert_non_null(file);
	assert_true(fread(all, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return all;
}

static bool has_sample(const char *all, const char *name, size_t length)
{
	char line[128];
	const char *at;

	snprintf(line, sizeof(line), "\n%.*s", (int)length, name);
	for (at = all; (at = strstr(at, line)); at++)
		if (at[length + 1] == ' ' || at[length + 1] == '{')
			return true;
	return false;
}

static void dashboard_uses_names_that_exist(void **state)
{
	char *dashboard = read_dashboard(), *at = dashboard;
	char *all = text_of(&everything, true);
	unsigned int used = 0;
	size_t n;

	(void)state;
	for (; (at = strstr(at, "wtrack_")); at += n, used++) {
		n = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
		if (!has_sample(all, at, n))
			fail_msg("the dashboard uses %.*s", (int)n, at);
	}
	assert_true(used > 10);
	free(dashboard);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(each_value_is_there),
		CASE(nothing_is_a_text_as_well),
		CASE(sessions_may_be_left_out),
		CASE(text_is_what_prometheus_reads),
		CASE(json_has_the_same),
		CASE(dashboard_uses_names_that_exist),
	};

	return RUN(cases);
}
