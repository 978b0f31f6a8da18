/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries for the journal, sent without ever waiting for it.
 *
 * sd_journal_sendv() sleeps while journald's socket is full, and nothing tells
 * it not to. A journald that is stopped, or waits for its disk, would then stop
 * this daemon, for all of its clients. So entries are sent here, in journald's
 * documented native protocol, on a socket that does not block: the caller
 * keeps what it could not log, and is called again when there is room.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"

/* An entry's size is bounded: what does not fit is left out. */
#define JOURNAL_ENTRY_BYTES	8192

struct journal {
	const char *path;
	int fd;
};

struct journal_entry {
	size_t size;
	/* Fields that had no room. */
	unsigned int left_out;
	uint8_t bytes[JOURNAL_ENTRY_BYTES];
};

void journal_init(struct journal *journal, const char *path);
void journal_close(struct journal *journal);

/*
 * An entry of syslog's @priority; the text of MESSAGE follows. @id may be NULL.
 */
void journal_begin(struct journal_entry *entry, int priority, const char *id,
		   const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* @name is a field's name as the journal wants it: [A-Z0-9_]. */
void journal_add(struct journal_entry *entry, const char *name,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));
void journal_add_hex(struct journal_entry *entry, const char *name,
		     const void *data, size_t size);

/*
 * 0 when the journal has it. -EAGAIN when there is no room: again when
 * journal->fd is writable. -ENOTCONN when nobody listens: again a little later.
 * Any other error is the entry's: do not try it again.
 */
int journal_send(struct journal *journal, const struct journal_entry *entry);

#endif
