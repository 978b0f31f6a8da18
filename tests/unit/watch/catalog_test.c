// SPDX-License-Identifier: GPL-2.0-or-later
/* Each message that the daemon writes is explained in the catalog. */
#include "test.h"


#define ID_LENGTH	32

static char *read_file(const char *path)
{
	char *text = calloc(1, 1 << 18);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return text;
}

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == ID_LENGTH;
}

/* Calls of this find ids one after the other, behind what stands before. */
static char *next_id(char **text, const char *before)
{
	static char id[ID_LENGTH + 1];
	char *at = *text;

	while ((at = strstr(at, before))) {
		at += strlen(before);
		if (!is_id(at))
			continue;
		memcpy(id, at, ID_LENGTH);
		*text = at + ID_LENGTH;
		return id;
	}
	return NULL;
}

static unsigned int all_are_in(const char *path, const char *before,
			       const char *other_path, const char *other_before)
{
	char *text = read_file(path), *other = read_file(other_path);
	char *at = text, *id;
	unsigned int nr = 0;
	char wanted[80];

	while ((id = next_id(&at, before))) {
		snprintf(wanted, sizeof(wanted), "%s%s", other_before, id);
		if (!strstr(other, wanted))
			fail_msg("%s is not in %s", id, other_path);
		nr++;
	}
	free(text);
	free(other);
	return nr;
}

static void every_message_id_has_an_entry_and_no_other(void **state)
{
	unsigned int nr;

	(void)state;
	nr = all_are_in(MESSAGE_IDS, "\"", CATALOG, "\n-- ");
	assert_true(nr > 10);
	assert_int_equal(all_are_in(CATALOG, "\n-- ", MESSAGE_IDS, "\""), nr);
}

static void every_entry_has_a_subject(void **state)
{
	char *text = read_file(CATALOG), *at = text;

	(void)state;
	while (next_id(&at, "\n-- ")) {
		assert_memory_equal(at, "\nSubject: ", 10);
		at = strstr(at, "\nDefined-By: kvm-wtrack\n");
		assert_non_null(at);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_message_id_has_an_entry_and_no_other),
		cmocka_unit_test(every_entry_has_a_subject),
	};

	return RUN(cases);
}
