// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "internal.h"

struct text {
	int err;
	const char *text;
};

static const struct text texts[] = {
	{ 0, "no error" },
	{ E2BIG,
	  "the module, or this library, is older than what was asked for: "
	  "ask wtrack_get_info() for the features" },
	{ EACCES,
	  "not permitted: get access to /dev/kvm-wtrack, and for a VM of "
	  "another process the right to trace it with ptrace(2); or be "
	  "permitted by wtrackd" },
	{ EAGAIN,
	  "not without waiting: wait until the descriptor is readable, or call "
	  "without the flag that forbids it" },
	{ EALREADY,
	  "the request was answered already: close it, and make another one" },
	{ EBADF,
	  "no such open descriptor: pass the one of the VM or of the session, "
	  "and close it later" },
	{ EBADFD,
	  "not a KVM virtual machine: name the VMM's process, or the "
	  "descriptor that KVM_CREATE_VM gave it" },
	{ EBUSY,
	  "not now: release the events that were handed out and finish a "
	  "resync before waiting; make one ring; restrict a session to what it "
	  "has at least; wait for other requests to wtrackd; or read again when "
	  "the VMM does not change the guest's memory all the time" },
	{ ECONNREFUSED,
	  "wtrackd does not answer on the system bus: start it, or open the "
	  "session without it" },
	{ EDQUOT,
	  "a limit of wtrackd is reached: close sessions, ask for less, or "
	  "have the limits in wtrackd.conf(5) raised" },
	{ EFAULT,
	  "a pointer does not point to memory of this process: correct the "
	  "call" },
	{ EHWPOISON,
	  "the hardware has reported that this page's memory is broken: what "
	  "it held is lost" },
	{ EINTR, "interrupted by a signal: call again to continue" },
	{ EINVAL,
	  "malformed call: look for an unknown flag, an empty range, or a "
	  "number or process id that the function does not take" },
	{ EIO,
	  "the position in the ring was overwritten by another holder of the "
	  "session: close the session and open a new one" },
	{ EISCONN, "the session has a VM already: open another session" },
	{ EMFILE,
	  "too many open descriptors in this process: close some, or raise "
	  "its limit" },
	{ ENFILE,
	  "too many open files on this host: close some, or raise its limit" },
	{ ENOBUFS,
	  "the session has no ring: call wtrack_session_make_ring() first" },
	{ ENODATA,
	  "the event does not tell: it is not of a vCPU, or of one that is "
	  "too new to be known; do without" },
	{ ENODEV,
	  "this host has no kvm-wtrack: load the module kvm-wtrack, on a "
	  "kernel that supports it" },
	{ ENOENT,
	  "the guest has no memory at this page, or the session does not "
	  "track it: check the page's number" },
	{ ENOMEM,
	  "no memory: track fewer pages, make a smaller ring, or raise the "
	  "memory limit" },
	{ ENOSPC,
	  "the session's page limit is reached: remove pages, or have the "
	  "limit raised" },
	{ ENOSYS,
	  "the kernel lacks pidfd_open(2) or pidfd_getfd(2): open the session "
	  "with the VM's descriptor" },
	{ ENOTCONN,
	  "the session has no VM: call wtrack_session_attach() first" },
	{ ENOTTY,
	  "not a descriptor of kvm-wtrack, or its module is too old for this "
	  "call: check the descriptor, or update the module" },
	{ ENOTUNIQ,
	  "several virtual machines are meant: choose one by its process and "
	  "descriptor, with wtrack_session_open_pid_fd() or as PID:FD" },
	{ ENXIO,
	  "the VMM has no readable memory for this page: look what it has "
	  "mapped there" },
	{ EOPNOTSUPP,
	  "this cannot be tracked or read: leave out confidential guests, and "
	  "memory that is private to the guest or of a device; to track, also "
	  "what is read-only or KVM's own" },
	{ EOVERFLOW,
	  "the page is tracked by as many sessions as can be: try again when "
	  "others have removed it" },
	{ EPERM,
	  "outside of the session's restriction: stay inside, or ask its "
	  "opener for a wider one" },
	{ EPROTO,
	  "the module or wtrackd is of another version than this library, and "
	  "does not fit it: install the same version of all, and load the "
	  "module again" },
	{ ERANGE,
	  "a number is out of bounds: ask wtrack_get_info() for the limits" },
	{ ESHUTDOWN,
	  "an administrator has ended the session: open another one, or ask "
	  "them why" },
	{ ESRCH,
	  "there is no such VM, or it or its process is gone: close the "
	  "session, or look which VMs there are" },
	{ ETIMEDOUT,
	  "wtrackd did not answer in time: authenticate sooner, or see what "
	  "it waits for" },
	{ EUSERS,
	  "the VM has as many sessions as it may have: close one, or have the "
	  "limit raised" },
};

WTRACK_API const char *wtrack_strerror(int err)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == err || -texts[i].err == err)
			return texts[i].text;
	return "not an error of this library: see errno(3)";
}
