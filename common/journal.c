// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal.h"

/* As much as libsystemd asks for: room for a burst. */
#define SEND_BUFFER	(8 << 20)

void journal_init(struct journal *journal, const char *path)
{
	journal->path = path;
	journal->fd = -1;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

static int journal_connect(struct journal *journal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, size = SEND_BUFFER;

	if (strlen(journal->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, journal->path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Needs CAP_NET_ADMIN; with less room it works as well. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -ENOTCONN;
	}
	journal->fd = fd;
	return 0;
}

static bool put(struct journal_entry *entry, const void *bytes, size_t size)
{
	if (size > sizeof(entry->bytes) - entry->size)
		return false;
	memcpy(&entry->bytes[entry->size], bytes, size);
	entry->size += size;
	return true;
}

/* A value of several lines has its length in front. */
static bool put_lines(struct journal_entry *entry, const char *name,
		      const char *value)
{
	uint64_t length = htole64(strlen(value));

	return put(entry, name, strlen(name)) && put(entry, "\n", 1) &&
	       put(entry, &length, sizeof(length)) &&
	       put(entry, value, strlen(value)) && put(entry, "\n", 1);
}

static bool put_line(struct journal_entry *entry, const char *name,
		     const char *value)
{
	return put(entry, name, strlen(name)) && put(entry, "=", 1) &&
	       put(entry, value, strlen(value)) && put(entry, "\n", 1);
}

static void add_value(struct journal_entry *entry, const char *name,
		      const char *value)
{
	size_t before = entry->size;
	bool done = strchr(value, '\n') ? put_lines(entry, name, value) :
					  put_line(entry, name, value);

	if (done)
		return;
	entry->size = before;
	entry->left_out++;
}

static void add_format(struct journal_entry *entry, const char *name,
		       const char *format, va_list arguments)
{
	char value[JOURNAL_ENTRY_BYTES];

	vsnprintf(value, sizeof(value), format, arguments);
	add_value(entry, name, value);
}

void journal_add(struct journal_entry *entry, const char *name,
		 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_format(entry, name, format, arguments);
	va_end(arguments);
}

void journal_begin(struct journal_entry *entry, int priority, const char *id,
		   const char *format, ...)
{
	va_list arguments;

	entry->size = 0;
	entry->left_out = 0;
	journal_add(entry, "PRIORITY", "%d", priority);
	add_value(entry, "SYSLOG_IDENTIFIER", program_invocation_short_name);
	if (id)
		add_value(entry, "MESSAGE_ID", id);
	va_start(arguments, format);
	add_format(entry, "MESSAGE", format, arguments);
	va_end(arguments);
}

void journal_add_hex(struct journal_entry *entry, const char *name,
		     const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;
	char value[JOURNAL_ENTRY_BYTES];
	size_t i;

	for (i = 0; i < size && 2 * i + 2 < sizeof(value); i++) {
		value[2 * i] = digits[bytes[i] >> 4];
		value[2 * i + 1] = digits[bytes[i] & 15];
	}
	value[2 * i] = '\0';
	add_value(entry, name, value);
}

/* The socket that journald listens on was replaced, or is not there. */
static bool is_disconnected(int error)
{
	return error == ECONNREFUSED || error == ENOTCONN ||
	       error == ECONNRESET || error == ENOENT || error == EPIPE;
}

static int try_send(struct journal *journal, const struct journal_entry *entry)
{
	ssize_t n;

	do {
		n = send(journal->fd, entry->bytes, entry->size, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
		return -EAGAIN;
	if (!is_disconnected(errno))
		return -errno;
	journal_close(journal);
	return -ENOTCONN;
}

int journal_send(struct journal *journal, const struct journal_entry *entry)
{
	int r;

	if (journal->fd >= 0) {
		r = try_send(journal, entry);
		if (r != -ENOTCONN)
			return r;
	}
	r = journal_connect(journal);
	return r < 0 ? r : try_send(journal, entry);
}
