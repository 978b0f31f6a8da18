// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define MAX_FIELDS	32
#define MAX_TEXT	2048
#define RATE_USEC	(UINT64_C(10) * 1000000)
#define RATE_BURST	200

static bool to_journal, with_debug;

/* systemd names the file that it made our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	if (sscanf(stream, "%ju:%ju", &device, &inode) != 2)
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

void log_init(void)
{
	to_journal = stderr_is_journal();
}

void log_set_debug(bool debug)
{
	with_debug = debug;
}

bool log_is_debug(void)
{
	return with_debug;
}

static struct iovec iov_of(const char *text)
{
	return (struct iovec) { (void *)text, strlen(text) };
}

static void send_journal(int priority, const char *id,
			 const char *const *fields, const char *text)
{
	char priority_field[16], message[MAX_TEXT + 16], id_field[64];
	struct iovec iov[MAX_FIELDS + 3];
	int n = 0;

	snprintf(priority_field, sizeof(priority_field), "PRIORITY=%d",
		 priority);
	snprintf(message, sizeof(message), "MESSAGE=%s", text);
	iov[n++] = iov_of(priority_field);
	iov[n++] = iov_of(message);
	if (id) {
		snprintf(id_field, sizeof(id_field), "MESSAGE_ID=%s", id);
		iov[n++] = iov_of(id_field);
	}
	while (fields && *fields && n < MAX_FIELDS + 3)
		iov[n++] = iov_of(*fields++);
	(void)sd_journal_sendv(iov, n);
}

static void send_text(int priority, const char *id, const char *const *fields,
		      const char *format, va_list args)
{
	char text[MAX_TEXT];
	int saved = errno;

	vsnprintf(text, sizeof(text), format, args);
	if (to_journal)
		send_journal(priority, id, fields, text);
	else
		fprintf(stderr, "wtrackd: %s\n", text);
	errno = saved;
}

void log_text(int priority, const char *format, ...)
{
	va_list args;

	if (priority == LOG_DEBUG && !with_debug)
		return;
	va_start(args, format);
	send_text(priority, NULL, NULL, format, args);
	va_end(args);
}

void log_event(int priority, const char *id, const char *const *fields,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	send_text(priority, id, fields, format, args);
	va_end(args);
}

int log_errno(int error, const char *format, ...)
{
	char text[MAX_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error("%s: %s", text, strerror(-error));
	return error;
}

bool log_may(struct log_rate *rate, const char *kind)
{
	uint64_t now = now_usec();
	unsigned int left_out = rate->left_out;

	if (now - rate->begin_usec >= RATE_USEC) {
		*rate = (struct log_rate) { .begin_usec = now };
		if (left_out)
			log_notice("%u messages about %s were left out",
				   left_out, kind);
	}
	if (rate->nr >= RATE_BURST) {
		rate->left_out++;
		return false;
	}
	rate->nr++;
	return true;
}
