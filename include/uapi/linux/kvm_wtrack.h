/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kvm-wtrack: every guest write to chosen pages of a KVM guest, in user space.
 *
 * One open file of /dev/kvm-wtrack is one session on one VM. The descriptor is
 * the capability: it may be passed to another process, and when its last
 * holder (a memory mapping of it is one) is gone, all it tracked is untracked.
 *
 *	open  ->  ATTACH  ->  RING  ->  ADD ...  ->  events
 *
 * Its holder may have it RESTRICTed at any time, for good.
 *
 * Argument structs
 * ----------------
 * Each ioctl takes a pointer to the struct of the same name. Its first field,
 * size, is sizeof() of the struct as the caller knows it. A shorter struct of
 * an older caller is taken, fields that it lacks count as zero; a longer one
 * is taken as long as what this module does not know is zero. Fields named
 * out_* are written by the module, __reserved must be zero. A struct without such a
 * field is only read, and may be in memory that cannot be written. All structs are
 * the same for 32-bit callers. Because the size is inside, ioctl numbers do
 * not encode one and stay the same when a struct grows.
 *
 * A call that fails changes nothing. The calls on ranges (ADD, REARM, REMOVE) are
 * the exception: they report how far they came in each range.
 *
 * What is not seen
 * ----------------
 * Records are of stores that vCPUs make. What others put into the guest's
 * memory has none, and nothing else tells of it: DMA, vhost, the VMM's own
 * stores, a snapshot that the VMM loads (QEMU's loadvm) or what it puts in
 * place at a reset, and what KVM writes itself. A reader that keeps a copy of a
 * page reads it again when the VMM has done that.
 *
 * Errors
 * ------
 * Each errno has one meaning in the whole interface:
 *
 *	E2BIG		the struct is longer than known here and the rest of it
 *			is not zero: it asks for something newer
 *	EACCES		a writable mapping of the records
 *	EAGAIN		not without waiting: non-blocking read() with nothing to
 *			read; ADD with ADD_F_NOWAIT, or REARM with
 *			REARM_F_NOWAIT, while KVM handles, or may handle, a fault
 *			of the guest on this gfn; READ with READ_F_NOFAULT of a
 *			page that is not in memory
 *	EBADF		vm_fd is not an open descriptor
 *	EBADFD		vm_fd is open, but not a KVM virtual machine
 *	EBUSY		not now: a ring exists already; RESTRICT would forbid
 *			what the session has; RESYNC before the resync record
 *			was released; READ while the VMM changes its memslots all
 *			the time
 *	EFAULT		a pointer does not point to the caller's memory
 *	EHWPOISON	the hardware has reported that the page's memory is broken
 *	EINTR		a signal came; what was done up to there is reported
 *	EINVAL		the call is malformed: a size, an unknown flag, a
 *			reserved field that is not zero, a range that is empty
 *			or goes beyond 52 bits of guest physical address
 *	EIO		the consumer position in the ring is not between the
 *			oldest and the newest record
 *	EISCONN		the session is attached already
 *	ENOBUFS		the session has no ring yet
 *	ENOENT		no memslot at this gfn, or not tracked by this session
 *	ENOMEM		no memory
 *	ENOSPC		the session's page limit is reached
 *	ENOTCONN	the session is not attached yet
 *	ENOTTY		no such ioctl
 *	ENXIO		the VMM has no readable memory where the memslot of this
 *			gfn says it is
 *	EOPNOTSUPP	it cannot be done: a confidential guest; ADD to a memslot
 *			that the guest cannot write as ordinary memory (read-only,
 *			guest_memfd, KVM's own); READ of guest_memfd, or of a
 *			device; on kernels before 6.6, nested paging without
 *			CONFIG_KVM_EXTERNAL_WRITE_TRACKING
 *	EOVERFLOW	the gfn has as many users as it can have
 *	EPERM		refused by the session's restriction
 *	ERANGE		a number of records, a watermark, a latency, a budget,
 *			its period, sync_us or a number of ranges is out of the bounds
 *			that INFO reports; the ranges of all RESTRICTs have
 *			more parts in common than a call may bring ranges
 *	ESHUTDOWN	an administrator has ended the session
 *	ESRCH		the VM is gone
 *	EUSERS		the VM has as many sessions as it may have, or as many
 *			synchronous ones
 */
#ifndef _UAPI_LINUX_KVM_WTRACK_H
#define _UAPI_LINUX_KVM_WTRACK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KVM_WTRACK_DEVICE	"/dev/kvm-wtrack"
/* The kernel's ioctl-number.rst lists no other user of it. */
#define KVM_WTRACK_MAGIC	0xD7

#define KVM_WTRACK_INFO		_IO(KVM_WTRACK_MAGIC, 0x00)
#define KVM_WTRACK_ATTACH	_IO(KVM_WTRACK_MAGIC, 0x01)
#define KVM_WTRACK_STATUS	_IO(KVM_WTRACK_MAGIC, 0x02)
#define KVM_WTRACK_RESTRICT	_IO(KVM_WTRACK_MAGIC, 0x03)
#define KVM_WTRACK_RING		_IO(KVM_WTRACK_MAGIC, 0x04)
#define KVM_WTRACK_TUNE		_IO(KVM_WTRACK_MAGIC, 0x05)
#define KVM_WTRACK_ADD		_IO(KVM_WTRACK_MAGIC, 0x06)
#define KVM_WTRACK_REMOVE	_IO(KVM_WTRACK_MAGIC, 0x07)
#define KVM_WTRACK_REARM	_IO(KVM_WTRACK_MAGIC, 0x08)
#define KVM_WTRACK_QUERY	_IO(KVM_WTRACK_MAGIC, 0x09)
#define KVM_WTRACK_QUERY_GFN	_IO(KVM_WTRACK_MAGIC, 0x0a)
#define KVM_WTRACK_RESYNC	_IO(KVM_WTRACK_MAGIC, 0x0b)
#define KVM_WTRACK_FENCE	_IO(KVM_WTRACK_MAGIC, 0x0c)
#define KVM_WTRACK_REGIONS	_IO(KVM_WTRACK_MAGIC, 0x0d)
#define KVM_WTRACK_READ		_IO(KVM_WTRACK_MAGIC, 0x0e)
#define KVM_WTRACK_RELEASE	_IO(KVM_WTRACK_MAGIC, 0x0f)

/*
 * Features. Ask for these bits, never for a kernel or module version.
 */
/* A session may attach to another process' VM. */
#define KVM_WTRACK_FEAT_FOREIGN_ATTACH	(1ULL << 0)
/* KVM_WTRACK_RING_F_COALESCE is known. */
#define KVM_WTRACK_FEAT_COALESCE	(1ULL << 1)
/* Write records tell which vCPU made the store. */
#define KVM_WTRACK_FEAT_VCPU		(1ULL << 2)
/* Write records carry the guest's instruction pointer. */
#define KVM_WTRACK_FEAT_RIP		(1ULL << 3)
/* RESTRICT is known. */
#define KVM_WTRACK_FEAT_RESTRICT	(1ULL << 4)
/* A write longer than one record comes in parts, none of it cut off. */
#define KVM_WTRACK_FEAT_LONG_WRITES	(1ULL << 5)
/* No store to a tracked page can hang or kill its guest: see "The guard". */
#define KVM_WTRACK_FEAT_GUARD		(1ULL << 6)
/* RING and RESTRICT know budgets. */
#define KVM_WTRACK_FEAT_BUDGET		(1ULL << 7)
/* KVM_WTRACK_RING_F_NATIVE is known. */
#define KVM_WTRACK_FEAT_NATIVE		(1ULL << 8)
/* READ is known. */
#define KVM_WTRACK_FEAT_READ		(1ULL << 9)
/* REGIONS is known, and STATUS has the generation. */
#define KVM_WTRACK_FEAT_REGIONS		(1ULL << 10)
/* KVM_WTRACK_RING_F_STICKY is known. */
#define KVM_WTRACK_FEAT_STICKY		(1ULL << 11)
/* KVM_WTRACK_RING_F_ONCE and REARM are known. */
#define KVM_WTRACK_FEAT_ONCE		(1ULL << 12)
/* KVM_WTRACK_RING_F_SYNC and RELEASE are known. */
#define KVM_WTRACK_FEAT_SYNC		(1ULL << 13)
/* TUNE is known. */
#define KVM_WTRACK_FEAT_TUNE		(1ULL << 14)
/* An administrator can end a session (KVM_WTRACK_CMD_END_SESSION). */
#define KVM_WTRACK_FEAT_CONTROL		(1ULL << 15)
/* Records tell of nested guests and of SMM. */
#define KVM_WTRACK_FEAT_MODES		(1ULL << 16)

/**
 * struct kvm_wtrack_info - what this module can do (KVM_WTRACK_INFO)
 * @size: sizeof(struct kvm_wtrack_info)
 * @flags: must be 0
 * @out_features: KVM_WTRACK_FEAT_* bits
 * @out_max_pages: pages that one session may track
 * @out_min_records: smallest ring
 * @out_max_records: largest ring
 * @out_max_sessions: sessions on one VM
 * @out_max_users: sessions that may track one gfn
 * @out_max_ranges: ranges that one call may bring
 * @out_max_latency_us: longest latency that a watermark may have
 * @out_record_bytes: size of a record in a ring that was made without a flag
 *	which asks for another
 * @out_data_bytes: bytes of data in one record
 * @out_max_budget: largest budget
 * @out_max_period_ms: longest period of a budget
 * @out_backoff_min_ms: how long the guard leaves a page alone at first
 * @out_backoff_max_ms: and how long at most
 * @out_max_read_bytes: bytes that one READ reads at most
 * @out_read_bytes_per_s: bytes, of whole pages, that a session reads in a second
 *	at most
 * @out_max_sync_us: longest time that a vCPU may wait in a synchronous session
 * @__reserved0: 0
 * @__reserved: must be 0
 *
 * Needs no attached VM.
 */
struct kvm_wtrack_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_features;
	__aligned_u64 out_max_pages;
	__u32 out_min_records;
	__u32 out_max_records;
	__u32 out_max_sessions;
	__u32 out_max_users;
	__u32 out_max_ranges;
	__u32 out_max_latency_us;
	__u32 out_record_bytes;
	__u32 out_data_bytes;
	__u32 out_max_budget;
	__u32 out_max_period_ms;
	__u32 out_backoff_min_ms;
	__u32 out_backoff_max_ms;
	__aligned_u64 out_max_read_bytes;
	__aligned_u64 out_read_bytes_per_s;
	__u32 out_max_sync_us;
	__u32 __reserved0;
	__aligned_u64 __reserved[2];
};

/**
 * struct kvm_wtrack_attach - bind the session to a VM (KVM_WTRACK_ATTACH)
 * @size: sizeof(struct kvm_wtrack_attach)
 * @flags: must be 0
 * @vm_fd: a KVM VM descriptor of the caller, from KVM_CREATE_VM,
 *	pidfd_getfd(2) or a socket; not needed any more after the call
 * @__reserved0: must be 0
 * @out_vm_id: names the VM; never used again while the module is loaded
 * @out_session_id: names the session, as above
 * @__reserved: must be 0
 *
 * Once in the life of a session. The VM is held until the session is closed
 * or the VM is found to be gone. From then on nothing is
 * tracked, ADD and REMOVE get ESRCH, and RESYNC tells what was written last.
 * EBADF, EBADFD, EISCONN, EOPNOTSUPP, ESRCH, EUSERS, EINTR, ENOMEM.
 */
struct kvm_wtrack_attach {
	__u32 size;
	__u32 flags;
	__s32 vm_fd;
	__u32 __reserved0;
	__aligned_u64 out_vm_id;
	__aligned_u64 out_session_id;
	__aligned_u64 __reserved[2];
};

#define KVM_WTRACK_STATE_ATTACHED	(1U << 0)
#define KVM_WTRACK_STATE_RESTRICTED	(1U << 1)
#define KVM_WTRACK_STATE_RING		(1U << 2)
/* The ring was made with KVM_WTRACK_RING_F_COALESCE. */
#define KVM_WTRACK_STATE_COALESCE	(1U << 3)
/* Closed by an overflow: RESYNC opens the ring again. */
#define KVM_WTRACK_STATE_RESYNC		(1U << 4)
/* The VM is gone. */
#define KVM_WTRACK_STATE_VM_GONE	(1U << 5)
/*
 * An administrator has ended the session (linux/kvm_wtrack_genl.h): it tracks
 * nothing any more. The records that are left can be read, and the rest of a resync
 * set be fetched, all of which is REMOVED; all calls but INFO, STATUS and RESYNC
 * get ESHUTDOWN, and so does mmap(2).
 */
#define KVM_WTRACK_STATE_ENDED		(1U << 6)

/**
 * struct kvm_wtrack_status - state and counters (KVM_WTRACK_STATUS)
 * @size: sizeof(struct kvm_wtrack_status)
 * @flags: must be 0
 * @out_state: KVM_WTRACK_STATE_* bits
 * @out_vm_pid: process id of the VMM in the caller's pid namespace, 0 when
 *	it is not visible there or gone
 * @out_vm_id: as from ATTACH, 0 before
 * @out_session_id: as from ATTACH; 0 before that and the first RESTRICT
 * @out_records: size of the ring, 0 without one
 * @out_unread: records that were not released yet
 * @out_pages: pages this session tracks
 * @out_max_pages: pages it may track
 * @out_events: records published since the start
 * @out_merged: writes that a coalescing session merged into an unread record
 * @out_overflows: how often the ring was closed
 * @out_resync_writes: writes that went to the resync set
 * @out_regions_removed: memory-region removals that ended tracking
 * @out_wakeups: how often a sleeping reader was woken
 * @out_memory_bytes: memory the module holds for this session, ring included
 * @out_vm_memory_bytes: memory it holds for the VM, shared by its sessions; 0
 *	without RIGHT_OTHERS
 * @out_disarms: how often the guard stopped observing a page of this session
 * @out_over_budget: those of @out_disarms because of the budget
 * @out_rearms: how often it began again
 * @out_unreported: stores that KVM made without telling what was stored
 * @out_ring_flags: KVM_WTRACK_RING_F_*, as the ring was made
 * @out_record_bytes: as from RING, for a process that was handed the
 *	descriptor; 0 without a ring, like the four below
 * @out_consumer_offset: likewise
 * @out_consumer_bytes: likewise
 * @out_records_offset: likewise
 * @out_records_bytes: likewise
 * @out_rights: KVM_WTRACK_RIGHT_*, those that the session has
 * @out_generation: of the guest's memory regions, see REGIONS; 0 without a VM
 * @out_watermark: of the ring, as RING or TUNE set it
 * @out_latency_us: of the ring, as RING or TUNE set it
 * @out_budget: of the ring, as RING or TUNE set it, or the restriction's
 * @out_period_ms: of @out_budget
 * @out_absent: of @out_pages, those without memory, see RING_F_STICKY
 * @out_sync_waits: how often a vCPU has waited for the reader of a synchronous
 *	session
 * @out_sync_timeouts: those of @out_sync_waits that ended because the reader
 *	was late
 * @out_sync_us: of the ring, as RING or TUNE set it
 * @__reserved0: 0
 * @__reserved: must be 0
 */
struct kvm_wtrack_status {
	__u32 size;
	__u32 flags;
	__u32 out_state;
	__s32 out_vm_pid;
	__aligned_u64 out_vm_id;
	__aligned_u64 out_session_id;
	__u32 out_records;
	__u32 out_unread;
	__aligned_u64 out_pages;
	__aligned_u64 out_max_pages;
	__aligned_u64 out_events;
	__aligned_u64 out_merged;
	__aligned_u64 out_overflows;
	__aligned_u64 out_resync_writes;
	__aligned_u64 out_regions_removed;
	__aligned_u64 out_wakeups;
	__aligned_u64 out_memory_bytes;
	__aligned_u64 out_vm_memory_bytes;
	__aligned_u64 out_disarms;
	__aligned_u64 out_over_budget;
	__aligned_u64 out_rearms;
	__aligned_u64 out_unreported;
	__u32 out_ring_flags;
	__u32 out_record_bytes;
	__aligned_u64 out_consumer_offset;
	__aligned_u64 out_consumer_bytes;
	__aligned_u64 out_records_offset;
	__aligned_u64 out_records_bytes;
	__aligned_u64 out_rights;
	__aligned_u64 out_generation;
	__u32 out_watermark;
	__u32 out_latency_us;
	__u32 out_budget;
	__u32 out_period_ms;
	__aligned_u64 out_absent;
	__aligned_u64 out_sync_waits;
	__aligned_u64 out_sync_timeouts;
	__u32 out_sync_us;
	__u32 __reserved0;
	__aligned_u64 __reserved[4];
};

/**
 * struct kvm_wtrack_range - consecutive guest page frames
 * @gfn: first guest page frame number
 * @nr_pages: how many
 */
struct kvm_wtrack_range {
	__aligned_u64 gfn;
	__aligned_u64 nr_pages;
};

/*
 * What a session may do. It has all rights that the module knows until a
 * RESTRICT does not name them.
 */
/* Read guest memory through the session. */
#define KVM_WTRACK_RIGHT_MEMORY		(1ULL << 0)
/* Records have the bytes that were stored. */
#define KVM_WTRACK_RIGHT_DATA		(1ULL << 1)
/* Records have the guest's instruction pointer. */
#define KVM_WTRACK_RIGHT_RIP		(1ULL << 2)
/*
 * Learn which other sessions there are on the VM: how many track a gfn, and how
 * much memory they take. Records of the guard are delivered without this right,
 * also if other sessions caused them.
 */
#define KVM_WTRACK_RIGHT_OTHERS		(1ULL << 3)
/* ADD and REMOVE. Without it what is tracked stays as it is. */
#define KVM_WTRACK_RIGHT_CHANGE		(1ULL << 4)
/* Have vCPUs wait for the reader: KVM_WTRACK_RING_F_SYNC. */
#define KVM_WTRACK_RIGHT_SYNC		(1ULL << 5)

/**
 * struct kvm_wtrack_restrict - limit the session for good (KVM_WTRACK_RESTRICT)
 * @size: sizeof(struct kvm_wtrack_restrict)
 * @flags: must be 0
 * @ranges: pointer to struct kvm_wtrack_range[]: of the gfns that may be tracked,
 *	only those in one of them stay
 * @nr_ranges: how many; 0 with a null pointer does not limit gfns
 * @max_records: largest ring, 0 does not limit
 * @max_pages: pages that may be tracked at a time, 0 does not limit
 * @budget: largest budget of the ring, which then has one; 0 does not limit
 * @period_ms: shortest period of such a budget, 0 only without @budget
 * @rights: KVM_WTRACK_RIGHT_*: of the session's rights only those named here
 *	stay. Bits that this module does not know are no error: there is no such
 *	right to be kept
 * @max_sync_us: longest time that a vCPU may wait for the reader; 0: none may
 * @__reserved0: must be 0
 * @__reserved: must be 0
 *
 * A caller may restrict a session before or after ATTACH, RING and ADD, and any
 * number of times. The owner of a session typically does so before passing the
 * descriptor on; the receiver may restrict the session further. Each call only
 * narrows the restriction: afterwards the session may do what both this call and
 * the earlier restriction allow.
 *
 * A session that is not attached yet has its number from then on, and generic
 * netlink reports it: a process that hands it over can count it until it is
 * closed.
 *
 * EBUSY, and nothing is changed, if the session has what the call would forbid:
 * it tracks gfns outside of @ranges, or more than @max_pages; its ring has more
 * records than @max_records, no budget or one outside of the limits, a sync_us
 * above @max_sync_us or any without RIGHT_SYNC, or its records have what
 * RIGHT_DATA or RIGHT_RIP is about, which is settled when the ring is made. While
 * the call looks, an ADD of another thread waits.
 *
 * Rights are named and not taken away, so that a right that a later module has
 * is lost by whom is restricted by a program that does not know it.
 */
struct kvm_wtrack_restrict {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 max_records;
	__aligned_u64 max_pages;
	__u32 budget;
	__u32 period_ms;
	__aligned_u64 rights;
	__u32 max_sync_us;
	__u32 __reserved0;
	__aligned_u64 __reserved[2];
};

/*
 * At most one unread record for each gfn. The record has the first of the
 * writes and KVM_WTRACK_RECORD_F_PAGE: release it by an atomic exchange (see
 * "The ring"), then re-read the page.
 */
#define KVM_WTRACK_RING_F_COALESCE	(1U << 0)
/*
 * What the guard stops observing is not tracked by this session any more,
 * instead of being observed again a little later.
 */
#define KVM_WTRACK_RING_F_STOP		(1U << 1)
/*
 * No store that faults on the session's pages is emulated: see "Tearing". Each
 * disarms its page instead, before it is made, for the period of the budget if
 * the session has one and for the guard's back-off otherwise. The session
 * learns that the page was stored to, and the guest's stores are the
 * processor's own. That holds for all sessions that track the page with it. If
 * others track it already, a store that faulted before ADD may still be
 * emulated.
 */
#define KVM_WTRACK_RING_F_NATIVE	(1U << 2)
/*
 * The session's pages outlive their memory: see "Memory that comes and goes".
 */
#define KVM_WTRACK_RING_F_STICKY	(1U << 3)
/*
 * The session gets a record of the first store to each page only: see "First
 * touch".
 */
#define KVM_WTRACK_RING_F_ONCE		(1U << 4)
/*
 * A vCPU that has stored to one of the session's pages executes its next
 * instruction when the reader has released the record: see "Synchronous sessions".
 * EINVAL together with RING_F_COALESCE, in which a store may have no record of its
 * own, and with RING_F_NATIVE, in which none is emulated.
 */
#define KVM_WTRACK_RING_F_SYNC		(1U << 5)

/**
 * struct kvm_wtrack_ring - make the session's ring (KVM_WTRACK_RING)
 * @size: sizeof(struct kvm_wtrack_ring)
 * @flags: KVM_WTRACK_RING_F_*
 * @records: a power of two; two of them are kept for the module's own records
 * @watermark: sleeping readers are woken when that many records are unread;
 *	0 and 1 mean at once, at most @records / 2. They are woken at once for a
 *	record that a vCPU waits for
 * @latency_us: with a watermark above 1: wake them also when the oldest
 *	unread record is that old. Must then not be 0
 * @budget: stores that are notified for each page in each period; the page is
 *	then not observed until the period is over, see "The guard". 0: no budget
 * @period_ms: the period, 0 only without @budget
 * @sync_us: with KVM_WTRACK_RING_F_SYNC: how long a vCPU waits at most, 1 up to
 *	out_max_sync_us; 0 only without
 * @out_record_bytes: size of a record in this ring, see "The ring"
 * @__reserved0: must be 0
 * @out_consumer_offset: offset for mmap(2) of struct kvm_wtrack_consumer
 * @out_consumer_bytes: and the length of that mapping
 * @out_records_offset: offset for mmap(2) of the records
 * @out_records_bytes: and the length of that mapping
 * @__reserved: must be 0
 *
 * Once in the life of a session, after ATTACH. Then map it (see below).
 *
 * A page that several sessions track is disarmed by budgets when it is over
 * those of all of them: a session without a budget gets every store. A page
 * that is removed and added, or armed again in a session with RING_F_ONCE, has
 * its whole budget again; no budget bounds what adding, removing and arming cost
 * the guest.
 */
struct kvm_wtrack_ring {
	__u32 size;
	__u32 flags;
	__u32 records;
	__u32 watermark;
	__u32 latency_us;
	__u32 budget;
	__u32 period_ms;
	__u32 sync_us;
	__u32 out_record_bytes;
	__u32 __reserved0;
	__aligned_u64 out_consumer_offset;
	__aligned_u64 out_consumer_bytes;
	__aligned_u64 out_records_offset;
	__aligned_u64 out_records_bytes;
	__aligned_u64 __reserved[2];
};

/* Set watermark and latency_us. */
#define KVM_WTRACK_TUNE_F_WAKEUP	(1U << 0)
/* Set budget and period_ms. */
#define KVM_WTRACK_TUNE_F_BUDGET	(1U << 1)
/* Set sync_us, of a ring with KVM_WTRACK_RING_F_SYNC; of others EINVAL. */
#define KVM_WTRACK_TUNE_F_SYNC		(1U << 2)

/**
 * struct kvm_wtrack_tune - change what a ring was made with (KVM_WTRACK_TUNE)
 * @size: sizeof(struct kvm_wtrack_tune)
 * @flags: KVM_WTRACK_TUNE_F_*: what to change. What no flag names must be 0
 * @watermark: as of RING
 * @latency_us: as of RING
 * @budget: as of RING; 0: no budget from now on, or the restriction's
 * @period_ms: as of RING
 * @sync_us: as of RING
 * @__reserved0: must be 0
 * @__reserved: must be 0
 *
 * A session may call it any number of times. Readers that sleep are woken, and go
 * back to sleep by the new values. A page that is disarmed for the old budget is
 * armed again when the old period is over, or the new one. The new budget holds from
 * the next store to any page on. What was stored before counts, for one new period
 * at most. A vCPU that waits does so for as long as sync_us was when it began.
 * EINTR, EINVAL, ENOMEM, EPERM, ERANGE.
 */
struct kvm_wtrack_tune {
	__u32 size;
	__u32 flags;
	__u32 watermark;
	__u32 latency_us;
	__u32 budget;
	__u32 period_ms;
	__u32 sync_us;
	__u32 __reserved0;
	__aligned_u64 __reserved[2];
};

/**
 * struct kvm_wtrack_change - one range of an ADD, REARM or REMOVE and what became
 *	of it
 * @gfn: first guest page frame number
 * @nr_pages: how many, not 0
 * @out_done: pages that were handled without an error
 * @out_changed: pages of @out_done that the session did not track before (ADD),
 *	did not observe (REARM), or tracked (REMOVE)
 * @out_failed: pages that were refused
 * @out_error_gfn: first gfn that was refused, if @out_error is not 0
 * @out_error: the errno of that gfn, positive, or 0
 * @__reserved: must be 0
 * @out_skipped: with ADD_F_SKIP_HOLES, pages that the guest has no memory for
 *
 * A gfn that is refused does not stop the others. Pages are worked through in
 * ascending order: after EINTR, continue the range at @gfn + @out_done +
 * @out_failed + @out_skipped.
 */
struct kvm_wtrack_change {
	__aligned_u64 gfn;
	__aligned_u64 nr_pages;
	__aligned_u64 out_done;
	__aligned_u64 out_changed;
	__aligned_u64 out_failed;
	__aligned_u64 out_error_gfn;
	__u32 out_error;
	__u32 __reserved;
	__aligned_u64 out_skipped;
};

/* Refuse a gfn that cannot be armed just now, with EAGAIN. */
#define KVM_WTRACK_ADD_F_NOWAIT		(1U << 0)
/*
 * Skip gfns to which the guest cannot store as to ordinary memory, instead of
 * refusing them with ENOENT or EOPNOTSUPP: where there is no memslot, or one that
 * is read-only, guest_memfd's or KVM's own. So "all memory of the guest" is one
 * range. Memory that is created there later is not tracked. That also holds in a
 * session with RING_F_STICKY, which tracks such gfns without this flag.
 */
#define KVM_WTRACK_ADD_F_SKIP_HOLES	(1U << 1)

/**
 * struct kvm_wtrack_add - track pages (KVM_WTRACK_ADD)
 * @size: sizeof(struct kvm_wtrack_add)
 * @flags: KVM_WTRACK_ADD_F_*
 * @changes: pointer to struct kvm_wtrack_change[]
 * @nr_changes: how many
 * @out_nr_changes: entries of @changes that were worked through
 * @out_failed_pages: pages refused, in all of them
 * @__reserved: must be 0
 *
 * Returns 0 when all @nr_changes were worked through, even if gfns were
 * refused: look at @out_failed_pages. Once a page is reported as done no write
 * of a vCPU to it goes unnoticed: add first, then read the page's contents.
 * Per gfn: ENOENT, ENOSPC, EOPNOTSUPP, EOVERFLOW, EPERM, ENOMEM; with
 * ADD_F_NOWAIT also EAGAIN. EPERM for the whole call without RIGHT_CHANGE. With
 * RING_F_STICKY a gfn without memory is not refused: see "Memory that comes and goes".
 *
 * A gfn cannot be armed while KVM handles a fault of the guest on it, nor, for
 * some milliseconds after the VM's first ATTACH, while KVM may still handle a
 * fault that began earlier. Such a fault lasts as long as the VMM takes to
 * provide the page: with userfaultfd, for instance in a migration by post-copy,
 * that has no bound. ADD waits for it, and the gfns behind it wait as well; a
 * signal ends the wait. With ADD_F_NOWAIT the call refuses the gfn and
 * continues with the others.
 */
struct kvm_wtrack_add {
	__u32 size;
	__u32 flags;
	__aligned_u64 changes;
	__u32 nr_changes;
	__u32 out_nr_changes;
	__aligned_u64 out_failed_pages;
	__aligned_u64 __reserved[2];
};

/* Refuse a gfn that cannot be armed just now, with EAGAIN. */
#define KVM_WTRACK_REARM_F_NOWAIT	(1U << 0)

/**
 * struct kvm_wtrack_rearm - observe pages again (KVM_WTRACK_REARM)
 * @size: sizeof(struct kvm_wtrack_rearm)
 * @flags: KVM_WTRACK_REARM_F_*
 * @changes: pointer to struct kvm_wtrack_change[]
 * @nr_changes: how many
 * @out_nr_changes: entries of @changes that were worked through
 * @out_failed_pages: pages refused, in all of them
 * @__reserved: must be 0
 *
 * For pages that the session tracks and that are not observed, because of
 * RING_F_ONCE or because the guard has disarmed them: it arms them at once, and
 * waits as ADD does. ADD on such a page does the same, but adds a page that the
 * session does not track; REARM refuses it with ENOENT. Once a page is reported as
 * done no write of a vCPU to it goes unnoticed: arm it first, then read its
 * contents, in which are the stores that were not seen. A page that is absent
 * (RING_F_STICKY) stays so if there is no memory, and is no error. Per gfn: ENOENT,
 * EOPNOTSUPP, ENOMEM; with REARM_F_NOWAIT also EAGAIN.
 */
struct kvm_wtrack_rearm {
	__u32 size;
	__u32 flags;
	__aligned_u64 changes;
	__u32 nr_changes;
	__u32 out_nr_changes;
	__aligned_u64 out_failed_pages;
	__aligned_u64 __reserved[2];
};

/* Return only when no record of the removed pages can follow out_seq. */
#define KVM_WTRACK_REMOVE_F_FENCE	(1U << 0)

/**
 * struct kvm_wtrack_remove - stop tracking pages (KVM_WTRACK_REMOVE)
 * @size: sizeof(struct kvm_wtrack_remove)
 * @flags: KVM_WTRACK_REMOVE_F_*
 * @changes: pointer to struct kvm_wtrack_change[]
 * @nr_changes: how many
 * @out_nr_changes: entries of @changes that were worked through
 * @out_failed_pages: pages refused, in all of them
 * @out_seq: with the fence flag, as from FENCE
 * @__reserved: must be 0
 *
 * A session removes only what it added itself: ENOENT per gfn otherwise. EPERM
 * without RIGHT_CHANGE.
 */
struct kvm_wtrack_remove {
	__u32 size;
	__u32 flags;
	__aligned_u64 changes;
	__u32 nr_changes;
	__u32 out_nr_changes;
	__aligned_u64 out_failed_pages;
	__aligned_u64 out_seq;
	__aligned_u64 __reserved[2];
};

/**
 * struct kvm_wtrack_query - what the session tracks (KVM_WTRACK_QUERY)
 * @size: sizeof(struct kvm_wtrack_query)
 * @flags: must be 0
 * @ranges: pointer to struct kvm_wtrack_range[], filled in ascending order
 * @nr_ranges: room in it, not 0; more than out_max_ranges are never filled in
 * @out_nr_ranges: how many were filled in
 * @gfn: where to start
 * @out_next_gfn: the gfn to continue at; ~0 when there is nothing more
 * @__reserved: must be 0
 */
struct kvm_wtrack_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 out_nr_ranges;
	__aligned_u64 gfn;
	__aligned_u64 out_next_gfn;
	__aligned_u64 __reserved[2];
};

#define KVM_WTRACK_GFN_TRACKED	(1U << 0)	/* by this session */
#define KVM_WTRACK_GFN_RESYNC	(1U << 1)	/* in its resync set */
#define KVM_WTRACK_GFN_DISARMED	(1U << 2)	/* tracked, not observed now */
#define KVM_WTRACK_GFN_ABSENT	(1U << 3)	/* tracked, there is no memory */

/**
 * struct kvm_wtrack_query_gfn - one page (KVM_WTRACK_QUERY_GFN)
 * @size: sizeof(struct kvm_wtrack_query_gfn)
 * @flags: must be 0
 * @gfn: the guest page frame number
 * @out_users: sessions that track it, on this VM; without RIGHT_OTHERS, 1 if
 *	this one does and 0 otherwise
 * @out_state: KVM_WTRACK_GFN_*
 * @__reserved: must be 0
 *
 * EPERM for a gfn outside of the session's restriction.
 */
struct kvm_wtrack_query_gfn {
	__u32 size;
	__u32 flags;
	__aligned_u64 gfn;
	__u32 out_users;
	__u32 out_state;
	__aligned_u64 __reserved[2];
};

/* Writes were not recorded one by one: re-read these pages. */
#define KVM_WTRACK_RESYNC_REREAD	0U
/*
 * They are not tracked any more: their memory region was removed, or the session
 * was ended. (Or the session removed them itself while a write to them was being
 * put here.)
 */
#define KVM_WTRACK_RESYNC_REMOVED	1U
/*
 * As REREAD, but stores to them are not seen now: a GUARD record or the resync
 * set reports when they are seen again. In a session with RING_F_ONCE they were
 * stored to, and stay so until the session arms them again.
 */
#define KVM_WTRACK_RESYNC_DISARMED	2U
/*
 * They are absent: they have no memory, and the session tracks them because it has
 * RING_F_STICKY. A GUARD record or the resync set tells when there is memory again.
 */
#define KVM_WTRACK_RESYNC_ABSENT	3U

/**
 * struct kvm_wtrack_resync_range - pages of the resync set
 * @gfn: first guest page frame number
 * @nr_pages: how many
 * @what: KVM_WTRACK_RESYNC_*
 * @__reserved: 0
 */
struct kvm_wtrack_resync_range {
	__aligned_u64 gfn;
	__aligned_u64 nr_pages;
	__u32 what;
	__u32 __reserved;
};

/**
 * struct kvm_wtrack_resync - fetch and clear the resync set (KVM_WTRACK_RESYNC)
 * @size: sizeof(struct kvm_wtrack_resync)
 * @flags: must be 0
 * @ranges: pointer to struct kvm_wtrack_resync_range[]
 * @nr_ranges: room in it, not 0; more than out_max_ranges are never filled in
 * @out_nr_ranges: how many were filled in, in ascending order of gfn
 * @out_more: not 0 when this call did not come to the end of the set: call again
 * @__reserved0: must be 0
 * @__reserved: must be 0
 *
 * When the ring is full it is closed behind one record of type
 * KVM_WTRACK_RECORD_RESYNC, and from then on the gfns that are written to are
 * kept here instead. Release that record, call this until nothing is left,
 * re-read the pages from guest memory, continue with the ring. EBUSY as long as
 * the record is not released: older records would otherwise be taken for newer
 * than the memory that was read.
 *
 * The ring may be filled and closed again while the set is fetched. Then the call
 * stops with out_more set, the next call fails with EBUSY, and what is left of the
 * set belongs to the new RESYNC record. So a reader that has to have all that was
 * stored before a FENCE calls FENCE once more after that, and continues to the
 * number that it returns, until a set was not cut.
 */
struct kvm_wtrack_resync {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 nr_ranges;
	__u32 out_nr_ranges;
	__u32 out_more;
	__u32 __reserved0;
	__aligned_u64 __reserved[2];
};

/**
 * struct kvm_wtrack_fence - wait for notifications under way (KVM_WTRACK_FENCE)
 * @size: sizeof(struct kvm_wtrack_fence)
 * @flags: must be 0
 * @out_seq: each observed store that was made before the call is in the ring, at
 *	or before this sequence number, or its page is in the resync set
 * @__reserved: must be 0
 *
 * When the call returns, each store that a vCPU made to an observed page of the
 * session before the call has its record, WRITE with the bytes or GUARD with
 * the action CHANGED, or its page is in the resync set. This holds also if the
 * vCPU has left KVM_RUN since. If KVM is emulating a store when FENCE is
 * called, the call waits for it, for some milliseconds at most. If the store is
 * not finished by then, the caller's session alone gets a record CHANGED, which
 * means that the page may or may not have changed; if KVM makes the store
 * later, another record follows.
 *
 * Two kinds of stores have no record before their vCPU enters the guest again:
 * sgdt and sidt that exit without a fault (on Intel processors without UMIP, where
 * the guest has CR4.UMIP set), and a store of a vCPU whose guest page tables were
 * paged out when it faulted.
 */
struct kvm_wtrack_fence {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_seq;
	__aligned_u64 __reserved[2];
};

/* The guest cannot write it. */
#define KVM_WTRACK_REGION_F_READONLY	(1U << 0)
/* KVM logs dirty pages of it, for the VMM. */
#define KVM_WTRACK_REGION_F_DIRTY_LOG	(1U << 1)
/* It may have pages that are private to the guest (guest_memfd). */
#define KVM_WTRACK_REGION_F_PRIVATE	(1U << 2)
/* KVM made it for itself. */
#define KVM_WTRACK_REGION_F_KVM		(1U << 3)

/**
 * struct kvm_wtrack_region - consecutive pages of one memslot
 * @gfn: first guest page frame number
 * @nr_pages: how many
 * @flags: KVM_WTRACK_REGION_F_*
 * @__reserved: 0
 */
struct kvm_wtrack_region {
	__aligned_u64 gfn;
	__aligned_u64 nr_pages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct kvm_wtrack_regions - what memory the guest has (KVM_WTRACK_REGIONS)
 * @size: sizeof(struct kvm_wtrack_regions)
 * @flags: must be 0
 * @regions: pointer to struct kvm_wtrack_region[], filled in ascending order
 * @nr_regions: room in it, not 0; more than out_max_ranges are never filled in
 * @out_nr_regions: how many were filled in; may be 0 before the end
 * @gfn: where to start
 * @out_next_gfn: the gfn to continue at; ~0 when there is nothing more
 * @out_generation: changes whenever a memslot does
 * @__reserved: must be 0
 *
 * The memslots of the VMM, and those that KVM made for itself. What is outside
 * of the session's restriction is left out; a memslot of which the session may
 * have parts comes as several regions. Memory that the guest has in SMM alone
 * is not shown.
 *
 * Two calls that give the same @out_generation have seen the same regions. One
 * that gives another one has seen a change: of a memslot anywhere, also outside
 * of the restriction. STATUS has the generation as well. ESRCH, EINTR.
 */
struct kvm_wtrack_regions {
	__u32 size;
	__u32 flags;
	__aligned_u64 regions;
	__u32 nr_regions;
	__u32 out_nr_regions;
	__aligned_u64 gfn;
	__aligned_u64 out_next_gfn;
	__aligned_u64 out_generation;
	__aligned_u64 __reserved[2];
};

/* Only what is in memory now: wait for nothing, and fetch nothing. */
#define KVM_WTRACK_READ_F_NOFAULT	(1U << 0)

/**
 * struct kvm_wtrack_read - read the guest's memory (KVM_WTRACK_READ)
 * @size: sizeof(struct kvm_wtrack_read)
 * @flags: KVM_WTRACK_READ_F_*
 * @gpa: guest physical address of the first byte
 * @len: how many bytes, not 0
 * @buffer: pointer to where they go
 * @out_done: how many were read
 * @out_seq: what was read contains every store of a record up to this sequence
 *	number; 0 in a session without a ring
 * @out_generation: of the memory regions when the call began, see REGIONS
 * @out_error: the errno of the page of @gpa + @out_done, positive, or 0
 * @__reserved0: must be 0
 * @__reserved: must be 0
 *
 * Needs no ring, and the pages need not be tracked. The session may read what it
 * may add: gfns within its restriction. Read-only memory and KVM's own can be
 * read as well.
 *
 * Returns 0 when bytes were read up to @len, or to a page that cannot be read,
 * which @out_error tells; look at @out_done. A call reads out_max_read_bytes at
 * most: it ends there, with @out_error 0. A session that has read more in a
 * second than out_read_bytes_per_s waits. Per page: ENOENT, EPERM, EOPNOTSUPP,
 * ENXIO, EHWPOISON, ENOMEM, EBUSY, and with READ_F_NOFAULT EAGAIN. Of the call:
 * EFAULT, EINTR, ENOMEM, ESRCH, and EPERM without RIGHT_MEMORY; @out_done tells how
 * many bytes were read before.
 *
 * Each page was the guest's, by the memslots that it had, from when the module
 * looked for it until its bytes were copied. They are not of one moment, and a
 * store that is being made may be there in part.
 *
 * The VMM's memory is read as the VMM itself would read it. What was paged out
 * is fetched; the VMM provides what it provides on demand (userfaultfd, a file
 * of its own file system), and the call waits for that, until a signal comes:
 * before 6.3, only one that kills. Anonymous memory that was never written
 * reads as zeros and is not allocated; with shared memory (memfd, hugetlb) the
 * page is made, and paid for by the VMM, as if the guest had read it. What the
 * VMM has mapped from a device is not read, because that may change the state
 * of the device.
 *
 * A store is in memory before there is a record of it. So the bytes that READ
 * returned contain each store whose record has a number up to @out_seq, even if the
 * session has not looked at that record yet. For a store that they do not contain,
 * the session gets a record with a higher number, or the resync set or a GUARD
 * record names its page. A record with a higher number may be of a store that they
 * contain. READ publishes no records and waits for no stores: to learn which
 * stores have been made, call FENCE.
 *
 * A coalescing session cannot rely on the number: the module may merge a later
 * store into a record that was published, but not released, before the call. Such
 * a session releases its records before it calls READ, and reads the page again
 * for each record of it that it takes afterwards, whatever the number.
 */
struct kvm_wtrack_read {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 len;
	__aligned_u64 buffer;
	__aligned_u64 out_done;
	__aligned_u64 out_seq;
	__aligned_u64 out_generation;
	__u32 out_error;
	__u32 __reserved0;
	__aligned_u64 __reserved[2];
};

/* Wake no vCPU: only look. */
#define KVM_WTRACK_RELEASE_F_LOOK	(1U << 0)

/**
 * struct kvm_wtrack_release - wake vCPUs that wait, and look (KVM_WTRACK_RELEASE)
 * @size: sizeof(struct kvm_wtrack_release)
 * @flags: KVM_WTRACK_RELEASE_F_*
 * @out_waiters: vCPUs that wait for a record which is not released
 * @out_signalled: those of @out_waiters in whose thread a signal is pending
 * @__reserved: must be 0
 *
 * The vCPUs whose records are released continue: see "Synchronous sessions". In
 * other sessions no vCPU waits, and the call does nothing.
 */
struct kvm_wtrack_release {
	__u32 size;
	__u32 flags;
	__u32 out_waiters;
	__u32 out_signalled;
	__aligned_u64 __reserved[2];
};

/*
 * The ring
 * --------
 * mmap(2) the descriptor, opened for reading and writing, MAP_SHARED, at the
 * offsets and with the lengths that RING tells; STATUS tells them as well:
 *
 *	offset			length			protection
 *	out_consumer_offset	out_consumer_bytes	read, write
 *	out_records_offset	out_records_bytes	read
 *
 * The offsets are 64 bits wide and may be anything, also behind 4 GiB.
 *
 * A record has out_record_bytes, which is 64, the size of struct
 * kvm_wtrack_record. It will never be another size unless the caller of RING has
 * asked for that by a flag that a later module knows. How the record may grow
 * without it: by new types, flags, actions and causes, and by fields in the union
 * of types that are new. A longer record, if there is one ever, will begin with
 * these 64 bytes.
 *
 * Record number n, counted from 0, is at records[n % nr_records], and is
 * there as soon as a load-acquire of its seq gives n + 1. There is no other
 * producer index. The reader sets consumer->pos to the number of records that it
 * has released; from then on the module may use their places again. One reader
 * at a time.
 *
 * The reader sets the position by an atomic exchange, in C
 *
 *	__atomic_exchange_n(&consumer->pos, pos, __ATOMIC_SEQ_CST);
 *
 * which is a full barrier. A store is not enough, not even a store-release:
 * the processor may read the pages that the reader looks at next before the
 * module sees the new position. In a coalescing session the module may then
 * merge a write that came in between into a record that the reader is already
 * done with, and the reader misses the write.
 *
 * read(2) copies whole records, as many as fit, and releases them.
 * poll(2) reports EPOLLIN when records are there (as many as the watermark
 * wants or older than the latency), EPOLLHUP when the VM is gone or the session
 * was ended.
 *
 * What the order of records means: all records of a session have one order,
 * without gaps. A record is published before the vCPU that made the store
 * executes its next instruction. It may stand behind a place that another vCPU
 * has reserved and not published yet, and in a coalescing session another vCPU
 * may be about to publish the record that stands for it: a reader that traps a
 * doorbell of one of several vCPUs calls KVM_WTRACK_FENCE, then reads up to
 * out_seq, and has seen every earlier store of that vCPU. Stores of two vCPUs
 * that race for the same bytes may be recorded in the other order than memory
 * saw them.
 *
 * The guard
 * ---------
 * KVM emulates each store to a tracked page, and cannot emulate all there are.
 * A store that it cannot, a page walk or the delivery of an event that hits a
 * tracked page would hang the guest, kill or corrupt it. The guard sees such a
 * store before KVM handles it and disarms the page: the guest runs on at full
 * speed, unobserved. A little later the page is armed again. A record of type
 * GUARD reports each step, to all sessions that track the page:
 *
 *	DISARMED	stores to this page are not seen from here on: no record
 *			of it follows before REARMED, or before a RESYNC record.
 *			To learn its contents before that, read the memory
 *	REARMED		they are seen again: release, then re-read the page
 *	STOPPED		instead of DISARMED in a session with RING_F_STOP: the
 *			page is not tracked by it any more, as if it had been
 *			removed in that moment. No record of it follows until
 *			the session adds it again
 *	CHANGED		KVM made a store to this page without reporting what it
 *			stored, as for 32-bit fxsave, sgdt and sidt: release,
 *			then re-read the page. The record is published before
 *			the vCPU executes its next instruction, and before a
 *			FENCE that is called after the store returns; if the
 *			vCPU leaves KVM_RUN first, a little later, whether it
 *			comes back or not. A FENCE that could not wait for a
 *			store has its own session get CHANGED, too: then the
 *			page may have changed
 *
 * What a reader knows is so exact for all stores that fault; of some it only
 * learns that the page changed. The time between DISARMED and REARMED begins
 * with out_backoff_min_ms and doubles up to out_backoff_max_ms for a page that
 * is disarmed again soon. Adding a page that is disarmed arms it at once. A
 * full ring has the same said by the resync set.
 *
 * Memory that comes and goes
 * --------------------------
 * A VMM removes memory from its guest and brings it back; QEMU does so many times
 * while SeaBIOS maps what is below 1 MiB. In an ordinary session the tracking of the
 * pages ends with their memory. In a session with RING_F_STICKY the pages become
 * absent instead: the session tracks them, and they count among its pages, but there
 * is no memory that KVM could protect. REGION_REMOVED tells of it; its nr_tracked
 * counts the pages that were not absent before. If the ring is full, the resync set
 * has the pages with RESYNC_ABSENT.
 *
 * When there is memory again, which may be other memory, the module arms the pages.
 * A record GUARD with the action REARMED and CAUSE_MEMORY tells of each of them:
 * release it, then re-read the page. It comes some milliseconds after the memory. A
 * store in between has no record, and is in what the reader then reads. A page whose
 * region the guest cannot store to as ordinary memory (read-only, guest_memfd, KVM's
 * own) stays absent. So does a page whose memory goes again before it was armed, and
 * no record tells of such memory.
 *
 * ADD takes a gfn without such memory, and the page is absent from the start, which
 * QUERY_GFN and out_absent of STATUS tell. ADD and REARM of an absent page arm it at
 * once if there is memory, and the record tells of it; if there is none they succeed
 * and the page stays absent. A page that was stored to in a session with RING_F_ONCE
 * is armed with new memory as well. Limits, REMOVE and the end of the session treat
 * an absent page like any other. Ordinary sessions that track the same page lose it
 * with the memory.
 *
 * First touch
 * -----------
 * A session with RING_F_ONCE learns that a page was stored to, and by which
 * vCPU and instruction, but nothing of later stores. The record of the first
 * store to a page since the session has added it, or armed it again by REARM,
 * has the flag F_ONCE: from there on the page is not observed by this session,
 * and when no other session observes it either, KVM does not protect it any
 * more and the guest's stores run at full speed. The record is, with the same
 * flag,
 *
 *	WRITE		of what was stored; a store in parts has it in all of them
 *	GUARD, CHANGED	KVM made the store without telling what
 *	GUARD, DISARMED	the guard lets the store pass unseen: it is made behind
 *			the record, or may be (a page walk need not store). No
 *			record REARMED follows
 *
 * and if the ring is full, the page is in the resync set as DISARMED. In a session
 * that has RING_F_STOP as well, STOPPED comes instead of DISARMED, without the
 * flag, and the page is not tracked any more. CHANGED without the flag comes from
 * a FENCE that could not wait: the page may have been stored to, and is observed.
 *
 * The session arms the page again when it likes: by REARM, then it reads the
 * page. Nothing else does so. What was stored in between is in what it reads,
 * what comes later is a record. If another vCPU was about to have the first
 * store recorded when REARM was called, that record comes behind, also with
 * F_ONCE: then the page may be observed, and another REARM does no harm. Other
 * sessions that track the page are not affected: they get a record of each
 * store, and a page that is disarmed for them is armed again.
 *
 * Tearing
 * -------
 * A store that KVM emulates is not always one store to others. KVM copies the
 * bytes with the kernel's function for it: 2 and 4 bytes one by one, and 8 bytes
 * as one on processors without FSRM, and on others as the processor likes. A
 * vCPU, a vhost thread, a device or a VMM that reads at the same moment may find
 * a part of the old value and a part of the new one. Locked instructions are not
 * concerned: KVM makes them with one of the host's, and the guard disarms the
 * page of one that KVM would make without the lock.
 *
 * Guests have structures in memory that rely on stores of one piece without a
 * lock, the indices of virtio's rings (16 bits) and the doorbells and phase bits
 * of other queues among them. A page with such a structure that others read
 * while the guest writes is not safe in an ordinary session, budget or not: the
 * first store in each period is emulated, too. KVM_WTRACK_RING_F_NATIVE is for
 * these pages.
 *
 * Synchronous sessions
 * --------------------
 * A vCPU that has stored to a page of a session with KVM_WTRACK_RING_F_SYNC
 * waits behind the store until the reader has released the record, the last one
 * if there are several, or for sync_us at most. The reader sets the position,
 * which is a full barrier, then looks at consumer->waiters, and if that is not
 * 0 it calls KVM_WTRACK_RELEASE; read(2) does so by itself. Meanwhile
 * everything else continues: the other vCPUs, and the calls of this interface.
 * A page that is removed, or added again, in the meantime changes nothing for
 * the vCPU that waits.
 *
 * The module sets consumer->waiters, in such sessions alone, and does not read it.
 *
 * What a vCPU does not wait for:
 *
 *	a reader	that has let a vCPU wait for all of sync_us is late. Its
 *	that is late	vCPUs continue, and records have F_ASYNC, until it is in
 *			step: it has released all of them when the next store is
 *			made. So a reader that is stopped costs the guest sync_us
 *			once. out_sync_timeouts counts
 *	several things	A vCPU waits for all synchronous sessions at the same
 *			time, is counted in the waiters of each, and waits no
 *			longer than out_max_sync_us in all before it enters the
 *			guest again. KVM may make many stores in a
 *			row: those of a string instruction, and two of one that
 *			crosses pages. It waits behind each, until that time is
 *			over. What has F_ASYNC then, or was waited for when it
 *			was over, counts for a reader that is late
 *	other records	Only a WRITE, and a RESYNC that stands for it, are waited
 *			for. The others are made where KVM cannot wait: GUARD
 *			tells of a store to come, or of one that KVM has made
 *			silently
 *
 * Together with RING_F_ONCE the reader looks at a page right behind the first
 * store to it: READ, and the memory, have the bytes that were stored there, not
 * those of before, and nothing that this vCPU stores later. A reader that needs
 * the previous bytes reads the page when it is armed. The page is not observed
 * while the vCPU waits, as it never is behind a record with F_ONCE: what other
 * vCPUs store to it then has no record, and they do not wait, unless the
 * session calls REARM, which it may do before the release.
 *
 * A process that hands a session to another one can forbid it: RESTRICT, with
 * max_sync_us or without RIGHT_SYNC. A VM has 8 synchronous sessions at most:
 * EUSERS.
 *
 * When the session is closed or ended, when the VM is gone, and when the thread
 * of the vCPU is killed, the vCPU continues at once. A reader that died costs
 * sync_us once, as long as another process has the session open.
 *
 * A thread that changes the VM's memory slots waits for a vCPU that waits, as
 * for one that has a page fault, and so does a thread that asks KVM for that
 * vCPU's registers. If that is the thread that should release the record, it
 * continues when sync_us is over.
 *
 * A vCPU that waits takes no signals, but leaves KVM_RUN for one before its next
 * instruction. So a debugger stops a VMM exactly behind a store: it leaves the
 * record unreleased, sends SIGSTOP to the VMM, calls KVM_WTRACK_RELEASE with
 * RELEASE_F_LOOK until out_signalled is out_waiters (the VMM's threads tell each
 * other), and releases. All of that within sync_us. A string instruction is stopped
 * after up to 1,024 elements.
 */
/**
 * struct kvm_wtrack_consumer - the page that the reader writes
 * @pos: records released since the start
 * @__reserved0: not used
 * @waiters: vCPUs that wait for the reader, in synchronous sessions; written by
 *	the module alone, and in a cache line of its own
 * @__reserved1: not used
 */
struct kvm_wtrack_consumer {
	__aligned_u64 pos;
	__u32 __reserved0[14];
	__u32 waiters;
	__u32 __reserved1;
};

/* A vCPU wrote to a tracked page. */
#define KVM_WTRACK_RECORD_WRITE			1
/* The ring was full and is closed: see KVM_WTRACK_RESYNC. */
#define KVM_WTRACK_RECORD_RESYNC		2
/*
 * Memory was removed from the guest, and with it the tracking of its pages, unless
 * the session has RING_F_STICKY.
 */
#define KVM_WTRACK_RECORD_REGION_REMOVED	3
/* The VM is gone. Nothing follows. */
#define KVM_WTRACK_RECORD_VM_GONE		4
/* Stores to a tracked page are not seen one by one: see "The guard". */
#define KVM_WTRACK_RECORD_GUARD			5
/* An administrator has ended the session. Nothing follows. */
#define KVM_WTRACK_RECORD_ENDED			6

/* The next record continues the same store. */
#define KVM_WTRACK_RECORD_F_MORE	(1U << 0)
/*
 * Release the record, then re-read the page: there is more than the record tells.
 * A WRITE record has this flag in a coalescing session; and in any session when
 * the store was under way while the page was armed, so that memory may already
 * hold something newer; and with F_NO_DATA.
 */
#define KVM_WTRACK_RECORD_F_PAGE	(1U << 1)
/* vcpu is the vCPU that made the store. */
#define KVM_WTRACK_RECORD_F_VCPU	(1U << 2)
/* rip is the guest's instruction pointer; never without RIGHT_RIP. */
#define KVM_WTRACK_RECORD_F_RIP		(1U << 3)
/*
 * The guest is a hypervisor, and a guest of its own made the store: rip is that of
 * the nested guest, gpa is an address of the guest. Records of the guard have the
 * flag as well, except CHANGED.
 */
#define KVM_WTRACK_RECORD_F_L2		(1U << 4)
/*
 * The vCPU was in system management mode. Records of the guard have the flag as
 * well, except CHANGED.
 */
#define KVM_WTRACK_RECORD_F_SMM		(1U << 5)
/* The page is not observed from here on, until the session arms it again. */
#define KVM_WTRACK_RECORD_F_ONCE	(1U << 6)
/* In a synchronous session: the vCPU does not wait until this is released. */
#define KVM_WTRACK_RECORD_F_ASYNC	(1U << 7)

/*
 * The session has not RIGHT_DATA: len is 0, total is the length of the store, which
 * is one record however long it is. Comes with F_PAGE.
 */
#define KVM_WTRACK_RECORD_F_NO_DATA	(1U << 8)

/* What the guard did; REARMED and CHANGED come with F_PAGE. */
#define KVM_WTRACK_GUARD_DISARMED	1U
#define KVM_WTRACK_GUARD_REARMED	2U
#define KVM_WTRACK_GUARD_STOPPED	3U
#define KVM_WTRACK_GUARD_CHANGED	4U

/* Why: nothing to tell (REARMED) */
#define KVM_WTRACK_CAUSE_NONE		0U
/* a store that KVM cannot emulate */
#define KVM_WTRACK_CAUSE_UNEMULATED	1U
/* the processor stored by itself: the page is part of page tables it walked */
#define KVM_WTRACK_CAUSE_PAGE_WALK	2U
/* an interrupt or exception was to be delivered */
#define KVM_WTRACK_CAUSE_EVENT		3U
/* more stores than the budgets of all sessions allow */
#define KVM_WTRACK_CAUSE_BUDGET		4U
/* a store of a guest of this guest, which KVM gets no second try at */
#define KVM_WTRACK_CAUSE_NESTED		5U
/* KVM emulated it without a notification (CHANGED) */
#define KVM_WTRACK_CAUSE_UNREPORTED	6U
/* many vCPUs were created since the last ADD, and this one is not known yet */
#define KVM_WTRACK_CAUSE_NEW_VCPU	7U
/* KVM would have read the instruction's operand from this page, wrongly */
#define KVM_WTRACK_CAUSE_OPERAND	8U
/* a locked store that crosses pages, which KVM would make without the lock */
#define KVM_WTRACK_CAUSE_SPLIT_LOCK	9U
/* any store, because a session with RING_F_NATIVE tracks the page */
#define KVM_WTRACK_CAUSE_NATIVE		10U
/* the guest found a hole here before there was memory, and KVM now maps it */
#define KVM_WTRACK_CAUSE_HOLE		11U
/* there is memory where there was none (REARMED, with RING_F_STICKY) */
#define KVM_WTRACK_CAUSE_MEMORY		12U

#define KVM_WTRACK_DATA_BYTES	24

/**
 * struct kvm_wtrack_record - one cache line of the ring
 * @seq: sequence number, from 1, no gaps; publishes the record
 * @type: KVM_WTRACK_RECORD_*; skip what you do not know
 * @len: WRITE: bytes of data in this record
 * @flags: KVM_WTRACK_RECORD_F_*
 * @vcpu: the vCPU's id as the VMM gave it to KVM_CREATE_VCPU, which on x86 is
 *	its APIC id; valid with F_VCPU
 * @total: WRITE: bytes of the whole store, more than @len if it has parts
 * @gpa: WRITE: guest physical address of data[0]; REGION_REMOVED: of the
 *	region's first page; GUARD: in the page, where the store was to go if
 *	that is known
 * @time_ns: CLOCK_MONOTONIC
 * @rip: guest instruction pointer (rip as it is, without the base of the code
 *	segment), valid with F_RIP
 * @data: WRITE: what was stored, @len bytes; what is behind them means nothing
 * @region: REGION_REMOVED
 * @region.nr_pages: pages in the removed region
 * @region.nr_tracked: pages of them that this session tracked
 * @guard: GUARD
 * @guard.action: KVM_WTRACK_GUARD_*
 * @guard.cause: KVM_WTRACK_CAUSE_*. Do not skip a record because of an action or a
 *	cause that you do not know
 *
 * A record never crosses a page. A store that does comes as two.
 */
struct kvm_wtrack_record {
	__aligned_u64 seq;
	__u8 type;
	__u8 len;
	__u16 flags;
	__u16 vcpu;
	__u16 total;
	__aligned_u64 gpa;
	__aligned_u64 time_ns;
	__aligned_u64 rip;
	union {
		__u8 data[KVM_WTRACK_DATA_BYTES];
		struct {
			__aligned_u64 nr_pages;
			__aligned_u64 nr_tracked;
		} region;
		struct {
			__u32 action;
			__u32 cause;
		} guard;
	};
};

#endif /* _UAPI_LINUX_KVM_WTRACK_H */
