/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs and sessions. track.h has what they track and how records travel.
 *
 * Lock order, outermost first:
 *
 *	session->lock		set-up of a session: attach, restrict, ring
 *	vm->attach_lock		registration with KVM; never taken by a hook
 *	probe_lock		the probes, see probe.c; never taken with
 *				vm->lock held, because registering one takes the
 *				CPU hotplug lock
 *	kwt_vms_lock		the list of VMs; only list operations under it
 *	[kvm->slots_lock]	KVM holds it when it calls the removal hook
 *	vm->lock		all that is tracked on the VM, marked (L)
 *	waiting_lock		the sessions that wait for a VM; no lock nests
 *				inside
 *	vm->mm_lock		uses of the VMM's mm; a spinlock, taken without
 *				others
 *	space->arm_lock		KVM's counts and what says which gfns are armed,
 *				marked (A); a spinlock, also taken by the guard
 *				in vCPU threads
 *	[kvm->srcu, mmu_lock]	taken by KVM to arm and disarm a gfn
 *
 * Unregistering waits for hooks that may wait for vm->lock: it runs under
 * attach_lock, and no caller holds vm->lock across it.
 */
#ifndef KWT_H
#define KWT_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat/hrtimer.h"
#include "compat/page_track.h"
#include "track.h"

#include <linux/kvm_wtrack_genl.h>

struct kwt_session;

/* KVM maps up to eight pages for one fault: room for four faults. */
#define KWT_MAX_MAPPED	32

/**
 * struct kwt_vm - a VM with at least one session
 * @node: what KVM calls
 * @space: what is tracked
 * @kvm: this module holds a reference until the VM is found gone
 * @id: never used again
 * @refs: sessions and attachments under way; the last reference is dropped
 *	under kwt_vms_lock
 * @in_vms: in the list of VMs; kwt_vms_lock
 * @stale: the address in @kvm may be another VM's by now; kwt_vms_lock
 * @attach_lock: protects @started, @starting and @start_error
 * @started: registered with KVM
 * @starting: @start was queued and is not done; read without the lock
 * @start_error: result of the last @start
 * @start: registers the VM for a caller that attaches from another process
 * @start_wait: callers that wait until @start is done
 * @gone: @kvm is not used any more; attach_lock and (L) to set
 * @deserted: @gone only because all its sessions were ended; locks as for @gone
 * @held: this module holds @kvm and @vendor; attach_lock
 * @mm_lock: protects @mm_uses
 * @mm_uses: how many of the uses of the VMM's mm are READ's
 * @lock: (L)
 * @sessions: (L)
 * @nr_sessions: sessions in @sessions whose end is not finished; (L)
 * @nr_syncs: those of @nr_sessions with a synchronous ring; (L)
 * @vendor: kvm_amd or kvm_intel, pinned until the VM is released
 * @exit: in the wait queue of the VMM's pidfds
 * @watch: checks whether the VM is gone, then whether it can be released
 * @in_probe: in the table of the guard's probes; see probe.c
 * @in_walk: in the table of the probes that get no vCPU from KVM; see walk.c
 * @probed: it is in these tables, and so @kvm is valid; lock of probe.c
 * @mapped_lock: inside of KVM's mmu_lock; protects @nr_mapped and @mapped
 * @nr_mapped: gfns in @mapped; a number above KWT_MAX_MAPPED stands for all
 *	armed gfns
 * @mapped: armed gfns that KVM has mapped writable in spite of that; see walk.c
 * @indirect: there was a fault whose gfn KVM has to look up in guest page
 *	tables
 * @rearm: arms gfns that the guard has disarmed
 * @rearm_soon: @rearm was queued and has not begun
 * @disarms: how often the guard disarmed a gfn
 * @noticed: value of @disarms last sent by netlink; written by @rearm only
 * @last_gpa: of the newest disarming
 * @last_cause: of the newest disarming
 * @pid: the VMM, or NULL
 */
struct kwt_vm {
	struct kvm_page_track_notifier_node node;
	struct kwt_space space;
	struct kvm *kvm;
	u64 id;
	refcount_t refs;
	struct list_head in_vms;
	bool stale;
	struct mutex attach_lock;
	bool started;
	bool starting;
	int start_error;
	struct work_struct start;
	wait_queue_head_t start_wait;
	bool gone;
	bool deserted;
	bool held;
	spinlock_t mm_lock;
	int mm_uses;
	struct mutex lock;
	struct list_head sessions;
	u32 nr_sessions;
	u32 nr_syncs;
	struct module *vendor;
	wait_queue_entry_t exit;
	struct delayed_work watch;
	struct hlist_node in_probe;
	struct hlist_node in_walk;
	spinlock_t mapped_lock;
	u32 nr_mapped;
	u64 mapped[KWT_MAX_MAPPED];
	bool probed;
	bool indirect;
	struct delayed_work rearm;
	bool rearm_soon;
	atomic64_t disarms;
	u64 noticed;
	u64 last_gpa;
	u32 last_cause;
	struct pid *pid;
};

/**
 * struct kwt_limits - what all RESTRICTs of a session allow in common
 * @rights: KVM_WTRACK_RIGHT_*
 * @max_pages: 0 for no limit
 * @max_records: 0 for no limit
 * @max_budget: 0 for no limit
 * @min_period_ms: of a budget, with @max_budget
 * @max_sync_us: U32_MAX for no limit
 * @nr_ranges: of @ranges
 * @ranges: the only gfns that may be tracked, sorted, with gaps between them;
 *	NULL for no limit
 */
struct kwt_limits {
	u64 rights;
	u64 max_pages;
	u32 max_records;
	u32 max_budget;
	u32 min_period_ms;
	u32 max_sync_us;
	u32 nr_ranges;
	struct kvm_wtrack_range *ranges;
};

/**
 * struct kwt_session - one open file
 * @vm: set once by ATTACH, with release; NULL before
 * @set: what it tracks
 * @ring: its records; ring.records is NULL before RING, set with release
 * @id: given by the first RESTRICT or ATTACH, never used again, ascending in
 *	vm->sessions; @lock to set
 * @vm_id: of @vm, for notices
 * @vm_pid: of @vm, for notices
 * @refs: held by the file, an administrator's call that ends the session, and
 *	vCPUs that wait
 * @ended: an administrator has ended it, and it tracks nothing any more; (L) to
 *	set, or waiting_lock while it is in the list of waiting sessions
 * @opener: the process that opened the file
 * @opener_uid: the user of @opener at that time
 * @in_vm: in vm->sessions; (L)
 * @in_waiting: in the list of sessions that were restricted and have no VM yet;
 *	waiting_lock
 * @lock: protects the set-up: attach, ring, restrict
 * @restricted: RESTRICT was called; @lock
 * @limits: what it may do; @lock to set, and (L) once it is attached. A reader
 *	holds one of them
 * @restricting: RESTRICT checks what is tracked, so nothing may be added; (L)
 * @pages: of the ring, consumer page first
 * @nr_pages: how many
 * @payer: memory cgroup of the process that made the ring, charged for what a
 *	worker allocates for this session; (L) to set, then constant
 * @memory: kernel mapping of @pages
 * @resync_left: RESYNC has not fetched all of the set yet; (L)
 * @read_due: when READ may read again, see memory.c
 * @read_lock: one read(2) at a time
 * @waitq: sleeping readers
 * @watermark: number of unread records that wakes a reader; @lock to set
 * @latency_ns: age of a record that wakes a reader; @lock to set
 * @timer: for the latency
 * @wake_work: wakes from a write hook
 * @wakeups: how often readers were woken
 * @free: frees the session after a grace period
 * @notice_work: sends the notice of an overflow
 */
struct kwt_session {
	struct kwt_vm *vm;
	struct kwt_set set;
	struct kwt_ring ring;
	u64 id;
	u64 vm_id;
	struct pid *vm_pid;
	refcount_t refs;
	bool ended;
	struct pid *opener;
	kuid_t opener_uid;
	struct list_head in_vm;
	struct list_head in_waiting;

	struct mutex lock;
	bool restricted;
	struct kwt_limits limits;
	bool restricting;

	struct page **pages;
	u32 nr_pages;
	struct mem_cgroup *payer;
	void *memory;
	bool resync_left;

	atomic64_t read_due;
	struct mutex read_lock;
	wait_queue_head_t waitq;
	u32 watermark;
	u64 latency_ns;
	struct hrtimer timer;
	struct irq_work wake_work;
	atomic64_t wakeups;

	struct rcu_work free;
	struct work_struct notice_work;
};

/* main.c */
extern struct workqueue_struct *kwt_wq;
extern unsigned int kwt_max_sessions;
extern unsigned int kwt_max_users;
extern unsigned int kwt_max_records;
extern unsigned int kwt_max_pages;
extern unsigned int kwt_poll_ms;
extern unsigned int kwt_guard_min_ms;
extern unsigned int kwt_guard_max_ms;
extern unsigned int kwt_read_mib_per_s;

#define KWT_MIN_RECORDS		64
#define KWT_MAX_RECORDS		(1U << 20)
#define KWT_MAX_RANGES		4096
#define KWT_MAX_LATENCY_US	1000000
#define KWT_MAX_BUDGET		U16_MAX
#define KWT_MAX_PERIOD_MS	4000
#define KWT_MAX_READ_BYTES	(1U << 20)
#define KWT_RIGHTS							\
	(KVM_WTRACK_RIGHT_MEMORY | KVM_WTRACK_RIGHT_DATA |		\
	 KVM_WTRACK_RIGHT_RIP | KVM_WTRACK_RIGHT_OTHERS |		\
	 KVM_WTRACK_RIGHT_CHANGE | KVM_WTRACK_RIGHT_SYNC)

/*
 * Offsets for mmap(2), which RING returns. They are far apart, so that both
 * areas may grow.
 */
#define KWT_CONSUMER_OFFSET	0ULL
#define KWT_RECORDS_OFFSET	(1ULL << 32)

/* source.c */
int kwt_source_register(struct kwt_vm *vm);
void kwt_source_unregister(struct kwt_vm *vm);

/* vm.c */
struct kwt_vm *kwt_vm_next(u64 id);
void kwt_vm_put(struct kwt_vm *vm);
void kwt_session_number(struct kwt_session *session);
int kwt_vm_join(struct kwt_session *session, struct file *file);
void kwt_vm_leave(struct kwt_session *session);
bool kwt_file_is_vm(struct file *file);

/* session.c */
struct kwt_session *kwt_session_create(void);
void kwt_session_destroy(struct kwt_session *session);
int kwt_session_attach(struct kwt_session *session, int vm_fd);
void kwt_session_wait(struct kwt_session *session);
int kwt_session_end(u64 id);
int kwt_session_each_waiting(u64 *id,
			     int (*fn)(struct kwt_session *session, void *arg),
			     void *arg);

/* pending.c */
void kwt_pending_tell(struct kwt_space *space);
void kwt_pending_look(struct kwt_vm *vm);
void kwt_pending_settle(struct kwt_session *session);

/* restrict.c */
int kwt_restrict(struct kwt_session *session,
		 const struct kvm_wtrack_restrict *arg);
int kwt_restrict_check(struct kwt_session *session, u64 gfn);

/* limits.c, under session->lock or the VM's */
u64 kwt_restrict_next(const struct kwt_session *session, u64 gfn, u64 end);
u64 kwt_restrict_end(const struct kwt_session *session, u64 gfn, u64 end);
bool kwt_restrict_allows(const struct kwt_session *session, u64 gfn);
void kwt_limits_init(struct kwt_limits *limits);
void kwt_limits_exit(struct kwt_limits *limits);
int kwt_limits_load(struct kwt_limits *limits,
		    const struct kvm_wtrack_restrict *arg);
int kwt_limits_narrow(struct kwt_limits *limits, const struct kwt_limits *old,
		      const struct kvm_wtrack_restrict *arg);
bool kwt_limits_allow(const struct kwt_limits *limits,
		      const struct kvm_wtrack_range *range);

/* memory.c */
bool kwt_mm_is_gone(struct kwt_vm *vm);

/* range.c */
enum kwt_range_op { KWT_RANGE_ADD, KWT_RANGE_REARM, KWT_RANGE_REMOVE };
int kwt_range_change(struct kwt_session *session,
		     struct kvm_wtrack_change *change, enum kwt_range_op op,
		     u32 flags);
void kwt_range_drop(struct kwt_session *session);
void kwt_range_untrack(struct kwt_session *session);
int kwt_range_query(struct kwt_session *session, u64 *gfn,
		    struct kvm_wtrack_range *ranges, u32 room, u32 *used);
int kwt_range_resync(struct kwt_session *session,
		     struct kvm_wtrack_resync_range *ranges, u32 room,
		     u32 *used, bool *more);
void kwt_range_resync_undo(struct kwt_session *session,
			   const struct kvm_wtrack_resync_range *ranges,
			   u32 used);
void kwt_range_removed(struct kwt_vm *vm, u64 gfn, u64 nr_pages);

/* ring_map.c */
int kwt_ring_make(struct kwt_session *session,
		  const struct kvm_wtrack_ring *arg);
void kwt_ring_unmake(struct kwt_session *session);
int kwt_ring_mmap(struct kwt_session *session, struct vm_area_struct *vma);
u64 kwt_ring_records_bytes(const struct kwt_session *session);
int kwt_ring_check(struct kwt_session *session);

/* tune.c */
int kwt_wakeup_check(u32 records, u32 watermark, u32 latency_us);
int kwt_budget_check(u32 budget, u32 period_ms);
int kwt_budget_allowed(const struct kwt_limits *limits, u32 budget,
		       u32 period_ms);
void kwt_budget_set(struct kwt_session *session, u32 budget, u32 period_ms);
int kwt_sync_check(u32 sync_us);
int kwt_sync_allowed(const struct kwt_limits *limits, u32 sync_us);
void kwt_sync_set(struct kwt_session *session, u32 sync_us);
int kwt_tune(struct kwt_session *session, const struct kvm_wtrack_tune *arg);

/* wake.c */
void kwt_wake_init(struct kwt_session *session);
void kwt_wake_exit(struct kwt_session *session);
bool kwt_wake_arm(struct kwt_session *session);
void kwt_wake_tune(struct kwt_session *session, u32 watermark, u64 latency_ns);

/* ioctl.c */
ssize_t kwt_read(struct kwt_session *session, char __user *buf, size_t count,
		 bool nonblock);
long kwt_ioctl(struct kwt_session *session, unsigned int cmd,
	       void __user *arg);

/* status.c */
void kwt_status_locked(struct kwt_session *session, struct kwt_vm *vm,
		       struct kvm_wtrack_status *status);
void kwt_status(struct kwt_session *session, struct kvm_wtrack_status *status);
void kwt_fdinfo(struct seq_file *m, struct kwt_session *session);

/* netlink_dump.c */
int kwt_netlink_register(void);
void kwt_netlink_unregister(void);

/* netlink.c */
void kwt_notice_init(struct kwt_session *session);
void kwt_notice_session(struct kwt_session *session, u8 event);
void kwt_notice_guard(struct kwt_vm *vm);
void kwt_notice_region(struct kwt_session *session, u64 gfn, u64 nr_pages,
		       u64 nr_tracked);

/* Checked in kernels that are built with lockdep. */
#define KWT_ASSERT(cond)						\
	do {								\
		if (IS_ENABLED(CONFIG_PROVE_LOCKING))			\
			WARN_ON_ONCE(!(cond));				\
	} while (0)

static inline u64 kwt_read_bytes_per_s(void)
{
	return (u64)READ_ONCE(kwt_read_mib_per_s) << 20;
}

/*
 * The VM of an attached session, otherwise NULL. It stays until the session is
 * closed.
 */
static inline struct kwt_vm *kwt_session_vm(struct kwt_session *session)
{
	/* Pairs with the release in vm_add_session(). */
	return smp_load_acquire(&session->vm);
}

/* A ring that was made stays until the session is freed. */
static inline bool kwt_ring_made(struct kwt_session *session)
{
	/* Pairs with the release in ring_publish(). */
	return smp_load_acquire(&session->ring.records);
}

/* Returns -ESHUTDOWN for a session that was ended. */
static inline int kwt_session_check(const struct kwt_session *session)
{
	return READ_ONCE(session->ended) ? -ESHUTDOWN : 0;
}

static inline void kwt_session_put(struct kwt_session *session)
{
	if (refcount_dec_and_test(&session->refs))
		queue_rcu_work(kwt_wq, &session->free);
}

/*
 * The guest turned out to be confidential when one of its vCPUs was about to
 * run. From here on the guard disarms what its vCPUs fault on, and nothing is
 * armed any more; @watch does the rest. May run in a probe: must not sleep.
 */
static inline void kwt_vm_forbid(struct kwt_vm *vm)
{
	WRITE_ONCE(vm->space.forbidden, true);
	mod_delayed_work(kwt_wq, &vm->watch, 0);
}

/* Have @watch check the VM now. The caller has a reference. */
static inline void kwt_vm_look(struct kwt_vm *vm)
{
	mod_delayed_work(kwt_wq, &vm->watch, 0);
}

/*
 * Is it a range of gfns that a guest may have? It is not empty and does not
 * wrap.
 */
static inline bool kwt_gfns_valid(u64 gfn, u64 nr_pages)
{
	const u64 limit = 1ULL << (KWT_GPA_BITS - KWT_PAGE_SHIFT);

	return nr_pages && gfn < limit && nr_pages <= limit - gfn;
}

#endif /* KWT_H */
