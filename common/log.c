// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "util.h"

#define MAX_TEXT	2048
#define RATE_USEC	(UINT64_C(10) * 1000000)
#define RATE_BURST	200

static bool to_journal, with_debug;
/* Several threads log. The lock protects what follows. */
static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;
static struct journal journal = { JOURNAL_SOCKET, -1 };
/* Messages that the journal had no room for. */
static unsigned int nr_lost;

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

void log_open(const char *path)
{
	journal_close(&journal);
	journal_init(&journal, path);
	to_journal = true;
}

/* "NAME=value" */
static void add_field(struct journal_entry *entry, const char *field)
{
	size_t length = strcspn(field, "=");
	char name[65];

	if (!field[length] || length >= sizeof(name))
		return;
	memcpy(name, field, length);
	name[length] = '\0';
	journal_add(entry, name, "%s", field + length + 1);
}

static int send_entry(int priority, const char *id, const char *const *fields,
		      const char *text)
{
	struct journal_entry entry;

	journal_begin(&entry, priority, id, "%s", text);
	for (; fields && *fields; fields++)
		add_field(&entry, *fields);
	return journal_send(&journal, &entry);
}

/* It is not waited for: what it has no room for is counted. */
static void send_journal(int priority, const char *id,
			 const char *const *fields, const char *text)
{
	char lost[64];

	pthread_mutex_lock(&journal_lock);
	if (nr_lost) {
		snprintf(lost, sizeof(lost),
			 "the journal had no room for %u messages", nr_lost);
		if (send_entry(LOG_WARNING, NULL, NULL, lost) >= 0)
			nr_lost = 0;
	}
	if (send_entry(priority, id, fields, text) < 0)
		nr_lost++;
	pthread_mutex_unlock(&journal_lock);
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
		fprintf(stderr, "%s: %s\n", program_invocation_short_name,
			text);
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

/* Of users that cause messages in the same ten seconds. */
#define RATE_USERS	256

struct rate {
	bool used;
	uid_t uid;
	uint64_t begin_usec;
	unsigned int nr, left_out;
};

/* Nests outside of journal_lock, and protects what follows. */
static pthread_mutex_t rates_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rate rates[NR_LOG_KINDS][RATE_USERS];
/* When there is no room for another one. */
static struct rate shared[NR_LOG_KINDS];

static bool is_over(const struct rate *rate, uint64_t now)
{
	return now - rate->begin_usec >= RATE_USEC;
}

/* The user's, else one that is free, or whose time is over and is told of. */
static struct rate *find_rate(enum log_kind kind, uid_t uid, uint64_t now)
{
	struct rate *rate, *free_one = NULL;

	for (rate = rates[kind]; rate < rates[kind] + RATE_USERS; rate++) {
		if (rate->used && rate->uid == uid)
			return rate;
		if (!free_one && (!rate->used || is_over(rate, now)))
			free_one = rate;
	}
	return free_one ? free_one : &shared[kind];
}

static void tell_left_out(const struct rate *rate, enum log_kind kind)
{
	static const char *const names[NR_LOG_KINDS] = {
		[LOG_KIND_VMS] = "VMs",
		[LOG_KIND_SESSIONS] = "sessions",
		[LOG_KIND_REFUSALS] = "refusals",
		[LOG_KIND_PROCESSES] = "processes",
		[LOG_KIND_OTHER] = "other things",
	};

	if (!rate->left_out)
		return;
	if (rate == &shared[kind])
		log_notice("%u messages about %s of several users were left out",
			   rate->left_out, names[kind]);
	else
		log_notice("%u messages about %s of uid %u were left out",
			   rate->left_out, names[kind], rate->uid);
}

static bool may(enum log_kind kind, uid_t uid)
{
	uint64_t now = now_usec();
	struct rate *rate = find_rate(kind, uid, now);

	if (!rate->used || is_over(rate, now)) {
		tell_left_out(rate, kind);
		*rate = (struct rate) {
			.used = true, .uid = uid, .begin_usec = now,
		};
	}
	if (rate->nr >= RATE_BURST) {
		rate->left_out++;
		return false;
	}
	rate->nr++;
	return true;
}

bool log_may(enum log_kind kind, uid_t uid)
{
	bool r;

	pthread_mutex_lock(&rates_lock);
	r = may(kind, uid);
	pthread_mutex_unlock(&rates_lock);
	return r;
}
