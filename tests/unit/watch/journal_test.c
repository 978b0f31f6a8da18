// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries in the journal's protocol, and a journal that does not answer. */
#include "test.h"

#include <endian.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "journal.h"

#define ID	"30048d38a22c45d0917dded25544b366"

struct place {
	char dir[64];
	char path[96];
	int fd;
};

static void place_listen(struct place *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, place->path);
	place->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   0);
	assert_int_equal(bind(place->fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
}

static void place_close(struct place *place)
{
	close(place->fd);
	unlink(place->path);
}

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->dir, "/tmp/journal_test.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/socket", place->dir);
	place_listen(place);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	place_close(place);
	rmdir(place->dir);
	free(place);
	return 0;
}

static void fill(struct journal_entry *entry)
{
	journal_begin(entry, 6, ID, "%d bytes", 8);
	journal_add(entry, "WTRACK_GFN", "0x%x", 0x8000);
}

static void entry_is_as_the_protocol_wants(void **state)
{
	static const char expected[] =
		"PRIORITY=6\nSYSLOG_IDENTIFIER=journal_test\nMESSAGE_ID=" ID
		"\nMESSAGE=8 bytes\nWTRACK_GFN=0x8000\nWTRACK_DATA=00ff1a\n";
	struct place *place = *state;
	struct journal_entry entry;
	struct journal journal;
	char text[1024];
	ssize_t n;

	journal_init(&journal, place->path);
	fill(&entry);
	journal_add_hex(&entry, "WTRACK_DATA", "\x00\xff\x1a", 3);
	assert_int_equal(journal_send(&journal, &entry), 0);
	n = recv(place->fd, text, sizeof(text), 0);
	assert_int_equal(n, sizeof(expected) - 1);
	assert_memory_equal(text, expected, (size_t)n);
	journal_close(&journal);
}

static void no_value_makes_a_field_of_its_own(void **state)
{
	static const char value[] = "a\nMESSAGE=forged";
	uint64_t length = htole64(sizeof(value) - 1);
	struct journal_entry entry;
	size_t before;

	(void)state;
	journal_begin(&entry, 6, ID, "text");
	before = entry.size;
	journal_add(&entry, "NAME", "%s", value);
	assert_int_equal(entry.size, before + 5 + 8 + sizeof(value) - 1 + 1);
	assert_memory_equal(entry.bytes + before, "NAME\n", 5);
	assert_memory_equal(entry.bytes + before + 5, &length, 8);
	assert_memory_equal(entry.bytes + before + 13, value,
			    sizeof(value) - 1);
	assert_int_equal(entry.bytes[entry.size - 1], '\n');
}

static void what_does_not_fit_is_left_out(void **state)
{
	char large[JOURNAL_ENTRY_BYTES];
	struct journal_entry entry;
	size_t before;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	journal_begin(&entry, 6, ID, "text");
	before = entry.size;
	journal_add(&entry, "LARGE", "%s", large);
	assert_int_equal(entry.size, before);
	assert_int_equal(entry.left_out, 1);
	large[100] = '\n';
	journal_add(&entry, "LARGE", "%s", large);
	assert_int_equal(entry.size, before);
	assert_int_equal(entry.left_out, 2);
	journal_add(&entry, "SMALL", "1");
	assert_int_equal(entry.size, before + 8);
}

static void full_journal_is_told_and_not_waited_for(void **state)
{
	struct place *place = *state;
	struct journal_entry entry;
	struct journal journal;
	unsigned int sent = 0, received = 0;
	char text[1024];
	int r;

	journal_init(&journal, place->path);
	fill(&entry);
	while ((r = journal_send(&journal, &entry)) == 0)
		sent++;
	assert_int_equal(r, -EAGAIN);
	assert_true(sent > 0);
	assert_int_equal(journal_send(&journal, &entry), -EAGAIN);
	while (recv(place->fd, text, sizeof(text), 0) > 0)
		received++;
	assert_int_equal(received, sent);
	assert_int_equal(journal_send(&journal, &entry), 0);
	journal_close(&journal);
}

static void journal_that_comes_back_is_found(void **state)
{
	struct place *place = *state;
	struct journal_entry entry;
	struct journal journal;
	char text[1024];

	journal_init(&journal, place->path);
	fill(&entry);
	assert_int_equal(journal_send(&journal, &entry), 0);
	place_close(place);
	assert_int_equal(journal_send(&journal, &entry), -ENOTCONN);
	assert_int_equal(journal_send(&journal, &entry), -ENOTCONN);
	place_listen(place);
	assert_int_equal(journal_send(&journal, &entry), 0);
	assert_true(recv(place->fd, text, sizeof(text), 0) > 0);

	/* And without our having seen that it was away. */
	place_close(place);
	place_listen(place);
	assert_int_equal(journal_send(&journal, &entry), 0);
	assert_true(recv(place->fd, text, sizeof(text), 0) > 0);
	journal_close(&journal);
}

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(entry_is_as_the_protocol_wants),
		CASE(no_value_makes_a_field_of_its_own),
		CASE(what_does_not_fit_is_left_out),
		CASE(full_journal_is_told_and_not_waited_for),
		CASE(journal_that_comes_back_is_found),
	};

	return RUN(cases);
}
