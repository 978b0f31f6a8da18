// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A request that is permitted: how much is left; open, restrict, have it attached
 * if the client may not do that, and hand the descriptor over. From then on the
 * daemon is out of the way.
 */
#include <errno.h>
#include <unistd.h>

#include "attach.h"
#include "manager.h"
#include "open.h"
#include "open_internal.h"
#include "open_options.h"
#include "request.h"
#include "session.h"
#include "state.h"
#include "vm.h"

/* Of a watch: what its entries say, whatever OthersRights= allows to others. */
#define WATCH_RIGHTS \
	(WTRACK_RIGHT_DATA | WTRACK_RIGHT_RIP | WTRACK_RIGHT_CHANGE)

/* On a VM of one's own: all but to have vCPUs wait. */
#define OWN_RIGHTS	(UINT64_MAX & ~(uint64_t)WTRACK_RIGHT_SYNC)

/*
 * Root is not limited, but limits itself when it says so. Nor are the watches, which
 * are root's: they have a right to what they log, and to nothing else.
 */
static int get_restriction(const struct request *request,
			   struct wtrack_restriction *ret,
			   struct limit_amount *ret_amount,
			   const char **ret_key, uint64_t *ret_max)
{
	const struct open_options *options = &request->options;
	const struct config *config = &request->manager->config;
	struct limit_amount amount = {};
	struct wtrack_info info;
	uint32_t records = options->max_records;
	int r;

	*ret = (struct wtrack_restriction) {
		.max_pages = options->max_pages,
		.max_records = records,
		.max_sync_us = UINT32_MAX,
		.rights = UINT64_MAX,
	};
	*ret_amount = amount;
	if (!request->caller.uid)
		return 0;
	if (manager_is_watch_user(request->manager, request->caller.uid)) {
		ret->rights = WATCH_RIGHTS;
		ret->max_sync_us = 0;
		return 0;
	}
	r = wtrack_get_info(&info, sizeof(info));
	if (r < 0)
		return r;
	*ret_key = NULL;
	r = open_options_amount(options, config, &info, &amount, &records,
				ret_key, ret_max);
	if (r < 0)
		return r;
	ret->max_pages = amount.pages;
	ret->max_records = records;
	ret->budget = config->budget;
	ret->period_ms = config->budget ? config->budget_period_ms : 0;
	ret->rights = request->by_us ? config->others_rights : OWN_RIGHTS;
	if (!(ret->rights & WTRACK_RIGHT_SYNC))
		ret->max_sync_us = 0;
	*ret_amount = amount;
	return 0;
}

static int open_restricted(const struct wtrack_restriction *restriction,
			   struct wtrack_session **ret,
			   struct wtrack_status *ret_status)
{
	struct wtrack_session *wtrack;
	int r;

	r = wtrack_session_open(&wtrack);
	if (r < 0)
		return r;
	/* Root's as well: from then on the module tells of it. */
	r = wtrack_session_restrict(wtrack, restriction, sizeof(*restriction));
	if (r >= 0)
		r = wtrack_session_get_status(wtrack, ret_status,
					      sizeof(*ret_status));
	if (r < 0) {
		wtrack_session_close(wtrack);
		return r;
	}
	*ret = wtrack;
	return 0;
}

/* On disk before anybody has the descriptor: see state.h. */
static int account_for(const struct request *request,
		       const struct wtrack_status *status,
		       const struct wtrack_restriction *restriction,
		       const struct limit_amount *amount)
{
	struct manager *m = request->manager;
	const struct state state = {
		.session_id = status->session_id,
		.opener_pid = getpid(),
		.uid = request->caller.uid,
		.pid = request->caller.pid,
		.vm_pid = request->vm->process->pid,
		.vm_fd = request->vm->fd,
		.max_pages = restriction->max_pages,
		.max_records = restriction->max_records,
	};
	const struct session fields = {
		.id = status->session_id,
		.vm_pid = state.vm_pid,
		.vm_fd = state.vm_fd,
		.kind = session_kind_of(m, request->caller.uid),
		.uid = state.uid,
		.pid = state.pid,
		.max_pages = status->max_pages,
		.reserved = *amount,
		.counters = { .state = status->state },
	};
	int r;

	r = state_write(m->state_dir, &state);
	if (r < 0)
		return r;
	r = session_add(m, &fields, NULL, NULL);
	if (r < 0)
		(void)state_remove(m->state_dir, state.session_id);
	return r;
}

/*
 * The message has copies of the descriptors; ours of the session is closed. The
 * session is counted until the module says that the last one is.
 */
static void hand_over(struct request *request)
{
	struct session *session = session_find(request->manager,
					       request->session_id);

	if (session)
		session_log_opened(session);
	request_reply(request, "htobhi", wtrack_session_get_fd(request->wtrack),
		      request->session_id, request->vm->path,
		      (int)request->by_us, request->vm->process->pidfd,
		      request->vm->fd);
}

static void on_attached(void *userdata, int result)
{
	struct request *request = userdata;

	request->attach = NULL;
	if (result < 0)
		open_fail_attach(request, result);
	else
		hand_over(request);
}

static void attach(struct request *request)
{
	int r;

	r = attach_start(request->manager, request->caller.uid,
			 wtrack_session_get_fd(request->wtrack), request->vm,
			 on_attached, request, &request->attach);
	if (r < 0)
		open_fail_start(request, r);
}

static void open_reserved(struct request *request,
			  const struct wtrack_restriction *restriction,
			  const struct limit_amount *amount)
{
	struct manager *m = request->manager;
	struct wtrack_status status;
	int r;

	r = open_restricted(restriction, &request->wtrack, &status);
	if (r >= 0)
		r = account_for(request, &status, restriction, amount);
	if (r < 0) {
		if (amount->sessions)
			limits_release(&m->limits, request->caller.uid, amount);
		open_fail(request, r);
		return;
	}
	request->session_id = status.session_id;
	if (request->by_us)
		attach(request);
	else
		hand_over(request);
}

void open_permitted(struct request *request)
{
	struct manager *m = request->manager;
	const struct limit_amount max = {
		.sessions = m->config.user_sessions,
		.pages = m->config.user_pages,
		.ring_bytes = m->config.user_ring_bytes,
	};
	struct wtrack_restriction restriction;
	struct limit_amount amount;
	const char *key = NULL;
	uint64_t left;
	int r;

	r = get_restriction(request, &restriction, &amount, &key, &left);
	if (r == -ERANGE && key) {
		request_fail(request, RULE_SESSION_LIMIT, ERROR_LIMIT_EXCEEDED,
			     "limit: %s=%ju allows no more for one session",
			     key, (uintmax_t)left);
		return;
	}
	if (r < 0) {
		open_fail(request, r);
		return;
	}
	if (amount.sessions)
		r = limits_reserve(&m->limits, request->caller.uid, &amount,
				   &max, &key, &left);
	if (r == -EDQUOT)
		request_fail(request, RULE_LIMIT, ERROR_LIMIT_EXCEEDED,
			     "limit: %s of uid %u has %ju left, less than the "
			     "session needs", key, request->caller.uid,
			     (uintmax_t)left);
	else if (r < 0)
		open_fail_errno(request, r);
	else
		open_reserved(request, &restriction, &amount);
}
