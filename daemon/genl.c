// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl.h"
#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "session.h"
#include "util.h"

/* Notices that are taken before other work gets its turn. */
#define BATCH		64
#define NOTICE_BUFFER	(1 << 20)

struct genl {
	struct manager *manager;
	int family;			/* 0 when the module is not there */
	struct nl_sock *control;	/* families that come and go */
	sd_event_source *control_source;
	struct nl_sock *notices;
	sd_event_source *notices_source;
	struct nl_sock *dumps;
	sd_event_source *refresh;	/* asked for by a notice */
};

int genl_error(int nl_error)
{
	switch (-nl_error) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOBUFS;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_INTR:
		return -EINTR;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	default:
		return -EPROTO;
	}
}

int genl_family(const struct genl *genl)
{
	return genl->family;
}

struct manager *genl_manager(const struct genl *genl)
{
	return genl->manager;
}

bool genl_is_up(const struct genl *genl)
{
	return genl && genl->family > 0;
}

bool genl_from_kernel(struct nl_msg *msg)
{
	struct sockaddr_nl *from = nlmsg_get_src(msg);

	return from->nl_pid == 0;
}

static int on_refresh(sd_event_source *source, void *userdata)
{
	struct genl *genl = userdata;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	(void)genl_refresh(genl);
	return 0;
}

/* Once for all notices that are there. */
void genl_refresh_soon(struct genl *genl)
{
	if (genl_is_up(genl))
		sd_event_source_set_enabled(genl->refresh, SD_EVENT_ONESHOT);
}

int genl_refresh(struct genl *genl)
{
	int r;

	if (!genl_is_up(genl))
		return 0;
	sd_event_source_set_enabled(genl->refresh, SD_EVENT_OFF);
	r = genl_dump_all(genl->manager, genl->dumps, genl->family);
	if (r < 0)
		log_errno(r, "the module's account cannot be read");
	return r;
}

/* The module sends more kinds than matter here, and newer ones. */
static void take_notice(struct genl *genl, struct nlattr *const *attrs)
{
	uint64_t id = genl_u64(attrs, KVM_WTRACK_A_SESSION_ID);
	struct session *session = session_find(genl->manager, id);

	switch (nla_get_u8(attrs[KVM_WTRACK_A_EVENT])) {
	case KVM_WTRACK_EVENT_ATTACHED:
		if (!session)
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
	int i, r = 0;

	(void)source;
	(void)fd;
	(void)revents;
	for (i = 0; r >= 0 && i < BATCH && genl->notices; i++)
		r = genl_error(nl_recvmsgs_default(genl->notices));
	if (r == -ENOBUFS)
		resynchronise(genl);
	else if (r < 0 && r != -EAGAIN)
		log_debug("notices: %s", strerror(-r));
	return 0;
}

static void close_notices(struct genl *genl)
{
	genl->notices_source =
		sd_event_source_disable_unref(genl->notices_source);
	nl_socket_free(genl->notices);
	genl->notices = NULL;
}

static struct nl_sock *new_socket(bool wait, nl_recvmsg_msg_cb_t fn,
				  void *userdata)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return NULL;
	r = genl_connect(sock);
	if (!r && !wait) {
		nl_socket_disable_seq_check(sock);
		r = nl_socket_set_nonblocking(sock);
	}
	if (!r && fn)
		r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn,
					userdata);
	if (r) {
		nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

static int listen_to(struct genl *genl, struct nl_sock *sock,
		     sd_event_io_handler_t fn, int64_t priority,
		     sd_event_source **ret)
{
	int r;

	r = sd_event_add_io(genl->manager->event, ret, nl_socket_get_fd(sock),
			    EPOLLIN, fn, genl);
	if (r >= 0)
		r = sd_event_source_set_priority(*ret, priority);
	return r;
}

/* Before the first dump, so that nothing falls in between. */
static int open_notices(struct genl *genl)
{
	int group, r;

	group = genl_ctrl_resolve_grp(genl->dumps, KVM_WTRACK_GENL_NAME,
				      KVM_WTRACK_GENL_GROUP);
	if (group < 0)
		return genl_error(group);
	genl->notices = new_socket(false, on_notice, genl);
	if (!genl->notices)
		return -ENOMEM;
	(void)nl_socket_set_buffer_size(genl->notices, NOTICE_BUFFER, 0);
	r = genl_error(nl_socket_add_membership(genl->notices, group));
	if (r < 0)
		return r;
	return listen_to(genl, genl->notices, on_notices,
			 SD_EVENT_PRIORITY_IMPORTANT, &genl->notices_source);
}

static int family_came(struct genl *genl, int family)
{
	int r;

	close_notices(genl);
	genl->family = family;
	r = open_notices(genl);
	if (r < 0) {
		log_errno(r, "cannot listen to the module");
		close_notices(genl);
		genl->family = 0;
		return r;
	}
	log_event(LOG_INFO, MESSAGE_MODULE_LOADED, NULL,
		  "the module kvm-wtrack is loaded");
	r = genl_refresh(genl);
	manager_module_changed(genl->manager);
	return r;
}

/* It goes only when no session is left: our account has to agree. */
static void family_went(struct genl *genl)
{
	genl->family = 0;
	sd_event_source_set_enabled(genl->refresh, SD_EVENT_OFF);
	if (genl->notices_source)
		sd_event_source_set_enabled(genl->notices_source,
					    SD_EVENT_OFF);
	sessions_forget_all(genl->manager);
	log_event(LOG_NOTICE, MESSAGE_MODULE_UNLOADED, NULL,
		  "the module kvm-wtrack was removed");
	manager_module_changed(genl->manager);
}

static int on_family(struct nl_msg *msg, void *userdata)
{
	static struct nla_policy policy[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16 },
		[CTRL_ATTR_FAMILY_NAME] = { .type = NLA_NUL_STRING },
	};
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct genl *genl = userdata;
	struct genlmsghdr *command;

	if (!genl_from_kernel(msg) || !genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, policy) < 0 ||
	    !attrs[CTRL_ATTR_FAMILY_NAME] || !attrs[CTRL_ATTR_FAMILY_ID] ||
	    strcmp(nla_get_string(attrs[CTRL_ATTR_FAMILY_NAME]),
		   KVM_WTRACK_GENL_NAME))
		return NL_OK;
	command = genlmsg_hdr(header);
	if (command->cmd == CTRL_CMD_NEWFAMILY)
		(void)family_came(genl, nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]));
	else if (command->cmd == CTRL_CMD_DELFAMILY && genl->family)
		family_went(genl);
	return NL_OK;
}

/* The list of families: asking for one by name would load its module. */
static int find_family(struct genl *genl)
{
	struct genl_family *family;
	struct nl_cache *cache;
	int r;

	r = genl_ctrl_alloc_cache(genl->dumps, &cache);
	if (r < 0)
		return genl_error(r);
	family = genl_ctrl_search_by_name(cache, KVM_WTRACK_GENL_NAME);
	r = family ? (int)genl_family_get_id(family) : 0;
	if (family)
		genl_family_put(family);
	nl_cache_free(cache);
	return r;
}

static int on_control(sd_event_source *source, int fd, uint32_t revents,
		      void *userdata)
{
	struct genl *genl = userdata;
	int i, r = 0;

	(void)source;
	(void)fd;
	(void)revents;
	for (i = 0; r >= 0 && i < BATCH; i++)
		r = genl_error(nl_recvmsgs_default(genl->control));
	if (r != -ENOBUFS)
		return 0;
	/* Families came and went: did ours? */
	r = find_family(genl);
	if (r > 0 && r != genl->family)
		(void)family_came(genl, r);
	else if (!r && genl->family)
		family_went(genl);
	return 0;
}

static int genl_open(struct genl *genl)
{
	int group, r;

	genl->dumps = new_socket(true, NULL, NULL);
	genl->control = new_socket(false, on_family, genl);
	if (!genl->dumps || !genl->control)
		return -ENOMEM;
	group = genl_ctrl_resolve_grp(genl->dumps, "nlctrl", "notify");
	if (group < 0)
		return genl_error(group);
	r = genl_error(nl_socket_add_membership(genl->control, group));
	if (r >= 0)
		r = listen_to(genl, genl->control, on_control,
			      SD_EVENT_PRIORITY_IMPORTANT,
			      &genl->control_source);
	if (r >= 0)
		r = sd_event_add_defer(genl->manager->event, &genl->refresh,
				       on_refresh, genl);
	if (r >= 0)
		r = sd_event_source_set_enabled(genl->refresh, SD_EVENT_OFF);
	if (r >= 0)
		r = find_family(genl);
	return r;
}

int genl_new(struct manager *m, struct genl **ret)
{
	struct genl *genl = calloc(1, sizeof(*genl));
	int r;

	if (!genl)
		return -ENOMEM;
	genl->manager = m;
	*ret = genl;
	/* Without a whole account at the start there would be none of limits. */
	r = genl_open(genl);
	if (r > 0)
		r = family_came(genl, r);
	if (r < 0) {
		*ret = NULL;
		genl_free(genl);
	}
	return r < 0 ? r : 0;
}

void genl_free(struct genl *genl)
{
	if (!genl)
		return;
	close_notices(genl);
	sd_event_source_disable_unref(genl->control_source);
	sd_event_source_disable_unref(genl->refresh);
	nl_socket_free(genl->control);
	nl_socket_free(genl->dumps);
	free(genl);
}
