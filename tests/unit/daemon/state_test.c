// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that say for whom a session was opened. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"
#include "test.h"

static const struct state sample = {
	.session_id = 12,
	.opener_pid = 999,
	.uid = UINT32_MAX - 1,
	.pid = 4711,
	.vm_pid = INT32_MAX,
	.vm_fd = 12,
	.max_pages = 1048576,
	.max_records = 4096,
};

static void assert_same(const struct state *a, const struct state *b)
{
	char *text_a, *text_b;

	assert_int_equal(state_format(a, &text_a), 0);
	assert_int_equal(state_format(b, &text_b), 0);
	assert_string_equal(text_a, text_b);
	free(text_a);
	free(text_b);
}

static void is_bad(const char *text, size_t size)
{
	struct state state = sample, before = state;

	assert_int_equal(state_parse(text, size, &state), -EBADMSG);
	assert_memory_equal(&state, &before, sizeof(state));
}

static void what_was_written_is_read(void **state)
{
	struct state back;

	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	assert_int_equal(state_read(tree, 12, &back), 0);
	assert_same(&sample, &back);
	assert_int_equal(state_remove(tree, 12), 0);
	assert_int_equal(state_read(tree, 12, &back), -ENOENT);
	assert_int_equal(state_remove(tree, 12), -ENOENT);
}

static void newest_replaces_older(void **state)
{
	struct state newer = sample, back;

	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	newer.uid = 1;
	assert_int_equal(state_write(tree, &newer), 0);
	assert_int_equal(state_read(tree, 12, &back), 0);
	assert_same(&newer, &back);
}

static void nobody_else_can_read_it(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	assert_int_equal(stat(tree_path("12"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void file_of_another_session_is_not_taken(void **state)
{
	struct state back;
	char from[256];

	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	snprintf(from, sizeof(from), "%s", tree_path("12"));
	assert_int_equal(rename(from, tree_path("13")), 0);
	assert_int_equal(state_read(tree, 13, &back), -EBADMSG);
}

/* Cut off anywhere, it is not whole. */
static void truncated_text_is_refused(void **state)
{
	struct state back;
	char *text;
	size_t i;

	(void)state;
	assert_int_equal(state_format(&sample, &text), 0);
	for (i = 0; i < strlen(text); i++)
		is_bad(text, i);
	assert_int_equal(state_parse(text, strlen(text), &back), 0);
	free(text);
}

static void wrong_text_is_refused(void **state)
{
	static const char *const wrong[] = {
		"session=12\nsession=12\n", "nothing=1\n", "session\n",
		"session=\n", "session=-1\n", "session=12x\n", "=12\n", "\n",
		"uid=4294967296\n", "pid=2147483648\n", " session=1\n",
		"session=18446744073709551616\n",
	};
	char text[2048], *good;
	size_t i;

	(void)state;
	assert_int_equal(state_format(&sample, &good), 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		is_bad(wrong[i], strlen(wrong[i]));
		snprintf(text, sizeof(text), "%s%s", good, wrong[i]);
		is_bad(text, strlen(text));
	}
	/* A null byte hides nothing. */
	snprintf(text, sizeof(text), "%s", good);
	text[8] = '\0';
	is_bad(text, strlen(good));
	free(good);
}

static void noise_is_refused(void **state)
{
	struct state back;
	char bytes[512];
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		noise_fill(bytes, sizeof(bytes), "sesion=uidpmaxrc0123456789\n\n");
		assert_int_equal(state_parse(bytes, noise() % sizeof(bytes),
					     &back), -EBADMSG);
	}
}

static int keep_12(uint64_t id, void *userdata)
{
	(void)userdata;
	return id == 12;
}

static void only_what_is_kept_survives_cleaning(void **state)
{
	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	tree_write("13", "");
	tree_write("012", "");
	tree_write(".12.new", "");
	tree_write("garbage", "");
	assert_int_equal(state_clean(tree, keep_12, NULL), 0);
	assert_true(tree_has("12"));
	assert_false(tree_has("13"));
	assert_false(tree_has("012"));
	assert_false(tree_has(".12.new"));
	assert_false(tree_has("garbage"));
}

static void failed_write_leaves_the_older_one(void **state)
{
	struct state newer = sample, back;

	(void)state;
	assert_int_equal(state_write(tree, &sample), 0);
	assert_int_equal(mkdir(tree_path(".12.new"), 0700), 0);
	newer.uid = 1;
	assert_true(state_write(tree, &newer) < 0);
	assert_int_equal(state_read(tree, 12, &back), 0);
	assert_same(&sample, &back);
}

static void directory_that_is_not_there_is_told(void **state)
{
	struct state back;

	(void)state;
	assert_int_equal(state_write("/dev/null/x", &sample), -ENOTDIR);
	assert_int_equal(state_read("/nowhere", 1, &back), -ENOENT);
	assert_int_equal(state_clean("/nowhere", keep_12, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_was_written_is_read),
		CASE(newest_replaces_older),
		CASE(nobody_else_can_read_it),
		CASE(file_of_another_session_is_not_taken),
		CASE(truncated_text_is_refused),
		CASE(wrong_text_is_refused),
		CASE(noise_is_refused),
		CASE(only_what_is_kept_survives_cleaning),
		CASE(failed_write_leaves_the_older_one),
		CASE(directory_that_is_not_there_is_told),
	};

	return RUN(cases);
}
