// SPDX-License-Identifier: GPL-2.0-or-later
/* What the module tells without being asked. */
#include <errno.h>
#include <string.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl_internal.h"
#include "log.h"
#include "message-ids.h"
#include "session.h"
#include "util.h"

#define NOTICE_BUFFER	(1 << 20)

/* The module sends more kinds than matter here, and newer ones. */
static void take_notice(struct genl *genl, struct nlattr *const *attrs)
{
	uint64_t id = genl_u64(attrs, KVM_WTRACK_A_SESSION_ID);
	struct session *session = session_find(genl->manager, id);

	switch (nla_get_u8(attrs[KVM_WTRACK_A_EVENT])) {
	case KVM_WTRACK_EVENT_ATTACHED:
		if (session)
			session_attached(session,
					 genl_u64(attrs, KVM_WTRACK_A_VM_ID),
					 (pid_t)genl_u32(attrs,
							 KVM_WTRACK_A_VM_PID_INIT));
		else
			genl_refresh_soon(genl);
		break;
	case KVM_WTRACK_EVENT_DETACHED:
		if (session)
			session_remove(session);
		break;
	case KVM_WTRACK_EVENT_VM_GONE:
		if (session)
			session_vm_gone(session);
		break;
	}
}

static int on_notice(struct nl_msg *msg, void *userdata)
{
	struct nlattr *attrs[KVM_WTRACK_A_MAX + 1];
	struct genl *genl = userdata;

	if (genl_from_kernel(msg) &&
	    genl_parse(msg, genl->family, attrs) >= 0 &&
	    attrs[KVM_WTRACK_A_EVENT])
		take_notice(genl, attrs);
	return NL_OK;
}

static void resynchronise(struct genl *genl)
{
	static uint64_t last;

	if (now_usec() - last > 1000000)
		log_event(LOG_NOTICE, MESSAGE_RESYNCHRONISED, NULL,
			  "notices of the module were lost: asking for "
			  "everything");
	last = now_usec();
	genl_refresh_soon(genl);
}

static int on_notices(sd_event_source *source, int fd, uint32_t revents,
		      void *userdata)
{
	struct genl *genl = userdata;
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	r = genl_receive(genl->notices);
	if (r == -ENOBUFS)
		resynchronise(genl);
	else if (r < 0 && r != -EAGAIN)
		log_debug("notices: %s", strerror(-r));
	return 0;
}

void genl_close_notices(struct genl *genl)
{
	genl->notices_source =
		sd_event_source_disable_unref(genl->notices_source);
	nl_socket_free(genl->notices);
	genl->notices = NULL;
}

/* Before the first dump, so that nothing falls in between. */
int genl_open_notices(struct genl *genl)
{
	int group, r;

	group = genl_ctrl_resolve_grp(genl->dumps, KVM_WTRACK_GENL_NAME,
				      KVM_WTRACK_GENL_GROUP);
	if (group < 0)
		return genl_error(group);
	genl->notices = genl_socket(false, on_notice, genl);
	if (!genl->notices)
		return -ENOMEM;
	(void)nl_socket_set_buffer_size(genl->notices, NOTICE_BUFFER, 0);
	r = genl_error(nl_socket_add_membership(genl->notices, group));
	if (r < 0)
		return r;
	r = genl_listen(genl, genl->notices, on_notices,
			&genl->notices_source);
	if (r < 0)
		return r;
	/*
	 * A client that has closed or attached a session and then calls the daemon
	 * finds that the daemon knows of it: the notice arrived before the call.
	 */
	return sd_event_source_set_priority(genl->notices_source,
					    SD_EVENT_PRIORITY_IMPORTANT);
}
