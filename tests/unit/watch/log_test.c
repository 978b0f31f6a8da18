// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of the daemon, to a journal that does not always read them. */
#include "test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "log.h"

static char dir[64], path[96], entry[8192];
static int journald;

static int setup(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	strcpy(dir, "/tmp/log_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	strcpy(address.sun_path, path);
	journald = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0);
	assert_int_equal(bind(journald, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	log_open(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(journald);
	unlink(path);
	rmdir(dir);
	return 0;
}

static bool next(void)
{
	ssize_t n = recv(journald, entry, sizeof(entry) - 1, 0);

	entry[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

/* How many of so many messages of this user there may be. */
static unsigned int may(uid_t uid, unsigned int nr)
{
	unsigned int passed = 0;

	while (nr--)
		passed += log_may(LOG_KIND_VMS, uid);
	return passed;
}

/* Before all others: the budgets are the process'. */
static void noise_of_one_user_silences_nobody_else(void **state)
{
	unsigned int uid, passed = 0;

	(void)state;
	assert_int_equal(may(1000, 5000), 200);
	assert_int_equal(may(1001, 5), 5);
	assert_true(log_may(LOG_KIND_REFUSALS, 1000));
	/* However many make noise at a time, there is an end to it. */
	for (uid = 2000; uid < 2300; uid++)
		passed += may(uid, 201);
	assert_int_equal(passed, 254 * 200 + 200);
	assert_int_equal(may(1001, 500), 195);
}

static void message_has_its_fields(void **state)
{
	const char *const fields[] = { "WTRACK_UID=7", "WTRACK_NOTE=a=b", NULL };

	(void)state;
	log_event(LOG_NOTICE, "0123456789abcdef0123456789abcdef", fields,
		  "number %d", 5);
	assert_true(next());
	assert_string_equal(entry, "PRIORITY=5\nSYSLOG_IDENTIFIER=log_test\n"
			    "MESSAGE_ID=0123456789abcdef0123456789abcdef\n"
			    "MESSAGE=number 5\nWTRACK_UID=7\n"
			    "WTRACK_NOTE=a=b\n");
	log_warning("plain");
	assert_true(next());
	assert_string_equal(entry, "PRIORITY=4\nSYSLOG_IDENTIFIER=log_test\n"
			    "MESSAGE=plain\n");
}

/* If it were, this would hang. */
static void full_journal_is_not_waited_for(void **state)
{
	unsigned int nr = 0;
	char lost[64];
	int i;

	(void)state;
	for (i = 0; i < 20000; i++)
		log_info("message %d", i);
	while (next())
		nr++;
	assert_in_range(nr, 1, 19999);
	log_info("there is room again");
	assert_true(next());
	snprintf(lost, sizeof(lost), "the journal had no room for %u messages",
		 20000 - nr);
	assert_non_null(strstr(entry, lost));
	assert_true(next());
	assert_non_null(strstr(entry, "there is room again"));
	log_info("and again");
	assert_true(next());
	assert_non_null(strstr(entry, "and again"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup_teardown(
			noise_of_one_user_silences_nobody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(message_has_its_fields, setup,
						teardown),
		cmocka_unit_test_setup_teardown(full_journal_is_not_waited_for,
						setup, teardown),
	};

	return RUN(cases);
}
