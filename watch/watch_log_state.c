// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries for what becomes of a watch, and for what it cannot show. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "message-ids.h"
#include "watch_log.h"
#include "watch_log_internal.h"

/* "0x8000+4 0x9000+1" of WATCH_LOG_RANGES ranges, and " ..." if there are more */
#define PAGES_BYTES	(WATCH_LOG_RANGES * 40 + 8)

static void append_range(char *text, uint64_t gfn, uint64_t nr_pages)
{
	size_t at = strlen(text);

	snprintf(text + at, PAGES_BYTES - at, "%s0x%" PRIx64 "+%" PRIu64,
		 at ? " " : "", gfn, nr_pages);
}

static void pages_text(const struct ranges *pages, char text[PAGES_BYTES])
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < pages->nr && i < WATCH_LOG_RANGES; i++)
		append_range(text, pages->at[i].gfn, pages->at[i].nr_pages);
	if (pages->nr > WATCH_LOG_RANGES)
		strcat(text, " ...");
}

/* As people read it: "1.204 s". */
static void duration_text(uint64_t ns, char *text, size_t size)
{
	if (ns < 1000000000)
		snprintf(text, size, "%" PRIu64 ".%03" PRIu64 " ms",
			 ns / 1000000, ns / 1000 % 1000);
	else
		snprintf(text, size, "%" PRIu64 ".%03" PRIu64 " s",
			 ns / 1000000000, ns / 1000000 % 1000);
}

void watch_log_limited(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct ratelimit *limit,
		       const struct wtrack_event *event)
{
	char interval[48], text[160];

	duration_text(limit->interval_usec * 1000, interval, sizeof(interval));
	snprintf(text, sizeof(text),
		 "more than %" PRIu32 " entries in %s: from SEQ %" PRIu64
		 " on they are held back and summed up", limit->burst, interval,
		 wtrack_event_get_seq(event));
	watch_log_begin(entry, origin, LOG_NOTICE, MESSAGE_WATCH_LIMITED, text);
	journal_add(entry, "WTRACK_SEQ_FIRST", "%" PRIu64,
		    wtrack_event_get_seq(event));
}

void watch_log_paused(struct journal_entry *entry,
		      const struct watch_origin *origin,
		      const struct ratelimit *limit)
{
	char interval[48], text[200];

	duration_text(limit->interval_usec * 1000, interval, sizeof(interval));
	snprintf(text, sizeof(text),
		 "too many entries about pages in %s, which may be %" PRIu32
		 " of a watch on a VM: what follows stays in the ring until "
		 "they are over", interval, limit->burst);
	watch_log_begin(entry, origin, LOG_NOTICE, MESSAGE_WATCH_PAUSED, text);
}

static void held_pages(const struct held_back *held, char text[PAGES_BYTES])
{
	unsigned int i;
	size_t at = 0;

	text[0] = '\0';
	for (i = 0; i < held->nr_pages; i++)
		at += (size_t)snprintf(text + at, PAGES_BYTES - at,
				       "%s0x%" PRIx64 ":%" PRIu64,
				       at ? " " : "", held->pages[i].gfn,
				       held->pages[i].events);
	if (held->elsewhere)
		snprintf(text + at, PAGES_BYTES - at, " others:%" PRIu64,
			 held->elsewhere);
}

void watch_log_suppressed(struct journal_entry *entry,
			  const struct watch_origin *origin,
			  const struct held_back *held)
{
	char pages[PAGES_BYTES], text[PAGES_BYTES + 128];

	held_pages(held, pages);
	snprintf(text, sizeof(text),
		 "%" PRIu64 " event%s held back, SEQ %" PRIu64 " to %" PRIu64
		 ", by page: %s", held->events, held->events == 1 ? "" : "s",
		 held->first_seq, held->last_seq, pages);
	watch_log_begin(entry, origin, LOG_NOTICE, MESSAGE_WATCH_SUPPRESSED,
			text);
	journal_add(entry, "WTRACK_SUPPRESSED", "%" PRIu64, held->events);
	journal_add(entry, "WTRACK_SEQ_FIRST", "%" PRIu64, held->first_seq);
	journal_add(entry, "WTRACK_SEQ_LAST", "%" PRIu64, held->last_seq);
	journal_add(entry, "WTRACK_TIME_FIRST_NS", "%" PRIu64, held->first_ns);
	journal_add(entry, "WTRACK_TIME_LAST_NS", "%" PRIu64, held->last_ns);
	journal_add(entry, "WTRACK_PAGES", "%s", pages);
}

static void resync_pages(const struct wtrack_resync_range *ranges, size_t nr,
			 uint32_t what, char text[PAGES_BYTES])
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < nr && i < WATCH_LOG_RANGES; i++)
		if (ranges[i].what == what)
			append_range(text, ranges[i].gfn, ranges[i].nr_pages);
}

void watch_log_resync(struct journal_entry *entry,
		      const struct watch_origin *origin,
		      const struct wtrack_resync_range *ranges, size_t nr,
		      bool last)
{
	char reread[PAGES_BYTES], disarmed[PAGES_BYTES], removed[PAGES_BYTES];
	char absent[PAGES_BYTES], text[4 * PAGES_BYTES + 128];

	resync_pages(ranges, nr, WTRACK_RESYNC_REREAD, reread);
	resync_pages(ranges, nr, WTRACK_RESYNC_DISARMED, disarmed);
	resync_pages(ranges, nr, WTRACK_RESYNC_REMOVED, removed);
	resync_pages(ranges, nr, WTRACK_RESYNC_ABSENT, absent);
	snprintf(text, sizeof(text),
		 "pages to be read again: %s%s%s%s%s%s%s",
		 *reread ? reread : "none",
		 *disarmed ? "; not observed now: " : "", disarmed,
		 *removed ? "; removed: " : "", removed,
		 *absent ? "; without memory: " : "", absent);
	watch_log_begin(entry, origin, LOG_WARNING, MESSAGE_WATCH_RESYNC, text);
	journal_add(entry, "WTRACK_PAGES", "%s", reread);
	if (*disarmed)
		journal_add(entry, "WTRACK_PAGES_DISARMED", "%s", disarmed);
	if (*removed)
		journal_add(entry, "WTRACK_PAGES_REMOVED", "%s", removed);
	if (*absent)
		journal_add(entry, "WTRACK_PAGES_ABSENT", "%s", absent);
	journal_add(entry, "WTRACK_LAST", "%d", last);
}

void watch_log_gap(struct journal_entry *entry,
		   const struct watch_origin *origin,
		   const struct ranges *pages, uint64_t since_ns, int error)
{
	char list[PAGES_BYTES], text[PAGES_BYTES + 256];

	pages_text(pages, list);
	snprintf(text, sizeof(text), "not tracked: %s: %s; tried again", list,
		 wtrack_strerror(error));
	watch_log_begin(entry, origin, LOG_WARNING, MESSAGE_WATCH_GAP, text);
	journal_add(entry, "WTRACK_PAGES", "%s", list);
	journal_add(entry, "WTRACK_TIME_NS", "%" PRIu64, since_ns);
	journal_add(entry, "ERRNO", "%d", -error);
}

void watch_log_rearmed(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct ranges *pages, uint64_t since_ns,
		       uint64_t until_ns)
{
	char list[PAGES_BYTES], gap[48], text[PAGES_BYTES + 128];

	pages_text(pages, list);
	duration_text(until_ns - since_ns, gap, sizeof(gap));
	snprintf(text, sizeof(text),
		 "tracked again: %s; writes were not seen for %s", list, gap);
	watch_log_begin(entry, origin, LOG_NOTICE, MESSAGE_WATCH_REARMED, text);
	journal_add(entry, "WTRACK_PAGES", "%s", list);
	journal_add(entry, "WTRACK_GAP_NS", "%" PRIu64, until_ns - since_ns);
	journal_add(entry, "WTRACK_TIME_NS", "%" PRIu64, until_ns);
}

void watch_log_armed(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct ranges *pages)
{
	char list[PAGES_BYTES], text[PAGES_BYTES + 64];

	pages_text(pages, list);
	snprintf(text, sizeof(text), "watches pages %s", list);
	watch_log_begin(entry, origin, LOG_INFO, MESSAGE_WATCH_ARMED, text);
	journal_add(entry, "WTRACK_PAGES", "%s", list);
}

void watch_log_resumed(struct journal_entry *entry,
		       const struct watch_origin *origin, uint64_t seq)
{
	char text[96];

	snprintf(text, sizeof(text), "goes on with SEQ %" PRIu64, seq);
	watch_log_begin(entry, origin, LOG_INFO, MESSAGE_WATCH_RESUMED, text);
	journal_add(entry, "WTRACK_SEQ_FIRST", "%" PRIu64, seq);
}

void watch_log_ended(struct journal_entry *entry,
		     const struct watch_origin *origin)
{
	watch_log_begin(entry, origin, LOG_INFO, MESSAGE_WATCH_ENDED,
			"the VM is gone");
}

void watch_log_stopped(struct journal_entry *entry,
		       const struct watch_origin *origin, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "stopped: %s", why);
	watch_log_begin(entry, origin, LOG_INFO, MESSAGE_WATCH_STOPPED, text);
}

static const char *failure_text(int error)
{
	switch (error) {
	case -ENOSPC:
		return "FileDescriptorStoreMax= of wtrack-watch.service allows no "
		       "more sessions of watches";
	case -ESHUTDOWN:
		return "an administrator has ended the session; systemctl reload "
		       "wtrack-watch begins anew";
	default:
		return wtrack_strerror(error);
	}
}

void watch_log_failed(struct journal_entry *entry,
		      const struct watch_origin *origin, int error)
{
	char text[256];

	snprintf(text, sizeof(text), "not watched: %s", failure_text(error));
	watch_log_begin(entry, origin,
			error == -ESHUTDOWN ? LOG_NOTICE : LOG_ERR,
			MESSAGE_WATCH_FAILED, text);
	journal_add(entry, "ERRNO", "%d", -error);
}
