// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors as texts. That none is missing, tests/abi/run.sh checks. */
#include "test.h"

static void sign_does_not_matter(void **state)
{
	(void)state;
	assert_string_equal(wtrack_strerror(ESRCH), wtrack_strerror(-ESRCH));
	assert_string_not_equal(wtrack_strerror(ESRCH),
				wtrack_strerror(ENOENT));
}

static void anything_has_a_text(void **state)
{
	int err;

	(void)state;
	for (err = -5000; err <= 5000; err++)
		assert_true(strlen(wtrack_strerror(err)) > 0);
	assert_non_null(wtrack_strerror(INT32_MIN));
	assert_non_null(wtrack_strerror(INT32_MAX));
	assert_string_equal(wtrack_strerror(0), "no error");
}

static void texts_fit_behind_a_colon(void **state)
{
	const char *text;
	int err;

	(void)state;
	for (err = 0; err <= 200; err++) {
		text = wtrack_strerror(err);
		assert_int_not_equal(text[strlen(text) - 1], '.');
		assert_null(strchr(text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(sign_does_not_matter),
		CASE(anything_has_a_text),
		CASE(texts_fit_behind_a_colon),
	};

	return RUN(cases);
}
