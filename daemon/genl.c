// SPDX-License-Identifier: GPL-2.0-or-later
/* The module: is it there, and what does it say that there is? */
#include <errno.h>
#include <stdlib.h>

#include <netlink/netlink.h>

#include "genl_internal.h"
#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "session.h"

bool genl_is_up(const struct genl *genl)
{
	return genl && genl->family > 0;
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

/* What is left of a dump that broke off would be taken for the next answer. */
static int dump_again(struct genl *genl)
{
	struct nl_sock *sock = genl_socket(true, NULL, NULL);

	if (!sock)
		return -ENOMEM;
	nl_socket_free(genl->dumps);
	genl->dumps = sock;
	return genl_dump_all(genl->manager, sock, genl->family);
}

int genl_refresh(struct genl *genl)
{
	int r;

	if (!genl_is_up(genl))
		return 0;
	sd_event_source_set_enabled(genl->refresh, SD_EVENT_OFF);
	r = genl_dump_all(genl->manager, genl->dumps, genl->family);
	if (r < 0)
		r = dump_again(genl);
	/* A reader of a property causes this call: one entry is enough. */
	if (r < 0 && !genl->is_failing)
		log_errno(r, "the module's account cannot be read");
	genl->is_failing = r < 0;
	return r;
}

int genl_came(struct genl *genl, int family)
{
	int r;

	genl_close_notices(genl);
	genl->family = family;
	r = genl_open_notices(genl);
	if (r < 0) {
		log_errno(r, "cannot listen to the module");
		genl_close_notices(genl);
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
void genl_went(struct genl *genl)
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

static int genl_open(struct genl *genl)
{
	int r;

	genl->dumps = genl_socket(true, NULL, NULL);
	if (!genl->dumps)
		return -ENOMEM;
	r = genl_open_control(genl);
	if (r >= 0)
		r = sd_event_add_defer(genl->manager->event, &genl->refresh,
				       on_refresh, genl);
	if (r >= 0)
		r = sd_event_source_set_enabled(genl->refresh, SD_EVENT_OFF);
	if (r >= 0)
		r = genl_find_family(genl);
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
		r = genl_came(genl, r);
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
	genl_close_notices(genl);
	genl_close_control(genl);
	sd_event_source_disable_unref(genl->refresh);
	nl_socket_free(genl->dumps);
	free(genl);
}
