// SPDX-License-Identifier: GPL-2.0-or-later
/* What the thread of a guest does, apart from its sessions: guest.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "guest.h"
#include "log.h"
#include "util.h"
#include "watch_session.h"

#define NO_MATCH	"the VM does not match any more"
#define NO_WATCH	"the watch was taken away"

static const struct wanted *find_wanted(const struct guest_orders *orders,
					const char *name)
{
	size_t i;

	for (i = 0; i < orders->nr_wanted; i++)
		if (!strcmp(orders->wanted[i].name, name))
			return &orders->wanted[i];
	return NULL;
}

static struct watch_session *session_of(struct guest *guest, const char *name)
{
	struct watch_session *session;

	LIST_FOREACH(session, &guest->sessions, link)
		if (session->config && !strcmp(session->name, name))
			return session;
	return NULL;
}

/* The session continues, perhaps with another configuration, or it ends. */
static void obey_for(struct watch_session *session,
		     const struct wanted *wanted)
{
	if (!wanted)
		watch_session_leave(session, NO_MATCH);
	else if (!wanted->config)
		watch_session_leave(session, wanted->why);
	else if (wanted->config != session->config)
		watch_session_change(session, wanted->config);
}

static void begin_wanted(struct guest *guest, const struct wanted *wanted)
{
	struct watch_session *session;
	int r;

	r = watch_session_new(guest, wanted->name, wanted->config,
			      wanted->counts, &session);
	if (r < 0)
		log_errno(r, "watch %s: VM %d is not watched", wanted->name,
			  guest->vm_pid);
	else
		watch_session_open(session);
}

/* What could not be opened is not tried any more; others end by themselves. */
static void drop_waiting(struct guest *guest)
{
	struct watch_session *session, *next;

	for (session = LIST_FIRST(&guest->sessions); session; session = next) {
		next = LIST_NEXT(session, link);
		if (session->state == WATCH_WAITING)
			watch_session_free(session);
	}
}

static bool is_retried(const struct watch_session *session,
		       enum guest_retry retry)
{
	return session->state == WATCH_WAITING && !session->request &&
	       (retry == RETRY_ALL ||
		(retry == RETRY_FAILED && session->error != -ESHUTDOWN));
}

static void retry_waiting(struct guest *guest, enum guest_retry retry)
{
	struct watch_session *session;

	LIST_FOREACH(session, &guest->sessions, link)
		if (is_retried(session, retry))
			watch_session_open(session);
}

static int know_vm(struct guest *guest, const struct guest_orders *orders)
{
	guest->present = orders->present;
	guest->uid = orders->uid;
	guest->vm_fd = orders->vm_fd;
	if (!orders->vm_name)
		return 0;
	if (!guest->named) {
		guest->named = true;
		guest_unblock(guest);
	}
	return string_set(&guest->vm_name, orders->vm_name);
}

static void take_stored(struct guest *guest, struct stored *stored,
			const struct guest_orders *orders)
{
	const struct wanted *wanted = find_wanted(orders, stored->name);
	struct watch_session *session = NULL;
	int r;

	r = watch_session_new(guest, stored->name,
			      wanted ? wanted->config : NULL,
			      wanted ? wanted->counts : NULL, &session);
	if (r < 0) {
		safe_close(stored->fd);
	} else {
		watch_session_stored_as(session, stored->store_name);
		r = watch_session_take(session, stored->fd);
		if (r >= 0 && !session->config)
			watch_session_leave(session, NO_WATCH);
		if (r >= 0 && !guest->named)
			watch_session_block(session);
	}
	stored->fd = -1;
	if (r >= 0)
		return;
	log_warning("%s was stored and is of no use: %s", stored->store_name,
		    wtrack_strerror(r));
	if (session)
		watch_session_drop(session);
}

/* Nobody else touches them from now on. */
static void take_all_stored(struct guest *guest,
			    const struct guest_orders *orders)
{
	struct stored *stored;
	size_t i, nr;

	pthread_mutex_lock(&guest->lock);
	stored = TAKE_PTR(guest->stored);
	nr = guest->nr_stored;
	guest->nr_stored = 0;
	pthread_mutex_unlock(&guest->lock);
	for (i = 0; i < nr; i++) {
		take_stored(guest, &stored[i], orders);
		free(stored[i].store_name);
		free(stored[i].name);
	}
	free(stored);
}

static void obey(struct guest *guest, const struct guest_orders *orders)
{
	struct watch_session *session;
	size_t i;

	if (know_vm(guest, orders) < 0)
		log_errno(-ENOMEM, "the name of VM %d is not known",
			  guest->vm_pid);
	take_all_stored(guest, orders);
	LIST_FOREACH(session, &guest->sessions, link)
		if (session->config)
			obey_for(session, find_wanted(orders, session->name));
	if (!guest->present) {
		drop_waiting(guest);
		return;
	}
	retry_waiting(guest, orders->retry);
	for (i = 0; i < orders->nr_wanted; i++)
		if (orders->wanted[i].config &&
		    !session_of(guest, orders->wanted[i].name))
			begin_wanted(guest, &orders->wanted[i]);
}

int guest_obey(struct guest *guest)
{
	struct guest_orders orders;
	bool stop;

	pthread_mutex_lock(&guest->lock);
	guest->asked = false;
	orders = guest->orders;
	guest->orders = (struct guest_orders) { 0 };
	stop = orders.stop;
	if (!guest->has_orders) {
		pthread_mutex_unlock(&guest->lock);
		return 0;
	}
	guest->has_orders = false;
	guest->obeying = true;
	pthread_mutex_unlock(&guest->lock);
	if (!stop)
		obey(guest, &orders);
	guest_orders_clear(&orders);
	guest_report(guest);
	pthread_mutex_lock(&guest->lock);
	guest->obeying = false;
	pthread_mutex_unlock(&guest->lock);
	shared_tell(guest->shared);
	return stop ? -ECANCELED : 0;
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents,
		   void *userdata)
{
	struct guest *guest = userdata;
	eventfd_t count;

	(void)source;
	(void)revents;
	(void)eventfd_read(fd, &count);
	if (guest_obey(guest) == -ECANCELED)
		return sd_event_exit(guest->event, 0);
	return 0;
}

int guest_begin(struct guest *guest)
{
	int r;

	r = string_set(&guest->vm_name, "");
	if (r >= 0)
		r = sd_event_new(&guest->event);
	if (r >= 0)
		r = sd_event_add_io(guest->event, NULL, guest->wake_fd, EPOLLIN,
				    on_wake, guest);
	return r;
}

/* Sessions stay in the fd store unless they are over. */
void guest_end(struct guest *guest)
{
	struct watch_session *session;

	while ((session = LIST_FIRST(&guest->sessions))) {
		(void)watch_tell_suppressed(session);
		watch_session_free(session);
	}
	watch_drop_source(&guest->journal_io);
	watch_drop_source(&guest->journal_timer);
	journal_close(&guest->journal);
	guest->event = sd_event_unref(guest->event);
	free(TAKE_PTR(guest->vm_name));
}

static size_t nr_sessions(const struct guest *guest)
{
	const struct watch_session *session;
	size_t nr = 0;

	LIST_FOREACH(session, &guest->sessions, link)
		nr++;
	return nr;
}

static void report_session(const struct watch_session *session,
			   struct report *ret)
{
	*ret = (struct report) {
		.name = strdup(session->name),
		.session_id = session->id,
		.active = session->config && !session->vm_ended &&
			  session->state == WATCH_ACTIVE,
		.error = session->state == WATCH_WAITING ? session->error : 0,
	};
}

void guest_report(struct guest *guest)
{
	size_t i, nr = 0, before_nr, max = nr_sessions(guest);
	struct report *reports = calloc(max + 1, sizeof(*reports)), *before;
	const struct watch_session *session;

	if (!reports)
		return;
	LIST_FOREACH(session, &guest->sessions, link) {
		report_session(session, &reports[nr]);
		nr += reports[nr].name != NULL;
	}
	pthread_mutex_lock(&guest->lock);
	before = guest->reports;
	before_nr = guest->nr_reports;
	guest->reports = reports;
	guest->nr_reports = nr;
	pthread_mutex_unlock(&guest->lock);
	for (i = 0; i < before_nr; i++)
		free(before[i].name);
	free(before);
	shared_tell(guest->shared);
}
