/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To the journal, or to stderr when that is not the journal. The journal is not
 * waited for: see journal.h. A function either logs its failures or returns
 * them, never both.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

/* Chooses where to; before that it is stderr. */
void log_init(void);
/* The journal, whose socket is that; without that it is journald's. */
void log_open(const char *path);
/* Debug messages are dropped unless wanted. */
void log_set_debug(bool debug);
bool log_is_debug(void);

__attribute__((format(printf, 2, 3)))
void log_text(int priority, const char *format, ...);

#define log_error(...)		log_text(LOG_ERR, __VA_ARGS__)
#define log_warning(...)	log_text(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)		log_text(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)		log_text(LOG_INFO, __VA_ARGS__)
#define log_debug(...)		log_text(LOG_DEBUG, __VA_ARGS__)

/* Logs "...: strerror" and returns the error, which is negative. */
__attribute__((format(printf, 2, 3)))
int log_errno(int error, const char *format, ...);

/*
 * A message with an id of message-ids.h and fields "NAME=value". fields ends
 * with NULL and may be NULL; so may be id.
 */
__attribute__((format(printf, 4, 5)))
void log_event(int priority, const char *id, const char *const *fields,
	       const char *format, ...);

/* Messages that users can cause. */
enum log_kind {
	LOG_KIND_VMS,
	LOG_KIND_SESSIONS,
	LOG_KIND_REFUSALS,
	LOG_KIND_PROCESSES,
	LOG_KIND_OTHER,
	NR_LOG_KINDS
};

/*
 * Each user may cause 200 messages of each kind in 10 seconds, so that nobody's
 * noise silences what others do; users beyond a number that are noisy at the same
 * time share what one may. True when there may be one now; says before it how many
 * of this user were left out.
 */
bool log_may(enum log_kind kind, uid_t uid);

#endif
