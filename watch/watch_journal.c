// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that wait: for room in the journal, or for their VM's name. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "log.h"
#include "manager.h"
#include "util.h"
#include "watch_session.h"

/* Nobody listens: journald's socket is made again when it is. */
#define RECONNECT_USEC	500000

void watch_session_block(struct watch_session *session)
{
	session->blocked = true;
	if (session->io)
		(void)sd_event_source_set_enabled(session->io, SD_EVENT_OFF);
}

void watches_unblock(struct watches *watches)
{
	struct watch_session *session;

	watch_drop_source(&watches->journal_io);
	watch_drop_source(&watches->journal_timer);
	LIST_FOREACH(session, &watches->sessions, link) {
		if (!session->blocked)
			continue;
		session->blocked = false;
		if (session->io && !session->paused)
			(void)sd_event_source_set_enabled(session->io,
							  SD_EVENT_ON);
		watch_session_poke(session);
	}
}

static int on_room(sd_event_source *source, int fd, uint32_t revents,
		   void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	watches_unblock(userdata);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	watches_unblock(userdata);
	return 0;
}

/* Of a copy, since the journal's own may be closed meanwhile. */
static int wait_for_room(struct watches *watches)
{
	int fd = fcntl(watches->journal.fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return -errno;
	r = sd_event_add_io(watches->manager->event, &watches->journal_io, fd,
			    EPOLLOUT, on_room, watches);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	return sd_event_source_set_io_fd_own(watches->journal_io, 1);
}

void watches_wait_for_journal(struct watches *watches, int error)
{
	int r = error;

	if (watches->journal_io || watches->journal_timer)
		return;
	if (r == -EAGAIN)
		r = wait_for_room(watches);
	if (r < 0)
		r = sd_event_add_time_relative(watches->manager->event,
					       &watches->journal_timer,
					       CLOCK_MONOTONIC, RECONNECT_USEC,
					       0, on_time, watches);
	if (r < 0)
		log_errno(r, "cannot wait for the journal");
}
