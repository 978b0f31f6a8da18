// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions of the daemon itself. */
#include <errno.h>
#include <unistd.h>

#include "manager.h"
#include "open.h"
#include "session.h"
#include "vm.h"

static int account_for(struct manager *m, struct wtrack_session *wtrack,
		       struct vm *vm, struct session **ret)
{
	struct session fields = {
		.vm_fd = vm ? vm->fd : -1,
		.kind = SESSION_WATCH,
		.uid = getuid(),
		.pid = getpid(),
	};
	struct wtrack_status status;
	int r;

	r = wtrack_session_get_status(wtrack, &status, sizeof(status));
	if (r < 0)
		return r;
	fields.id = status.session_id;
	fields.module_vm_id = status.vm_id;
	fields.vm_pid = vm ? vm->process->pid : status.vm_pid;
	fields.max_pages = status.max_pages;
	fields.counters.state = status.state;
	return session_add(m, &fields, vm, ret);
}

int session_open_own(struct vm *vm, struct wtrack_session **ret,
		     struct session **ret_account)
{
	struct wtrack_session *wtrack;
	int r;

	if (!manager_module_loaded(vm->manager))
		return -ENODEV;
	r = open_vm(vm, &wtrack);
	if (r < 0)
		return r;
	r = account_for(vm->manager, wtrack, vm, ret_account);
	if (r < 0) {
		wtrack_session_close(wtrack);
		return r;
	}
	*ret = wtrack;
	return 0;
}

int session_adopt_own(struct manager *m, struct wtrack_session *wtrack,
		      struct session **ret_account)
{
	return account_for(m, wtrack, NULL, ret_account);
}
