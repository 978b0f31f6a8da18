/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kvm-wtrack, generic netlink: who tracks what on this host, for
 * administrators (CAP_NET_ADMIN), in the initial network namespace. A request gets
 *
 *	EINVAL		there is no SESSION_ID where one is needed
 *	ENOENT		there is no such session (END_SESSION)
 *	ESHUTDOWN	it was ended before (END_SESSION)
 *	EPERM		the caller is no administrator
 *
 * docs/netlink/kvm_wtrack.yaml describes the same for programs. Skip
 * attributes and events that you do not know.
 */
#ifndef _UAPI_LINUX_KVM_WTRACK_GENL_H
#define _UAPI_LINUX_KVM_WTRACK_GENL_H

#define KVM_WTRACK_GENL_NAME		"kvm_wtrack"
#define KVM_WTRACK_GENL_VERSION		1
/* Multicast group of KVM_WTRACK_CMD_NOTICE. */
#define KVM_WTRACK_GENL_GROUP		"notices"

enum {
	KVM_WTRACK_CMD_UNSPEC,
	/* Dump: VM_ID, VM_PID, VM_GONE, SESSIONS, PAGES, WRITES, MEMORY_BYTES. */
	KVM_WTRACK_CMD_GET_VM,
	/*
	 * Dump: SESSION_ID, VM_ID, OPENER_*, STATE and the counters. VM_ID is 0
	 * for a session that was restricted and is not attached yet.
	 */
	KVM_WTRACK_CMD_GET_SESSION,
	/* Dump, needs SESSION_ID: GFN, NR_PAGES of each tracked range. */
	KVM_WTRACK_CMD_GET_RANGE,
	/*
	 * The module sends it to the group. It has EVENT, VM_ID and VM_PID_INIT, and
	 * SESSION_ID unless EVENT is GUARD.
	 */
	KVM_WTRACK_CMD_NOTICE,
	/*
	 * Do, needs SESSION_ID: end a session that any process holds, whether it
	 * has a VM yet or not. When this succeeds, the module tracks nothing for it
	 * any more, its last record is ENDED, and its calls get ESHUTDOWN. Its
	 * descriptor and its mappings keep the memory of the ring with what is in
	 * it, and nothing else.
	 */
	KVM_WTRACK_CMD_END_SESSION,
	__KVM_WTRACK_CMD_MAX
};
#define KVM_WTRACK_CMD_MAX (__KVM_WTRACK_CMD_MAX - 1)

enum {
	KVM_WTRACK_A_UNSPEC,
	KVM_WTRACK_A_PAD,
	KVM_WTRACK_A_VM_ID,		/* u64, as out_vm_id of ATTACH */
	/*
	 * u32: the VMM's process id in the pid namespace of the caller, 0 if that
	 * namespace does not have the process
	 */
	KVM_WTRACK_A_VM_PID,
	KVM_WTRACK_A_VM_GONE,		/* flag */
	KVM_WTRACK_A_SESSIONS,		/* u32, on this VM */
	KVM_WTRACK_A_MEMORY_BYTES,	/* u64 */
	KVM_WTRACK_A_SESSION_ID,	/* u64, as out_session_id of STATUS */
	/*
	 * u32: the id of the process that opened the session, in the same namespace;
	 * the process may have ended
	 */
	KVM_WTRACK_A_OPENER_PID,
	KVM_WTRACK_A_OPENER_UID,	/* u32 */
	KVM_WTRACK_A_STATE,		/* u32, KVM_WTRACK_STATE_* */
	/* u64: that the session tracks; of a VM each page counts once */
	KVM_WTRACK_A_PAGES,
	KVM_WTRACK_A_RECORDS,		/* u32 */
	KVM_WTRACK_A_UNREAD,		/* u32 */
	KVM_WTRACK_A_EVENTS,		/* u64 */
	KVM_WTRACK_A_MERGED,		/* u64 */
	KVM_WTRACK_A_OVERFLOWS,		/* u64 */
	KVM_WTRACK_A_RESYNC_WRITES,	/* u64 */
	KVM_WTRACK_A_REGIONS_REMOVED,	/* u64 */
	KVM_WTRACK_A_WAKEUPS,		/* u64 */
	KVM_WTRACK_A_GFN,		/* u64 */
	KVM_WTRACK_A_NR_PAGES,		/* u64 */
	KVM_WTRACK_A_NR_TRACKED,	/* u64 */
	KVM_WTRACK_A_EVENT,		/* u8, KVM_WTRACK_EVENT_* */
	KVM_WTRACK_A_DISARMS,		/* u64 */
	KVM_WTRACK_A_OVER_BUDGET,	/* u64 */
	KVM_WTRACK_A_REARMS,		/* u64 */
	KVM_WTRACK_A_UNREPORTED,	/* u64 */
	KVM_WTRACK_A_CAUSE,		/* u32, KVM_WTRACK_CAUSE_* */
	/*
	 * u32, of the VMM in the initial pid namespace, since all listeners get
	 * the same notice: one in another namespace asks for VM_ID by GET_VM
	 */
	KVM_WTRACK_A_VM_PID_INIT,
	/*
	 * u64: stores of the guest's vCPUs to tracked pages that KVM has notified of
	 * since VM_ID is the VM's number, and that at least one session observed: each
	 * notification counts once, however many sessions got a record of it
	 */
	KVM_WTRACK_A_WRITES,
	__KVM_WTRACK_A_MAX
};
#define KVM_WTRACK_A_MAX (__KVM_WTRACK_A_MAX - 1)

enum {
	KVM_WTRACK_EVENT_UNSPEC,
	KVM_WTRACK_EVENT_ATTACHED,
	/*
	 * It is closed, and tracks nothing any more; VM_ID and VM_PID_INIT are 0 if
	 * it was never attached
	 */
	KVM_WTRACK_EVENT_DETACHED,
	KVM_WTRACK_EVENT_VM_GONE,
	KVM_WTRACK_EVENT_OVERFLOW,
	/* with GFN, NR_PAGES, NR_TRACKED */
	KVM_WTRACK_EVENT_REGION_REMOVED,
	/*
	 * The guard disarmed pages of this VM: DISARMS of them since the last
	 * such notice, of the newest GFN and CAUSE.
	 */
	KVM_WTRACK_EVENT_GUARD,
	/* by END_SESSION; DETACHED follows when no process holds it any more */
	KVM_WTRACK_EVENT_ENDED,
};

#endif /* _UAPI_LINUX_KVM_WTRACK_GENL_H */
