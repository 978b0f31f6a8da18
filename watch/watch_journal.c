// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that wait: for room in the journal, or for their VM's name. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "log.h"
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

void guest_unblock(struct guest *guest)
{
	struct watch_session *session;

	watch_drop_source(&guest->journal_io);
	watch_drop_source(&guest->journal_timer);
	LIST_FOREACH(session, &guest->sessions, link) {
		/* It waits for the VM's name. */
		if (!session->blocked || !guest->named)
			continue;
		session->blocked = false;
		if (session->io)
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
	guest_unblock(userdata);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	guest_unblock(userdata);
	return 0;
}

/* Of a copy, since the journal's own may be closed meanwhile. */
static int wait_for_room(struct guest *guest)
{
	int fd = fcntl(guest->journal.fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return -errno;
	r = sd_event_add_io(guest->event, &guest->journal_io, fd,
			    EPOLLOUT, on_room, guest);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	return sd_event_source_set_io_fd_own(guest->journal_io, 1);
}

void guest_wait_for_journal(struct guest *guest, int error)
{
	int r = error;

	if (guest->journal_io || guest->journal_timer)
		return;
	if (r == -EAGAIN)
		r = wait_for_room(guest);
	if (r < 0)
		r = sd_event_add_time_relative(guest->event,
					       &guest->journal_timer,
					       CLOCK_MONOTONIC, RECONNECT_USEC,
					       0, on_time, guest);
	if (r < 0)
		log_errno(r, "cannot wait for the journal");
}
