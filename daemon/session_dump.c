// SPDX-License-Identifier: GPL-2.0-or-later
/* What the module's dump says of sessions, and what the state files add. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "genl.h"
#include "log.h"
#include "manager.h"
#include "session.h"
#include "state.h"
#include "util.h"
#include "viewer.h"
#include "vm.h"

#define FRESH_USEC	10000
#define RECORD_BYTES	64

void sessions_begin(struct manager *m)
{
	struct session *session;

	m->nr_module_vms = 0;
	m->dump_under_way = true;
	m->dump_differs = false;
	LIST_FOREACH(session, &m->sessions, link)
		session->seen = false;
}

void sessions_take_vm(struct manager *m, const struct genl_vm *vm)
{
	struct genl_vm *grown;

	grown = reallocarray(m->module_vms, m->nr_module_vms + 1,
			     sizeof(*grown));
	if (!grown)
		return;
	m->module_vms = grown;
	grown[m->nr_module_vms++] = *vm;
}

static pid_t pid_of_module_vm(const struct manager *m, uint64_t id)
{
	size_t i;

	for (i = 0; i < m->nr_module_vms; i++)
		if (m->module_vms[i].id == id)
			return m->module_vms[i].pid;
	return 0;
}

/*
 * The file is of this session if the same process opened it: the module's numbers
 * begin anew when it is loaded again. Of our user there is no process but the
 * daemon, and one that has the number of the one before wrote the file anew.
 */
static bool restore(struct manager *m, const struct genl_session *dumped,
		    struct session *fields)
{
	struct state state;

	if (state_read(m->state_dir, dumped->id, &state) < 0 ||
	    state.opener_pid != dumped->opener_pid ||
	    dumped->opener_uid != getuid())
		return false;
	fields->kind = session_kind_of(m, state.uid);
	fields->uid = state.uid;
	fields->pid = state.pid;
	fields->logged = true;
	if (!dumped->vm_id)
		fields->vm_pid = state.vm_pid;
	if (fields->vm_pid == state.vm_pid)
		fields->vm_fd = state.vm_fd;
	fields->max_pages = state.max_pages;
	if (fields->kind == SESSION_CLIENT && state.uid)
		fields->reserved = (struct limit_amount) {
			.sessions = 1,
			.pages = state.max_pages,
			.ring_bytes = (uint64_t)state.max_records *
				      RECORD_BYTES,
		};
	return true;
}

static void take_new(struct manager *m, const struct genl_session *dumped)
{
	struct session fields = {
		.id = dumped->id,
		.module_vm_id = dumped->vm_id,
		.vm_pid = pid_of_module_vm(m, dumped->vm_id),
		.vm_fd = -1,
		.kind = SESSION_DIRECT,
		.uid = dumped->opener_uid,
		.pid = dumped->opener_pid,
		.counters = dumped->counters,
		.seen = true,
	};
	int r = 0;

	if (restore(m, dumped, &fields) && fields.reserved.sessions)
		r = limits_charge(&m->limits, fields.uid, &fields.reserved);
	if (r >= 0)
		r = session_add(m, &fields, NULL, NULL);
	if (r < 0)
		log_errno(r, "no account of session %ju",
			  (uintmax_t)dumped->id);
}

void sessions_take(struct manager *m, const struct genl_session *dumped)
{
	struct session *session = session_find(m, dumped->id);

	if (!session) {
		m->dump_differs = true;
		if (!m->dump_counters_only)
			take_new(m, dumped);
		return;
	}
	session->seen = true;
	session->counters = dumped->counters;
	if (dumped->vm_id)
		session_attached(session, dumped->vm_id,
				 pid_of_module_vm(m, dumped->vm_id));
}

static void drop_unseen(struct manager *m)
{
	struct session *session = LIST_FIRST(&m->sessions), *next;

	for (; session; session = next) {
		next = LIST_NEXT(session, link);
		if (session->seen)
			continue;
		m->dump_differs = true;
		if (!m->dump_counters_only)
			session_remove(session);
	}
}

void sessions_end(struct manager *m, bool complete)
{
	struct vm *vm;
	size_t i;

	m->dump_under_way = false;
	for (i = 0; i < m->nr_module_vms; i++) {
		vm = vm_by_module_id(m, m->module_vms[i].id);
		if (vm)
			vm->counters = m->module_vms[i].counters;
	}
	if (!complete)
		return;
	drop_unseen(m);
	m->dumped_usec = now_usec();
}

/*
 * A session that a dump brings is announced with its properties, which ask for
 * new counters: those of that dump are.
 */
static void refresh(struct manager *m)
{
	if (m->dump_under_way || now_usec() - m->dumped_usec <= FRESH_USEC)
		return;
	m->dump_counters_only = true;
	(void)genl_refresh(m->genl);
	m->dump_counters_only = false;
	if (m->dump_differs)
		genl_refresh_soon(m->genl);
}

static void keep_coarse(struct manager *m)
{
	struct session *session;
	struct vm *vm;

	LIST_FOREACH(session, &m->sessions, link)
		session->coarse = session->counters;
	LIST_FOREACH(vm, &m->vms, link)
		vm->coarse = vm->counters;
}

void sessions_refresh(struct manager *m)
{
	uint64_t period = now_usec() / VIEWER_PERIOD_USEC;

	refresh(m);
	if (period == m->coarse_period)
		return;
	m->coarse_period = period;
	keep_coarse(m);
}

const struct session_counters *session_counters(struct session *session,
						bool fresh)
{
	return fresh ? &session->counters : &session->coarse;
}
