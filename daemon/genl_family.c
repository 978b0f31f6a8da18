// SPDX-License-Identifier: GPL-2.0-or-later
/* The module comes and goes: the kernel tells of its family. */
#include <errno.h>
#include <string.h>

#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl_internal.h"

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
		(void)genl_came(genl, nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]));
	else if (command->cmd == CTRL_CMD_DELFAMILY && genl->family)
		genl_went(genl);
	return NL_OK;
}

/* The list of families: asking for one by name would load its module. */
int genl_find_family(struct genl *genl)
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
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	r = genl_receive(genl->control);
	if (r != -ENOBUFS)
		return 0;
	/* Families came and went: did ours? */
	r = genl_find_family(genl);
	if (r > 0 && r != genl->family)
		(void)genl_came(genl, r);
	else if (!r && genl->family)
		genl_went(genl);
	return 0;
}

int genl_open_control(struct genl *genl)
{
	int group, r;

	genl->control = genl_socket(false, on_family, genl);
	if (!genl->control)
		return -ENOMEM;
	group = genl_ctrl_resolve_grp(genl->dumps, "nlctrl", "notify");
	if (group < 0)
		return genl_error(group);
	r = genl_error(nl_socket_add_membership(genl->control, group));
	if (r < 0)
		return r;
	return genl_listen(genl, genl->control, on_control,
			   &genl->control_source);
}

void genl_close_control(struct genl *genl)
{
	sd_event_source_disable_unref(genl->control_source);
	nl_socket_free(genl->control);
}
