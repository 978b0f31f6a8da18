// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/kvm_wtrack_genl.h>

#include "genl_internal.h"
#include "manager.h"
#include "session.h"

static struct nla_policy policy[KVM_WTRACK_A_MAX + 1] = {
	[KVM_WTRACK_A_VM_ID] = { .type = NLA_U64 },
	[KVM_WTRACK_A_VM_PID] = { .type = NLA_U32 },
	[KVM_WTRACK_A_VM_GONE] = { .type = NLA_FLAG },
	[KVM_WTRACK_A_SESSIONS] = { .type = NLA_U32 },
	[KVM_WTRACK_A_MEMORY_BYTES] = { .type = NLA_U64 },
	[KVM_WTRACK_A_SESSION_ID] = { .type = NLA_U64 },
	[KVM_WTRACK_A_OPENER_PID] = { .type = NLA_U32 },
	[KVM_WTRACK_A_OPENER_UID] = { .type = NLA_U32 },
	[KVM_WTRACK_A_STATE] = { .type = NLA_U32 },
	[KVM_WTRACK_A_PAGES] = { .type = NLA_U64 },
	[KVM_WTRACK_A_RECORDS] = { .type = NLA_U32 },
	[KVM_WTRACK_A_UNREAD] = { .type = NLA_U32 },
	[KVM_WTRACK_A_EVENTS] = { .type = NLA_U64 },
	[KVM_WTRACK_A_MERGED] = { .type = NLA_U64 },
	[KVM_WTRACK_A_OVERFLOWS] = { .type = NLA_U64 },
	[KVM_WTRACK_A_RESYNC_WRITES] = { .type = NLA_U64 },
	[KVM_WTRACK_A_REGIONS_REMOVED] = { .type = NLA_U64 },
	[KVM_WTRACK_A_WAKEUPS] = { .type = NLA_U64 },
	[KVM_WTRACK_A_GFN] = { .type = NLA_U64 },
	[KVM_WTRACK_A_NR_PAGES] = { .type = NLA_U64 },
	[KVM_WTRACK_A_NR_TRACKED] = { .type = NLA_U64 },
	[KVM_WTRACK_A_EVENT] = { .type = NLA_U8 },
	[KVM_WTRACK_A_DISARMS] = { .type = NLA_U64 },
	[KVM_WTRACK_A_OVER_BUDGET] = { .type = NLA_U64 },
	[KVM_WTRACK_A_REARMS] = { .type = NLA_U64 },
	[KVM_WTRACK_A_UNREPORTED] = { .type = NLA_U64 },
	[KVM_WTRACK_A_CAUSE] = { .type = NLA_U32 },
	[KVM_WTRACK_A_VM_PID_INIT] = { .type = NLA_U32 },
	[KVM_WTRACK_A_WRITES] = { .type = NLA_U64 },
};

int genl_parse(struct nl_msg *msg, int family, struct nlattr **attrs)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);

	if (header->nlmsg_type != family || !genlmsg_valid_hdr(header, 0))
		return -EBADMSG;
	return genl_error(genlmsg_parse(header, 0, attrs, KVM_WTRACK_A_MAX,
					policy));
}

uint64_t genl_u64(struct nlattr *const *attrs, int attr)
{
	return attrs[attr] ? nla_get_u64(attrs[attr]) : 0;
}

uint32_t genl_u32(struct nlattr *const *attrs, int attr)
{
	return attrs[attr] ? nla_get_u32(attrs[attr]) : 0;
}

struct nl_msg *genl_request(int family, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
				flags, (uint8_t)cmd,
				KVM_WTRACK_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct dump {
	struct manager *manager;
	int family;
	void (*take)(struct manager *m, struct nlattr *const *attrs);
};

static int on_message(struct nl_msg *msg, void *userdata)
{
	struct nlattr *attrs[KVM_WTRACK_A_MAX + 1];
	struct dump *dump = userdata;

	if (genl_from_kernel(msg) && genl_parse(msg, dump->family, attrs) >= 0)
		dump->take(dump->manager, attrs);
	return NL_OK;
}

static int run(struct dump *dump, struct nl_sock *sock, int cmd)
{
	struct nl_msg *msg = genl_request(dump->family, cmd, NLM_F_DUMP);
	int r;

	if (!msg)
		return -ENOMEM;
	r = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	if (r >= 0)
		r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM,
					on_message, dump);
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
	return genl_error(r < 0 ? r : 0);
}

static void take_vm(struct manager *m, struct nlattr *const *attrs)
{
	const struct genl_vm vm = {
		.id = genl_u64(attrs, KVM_WTRACK_A_VM_ID),
		.pid = (pid_t)genl_u32(attrs, KVM_WTRACK_A_VM_PID),
		.counters = {
			.pages = genl_u64(attrs, KVM_WTRACK_A_PAGES),
			.writes = genl_u64(attrs, KVM_WTRACK_A_WRITES),
			.memory_bytes = genl_u64(attrs,
						 KVM_WTRACK_A_MEMORY_BYTES),
		},
	};

	if (vm.id)
		sessions_take_vm(m, &vm);
}

static void take_session(struct manager *m, struct nlattr *const *attrs)
{
	const struct genl_session session = {
		.id = genl_u64(attrs, KVM_WTRACK_A_SESSION_ID),
		.vm_id = genl_u64(attrs, KVM_WTRACK_A_VM_ID),
		.opener_pid = (pid_t)genl_u32(attrs, KVM_WTRACK_A_OPENER_PID),
		.opener_uid = genl_u32(attrs, KVM_WTRACK_A_OPENER_UID),
		.counters = {
			.state = genl_u32(attrs, KVM_WTRACK_A_STATE),
			.records = genl_u32(attrs, KVM_WTRACK_A_RECORDS),
			.unread = genl_u32(attrs, KVM_WTRACK_A_UNREAD),
			.pages = genl_u64(attrs, KVM_WTRACK_A_PAGES),
			.events = genl_u64(attrs, KVM_WTRACK_A_EVENTS),
			.merged = genl_u64(attrs, KVM_WTRACK_A_MERGED),
			.overflows = genl_u64(attrs, KVM_WTRACK_A_OVERFLOWS),
			.resync_writes = genl_u64(attrs,
						  KVM_WTRACK_A_RESYNC_WRITES),
			.regions_removed = genl_u64(
				attrs, KVM_WTRACK_A_REGIONS_REMOVED),
			.wakeups = genl_u64(attrs, KVM_WTRACK_A_WAKEUPS),
			.memory_bytes = genl_u64(attrs,
						 KVM_WTRACK_A_MEMORY_BYTES),
			.disarms = genl_u64(attrs, KVM_WTRACK_A_DISARMS),
			.over_budget = genl_u64(attrs,
						KVM_WTRACK_A_OVER_BUDGET),
			.rearms = genl_u64(attrs, KVM_WTRACK_A_REARMS),
			.unreported = genl_u64(attrs,
					       KVM_WTRACK_A_UNREPORTED),
		},
	};

	if (session.id)
		sessions_take(m, &session);
}

int genl_dump_all(struct manager *m, struct nl_sock *sock, int family)
{
	struct dump vms = { m, family, take_vm };
	struct dump sessions = { m, family, take_session };
	int r;

	sessions_begin(m);
	r = run(&vms, sock, KVM_WTRACK_CMD_GET_VM);
	if (r >= 0)
		r = run(&sessions, sock, KVM_WTRACK_CMD_GET_SESSION);
	/* What was not seen is gone, if all was seen. */
	sessions_end(m, r >= 0);
	return r;
}
