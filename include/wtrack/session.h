/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session: one open descriptor of kvm-wtrack, on one VM. */
#ifndef WTRACK_SESSION_H
#define WTRACK_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque; made by the open functions, freed by wtrack_session_close(). */
struct wtrack_session;

/**
 * wtrack_session_open() - open a session that has no VM yet
 * @ret: where to store the session
 *
 * A broker opens such a session, restricts it, and passes it on to a process that
 * may not open the device, which attaches it. Until wtrack_session_attach() it can
 * be restricted and closed, and nothing else.
 *
 * Return: 0, or
 *	-EACCES		/dev/kvm-wtrack may not be opened
 *	-EMFILE, -ENFILE no descriptor is left
 *	-ENODEV		this host has no kvm-wtrack
 *	-ENOMEM		no memory
 *	-EPROTO		the module is older than this library needs, or
 *			answered nonsense
 * Since: 1.0
 */
int wtrack_session_open(struct wtrack_session **ret);

/**
 * wtrack_session_attach() - give a session its VM
 * @session: the session
 * @vm_fd: as in wtrack_session_open_vm_fd()
 *
 * Once, for good; the session holds the VM until it is closed or the VMM is gone.
 * Any thread.
 *
 * Return: 0, or
 *	-EBADF		@vm_fd is not an open descriptor
 *	-EBADFD		@vm_fd is not a KVM virtual machine
 *	-EISCONN	the session has a VM already
 *	-ENOMEM		no memory
 *	-EOPNOTSUPP	KVM cannot track this VM: it is confidential
 *	-ESHUTDOWN	an administrator has ended the session
 *	-ESRCH		the VM is gone
 *	-EUSERS		the VM has as many sessions as it may have
 * Since: 1.0
 */
int wtrack_session_attach(struct wtrack_session *session, int vm_fd);

/**
 * wtrack_session_open_vm_fd() - open a session on a VM of which one has the
 *	descriptor
 * @vm_fd: from KVM_CREATE_VM, pidfd_getfd(2) or a socket. It stays the
 *	caller's, which may close it after the call
 * @ret: where to store the session
 *
 * The session tracks nothing yet and has no ring. It holds the VM until it is
 * closed or the VMM is gone.
 *
 * Return: 0, or
 *	-EACCES		/dev/kvm-wtrack may not be opened
 *	-EBADF		@vm_fd is not an open descriptor
 *	-EBADFD		@vm_fd is not a KVM virtual machine
 *	-EMFILE, -ENFILE no descriptor is left
 *	-ENODEV		this host has no kvm-wtrack
 *	-ENOMEM		no memory
 *	-EOPNOTSUPP	KVM cannot track this VM: it is confidential
 *	-EPROTO		the module is older than this library needs, or
 *			answered nonsense
 *	-ESRCH		the VM is gone
 *	-EUSERS		the VM has as many sessions as it may have
 * Since: 1.0
 */
int wtrack_session_open_vm_fd(int vm_fd, struct wtrack_session **ret);

/**
 * wtrack_session_open_pid() - open a session on the VM of a running VMM
 * @pid: the VMM's process id, in the caller's pid namespace
 * @ret: where to store the session
 *
 * Looks for the VM's descriptor among those of the process, which the kernel
 * allows a caller that may trace the process with ptrace(2): in general the
 * same user, or one with CAP_SYS_PTRACE. It is safe against the process id
 * being used again meanwhile. Several descriptors of one VM count as one.
 *
 * Return: 0, or the errors of wtrack_session_open_vm_fd(), or
 *	-EACCES		the process may not be looked into
 *	-EBADFD		the process has no KVM virtual machine
 *	-EINVAL		@pid is not a process id
 *	-ENOSYS		the kernel lacks pidfd_getfd(2), or a sandbox forbids it
 *	-ENOTUNIQ	the process has several virtual machines: choose one
 *			with wtrack_session_open_pid_fd()
 *	-ESRCH		there is no such process, or it ended
 * Since: 1.0
 */
int wtrack_session_open_pid(int pid, struct wtrack_session **ret);

/**
 * wtrack_session_open_pid_fd() - open a session on one of the VMs of a running
 *	VMM
 * @pid: the VMM's process id, in the caller's pid namespace
 * @fd: number of the VM's descriptor in that process: in /proc/PID/fd these are
 *	the links to "anon_inode:kvm-vm"
 * @ret: where to store the session
 *
 * Return: as wtrack_session_open_pid(), without -ENOTUNIQ, and
 *	-EBADF		the process has no descriptor @fd
 *	-EBADFD		@fd is not a KVM virtual machine
 * Since: 1.0
 */
int wtrack_session_open_pid_fd(int pid, int fd, struct wtrack_session **ret);

/*
 * For the functions that ask wtrackd: the user of this program may be asked to
 * authenticate, by a window or on the terminal, if the system's policy wants
 * that for the VM. Without it that is a refusal, which comes at once.
 */
#define WTRACK_OPEN_INTERACTIVE	(1U << 0)

/**
 * wtrack_session_open_daemon() - have wtrackd open a session
 * @vm: process id of the VMM, name of the machine, or QEMU's -name, which are
 *	tried in that order; "PID:FD" chooses one of several VMs of a process
 * @flags: 0 or WTRACK_OPEN_INTERACTIVE
 * @ret: where to store the session
 * @ret_message: where to store what the daemon answered when it refused, which
 *	names the rule that did: to be freed with free(3); NULL where there was
 *	no such answer. May be NULL
 *
 * Needs no privilege. If the VM is one of the caller's user, this call attaches
 * the session itself, and the kernel decides: the caller must be permitted to
 * trace the VMM with ptrace(2). To any other VM the daemon has the session
 * attached if its policy permits it. For that the user may have to
 * authenticate, which takes minutes with WTRACK_OPEN_INTERACTIVE. The call
 * waits for the answer, and gives up when a signal's handler has run in this
 * thread; a caller with a poll loop, or with another reason to give up, uses
 * wtrack_request_new() (request.h). The session is restricted to the limits
 * that the daemon's configuration has for users; a caller that needs more of
 * some and less of others says so with wtrack_session_open_daemon_restricted().
 * Any thread.
 *
 * Unlike other results, @ret_message is stored to also when the function fails.
 *
 * Return: 0, or
 *	-EACCES		the kernel and the policy refused it
 *	-EBUSY		too many of the caller's requests wait for an answer
 *	-ECONNREFUSED	there is no system bus, or no wtrackd on it
 *	-EDQUOT		a limit of the daemon's configuration is reached
 *	-EINTR		a signal came; the request was given up
 *	-EINVAL		@vm is empty or too long, or a flag is not known
 *	-EMFILE, -ENFILE no descriptor is left
 *	-ENODEV		this host has no kvm-wtrack, or not for the daemon
 *	-ENOMEM		no memory
 *	-ENOTUNIQ	@vm names several VMs
 *	-EOPNOTSUPP	KVM cannot track this VM: it is confidential
 *	-EPROTO		the module is older than this library needs, or it or
 *			the daemon answered nonsense
 *	-ESRCH		there is no such VM
 *	-ETIMEDOUT	the daemon did not answer within half a minute; with
 *			WTRACK_OPEN_INTERACTIVE, the user did not authenticate
 *			within six; or the VMM has kept its descriptor from the
 *			daemon for ten seconds
 *	-EUSERS		the VM has as many sessions as it may have
 * Since: 1.0
 */
int wtrack_session_open_daemon(const char *vm, unsigned int flags,
			       struct wtrack_session **ret, char **ret_message);

/**
 * wtrack_session_open_daemon_pid() - have wtrackd open a session on the VM of a
 *	running VMM
 * @pid: the VMM's process id, in the initial pid namespace
 * @flags: as in wtrack_session_open_daemon()
 * @ret: where to store the session
 * @ret_message: as in wtrack_session_open_daemon()
 *
 * Return: as wtrack_session_open_daemon(); -EINVAL when @pid is not a process
 * id.
 * Since: 1.0
 */
int wtrack_session_open_daemon_pid(int pid, unsigned int flags,
				   struct wtrack_session **ret,
				   char **ret_message);

/**
 * wtrack_session_open_fd() - take over a session that another process passed on
 * @session_fd: the result of wtrack_session_get_fd() in the process that opened
 *	the session, as it came out of a socket, from a sender that is trusted.
 *	From success on it belongs to the new session; on failure it stays the
 *	caller's
 * @ret: where to store the session
 *
 * The session may have no VM yet: wtrack_session_attach() gives it one.
 *
 * If the session has a ring it is mapped and read on from where the reader
 * before stopped; there can be one reader at a time. If that reader left a
 * resync unfinished, the first event is of type WTRACK_EVENT_RESYNC. The
 * library does not know what the previous reader had fetched of the resync set:
 * read the contents of all tracked pages first. Nor is it known which pages the
 * guard has disarmed (event.h): adding a page again arms it.
 *
 * Return: 0, or
 *	-EBADF		@session_fd is not an open descriptor
 *	-EIO		the position in the ring was overwritten by another
 *			holder of the session
 *	-ENOMEM		no memory
 *	-ENOTTY		@session_fd is not a session
 *	-EPROTO		the module is older than this library needs, or
 *			answered nonsense
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_open_fd(int session_fd, struct wtrack_session **ret);

/**
 * wtrack_session_close() - close a session
 * @session: the session, or NULL, which does nothing
 *
 * Frees the session, and with it all events that were handed out. The pages
 * that it tracked are untracked, unless another process holds the descriptor as
 * well.
 * Since: 1.0
 */
void wtrack_session_close(struct wtrack_session *session);

/**
 * wtrack_session_get_fd() - the session's descriptor
 * @session: the session
 *
 * For poll loops, and for passing the session on. The descriptor belongs to
 * the session and must not be closed.
 *
 * poll(2) and epoll(7) report POLLIN while records are there that were not
 * released (as many as the watermark wants, or older than the latency), and
 * POLLHUP when the VM is gone or an administrator has ended the session. On
 * either, call wtrack_session_next() until it
 * returns NULL, then wtrack_session_release().
 *
 * Return: the descriptor; cannot fail.
 * Since: 1.0
 */
int wtrack_session_get_fd(const struct wtrack_session *session);

/*
 * What a session may do. It has all rights that the module knows until they are
 * taken by wtrack_session_restrict().
 */
/* Read guest memory through the session. */
#define WTRACK_RIGHT_MEMORY	(UINT64_C(1) << 0)
/* Events have the bytes that were stored: wtrack_event_has_data(). */
#define WTRACK_RIGHT_DATA	(UINT64_C(1) << 1)
/* Events have the guest's instruction pointer: wtrack_event_get_rip(). */
#define WTRACK_RIGHT_RIP	(UINT64_C(1) << 2)
/*
 * Learn which other sessions there are on the VM: how many track a page, and
 * how much memory they take. Events of the guard are delivered without this
 * right, also if other sessions caused them.
 */
#define WTRACK_RIGHT_OTHERS	(UINT64_C(1) << 3)
/* Add and remove pages. Without it what is tracked stays as it is. */
#define WTRACK_RIGHT_CHANGE	(UINT64_C(1) << 4)
/* Have vCPUs wait for the reader. */
#define WTRACK_RIGHT_SYNC	(UINT64_C(1) << 5)

/**
 * struct wtrack_restriction - what a session may still do
 * @ranges: the only pages that may be tracked from now on
 * @nr_ranges: how many; 0 does not limit pages
 * @max_pages: pages that may be tracked at a time; 0 does not limit
 * @max_records: largest ring that may be made; 0 does not limit
 * @budget: largest budget that the ring may have, see
 *	wtrack_session_set_budget(); the budget of a ring for which none is set;
 *	0 does not limit
 * @period_ms: shortest period of such a budget, 0 only with @budget 0
 * @max_sync_us: longest time that a vCPU may wait for the reader; 0: none may
 * @rights: WTRACK_RIGHT_*: of the session's rights only those named here stay;
 *	with 0 none does, with UINT64_MAX all do
 *
 * A later version may append fields. Have all that you do not set be 0.
 *
 * Rights are named and not taken away, so that a right that comes later is lost by
 * whom is restricted by a program that does not know it.
 */
struct wtrack_restriction {
	const struct wtrack_range *ranges;
	size_t nr_ranges;
	uint64_t max_pages;
	uint32_t max_records;
	uint32_t budget;
	uint32_t period_ms;
	uint32_t max_sync_us;
	uint64_t rights;
};

/**
 * wtrack_session_restrict() - limit a session for good
 * @session: the session
 * @restriction: the limits
 * @size: sizeof(struct wtrack_restriction) as the caller knows it; fields
 *	behind it count as 0
 *
 * For callers that pass the session on to a process which is trusted less, and
 * which may limit it further. The call is possible at any time and any number
 * of times, and each time the session becomes narrower. The session may do what
 * both the previous limits and the new ones allow. Any thread.
 *
 * Return: 0, or
 *	-E2BIG		@size is more than this library knows, and the rest of
 *			@restriction is not 0
 *	-EBUSY		the session has what would be forbidden: it tracks other
 *			pages or more of them, its ring is larger, has no budget
 *			or a larger one, or was made to tell what
 *			WTRACK_RIGHT_DATA or WTRACK_RIGHT_RIP is about
 *	-EINVAL		a range is empty, or goes beyond 52 bits of address; a
 *			budget without a period, or the other way round; @size
 *			is 0
 *	-ENOMEM		no memory
 *	-ERANGE		too many ranges, also together with those of earlier
 *			calls; or the ring, the budget or the period is out of
 *			bounds: see struct wtrack_info
 * Since: 1.0
 */
int wtrack_session_restrict(struct wtrack_session *session,
			    const struct wtrack_restriction *restriction,
			    size_t size);

/**
 * wtrack_session_open_daemon_restricted() - have wtrackd open a session that is
 *	restricted
 * @vm: as in wtrack_session_open_daemon()
 * @wanted: what the session may do, which is also what is taken from the user's
 *	limits; for a number that is 0 the daemon chooses, and with @rights 0 the
 *	session has those that it grants. Its budget must be 0, which is the
 *	daemon's to choose, and its max_sync_us: the daemon never grants
 *	WTRACK_RIGHT_SYNC
 * @size: sizeof(struct wtrack_restriction) as the caller knows it; fields
 *	behind it count as 0
 * @flags: as in wtrack_session_open_daemon()
 * @ret: where to store the session
 * @ret_message: as in wtrack_session_open_daemon()
 *
 * Return: as wtrack_session_open_daemon(), and
 *	-E2BIG		@size is more than this library knows, and the rest of
 *			@wanted is not 0
 *	-EINVAL		a range is empty, or goes beyond 52 bits of address;
 *			there are too many; the budget or max_sync_us is not 0;
 *			@size is 0
 * Since: 1.0
 */
int wtrack_session_open_daemon_restricted(const char *vm,
		const struct wtrack_restriction *wanted, size_t size,
		unsigned int flags, struct wtrack_session **ret,
		char **ret_message);

#ifdef __cplusplus
}
#endif

#endif
