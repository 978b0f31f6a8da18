/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Find the vCPU that stores. From 6.6 on KVM does not pass it to the write
 * hook, but the hook runs in the vCPU's thread, which holds that vCPU's mutex
 * while it runs the vCPU: the vCPU whose mutex this thread owns is the answer.
 * The guard's probe has noted on this CPU which vCPU to look at first.
 */
#ifndef KWT_VCPU_H
#define KWT_VCPU_H

#include <linux/kvm_host.h>
#include <linux/percpu.h>

#include "compat/rip.h"
#include "sync.h"
#include "track.h"

/*
 * Not a valid gfn: stands for any gfn, when no thread will find out which it
 * is.
 */
#define KWT_ANY_GFN		(U64_MAX - 1)

enum { KWT_WALK_OVER, KWT_WALK_AHEAD, KWT_WALK_BEGUN };

/* The state of a fault: was the store that KVM made for it published? */
enum {
	KWT_UNTOLD,
	KWT_TOLD,	/* or there is nothing to publish */
	KWT_TELLING,	/* a thread is publishing it, with preemption disabled */
};

/* Number of pages that a store without a notification may reach. */
#define KWT_STORE_PAGES	2

/**
 * struct kwt_vcpu - a vCPU, and the store that it is making
 * @vcpu: NULL until the vCPU is first seen, then constant
 * @address: of its last fault that counts, as the hardware reported it: of a
 *	write, or on an entry that KVM has for a hole
 * @gfn: the page that this fault is on; KWT_NO_GFN while it is not known,
 *	KWT_ANY_GFN if it will not be found
 * @mask: the bits of @address that the notification of that store has as well:
 *	all except the offset in the page, or none if @address is virtual
 * @page: if @address is virtual: its physical address, and one in the next page
 *	if the store may reach that; otherwise INVALID_GPA
 * @rip: of that fault
 * @serial: number of that fault
 * @era: the space's era at that fault
 * @arming_nr: the space's arming_nr at that fault, or at a later entry of the
 *	guest: stores that KVM makes now came after this arming
 * @cause: why KVM could not handle that fault without harm, while @walk is not
 *	KWT_WALK_OVER
 * @repeats: how often the same fault was repeated without a notification
 * @walk: state of KVM's look-up of @gfn in guest page tables, see walk.c
 * @told: KWT_TOLD when there was a notification of the store, or there will be
 *	none; pending.c changes it in another thread
 * @writes: stores to tracked pages that KVM has notified of, each counted once,
 *	however many sessions got a record; the write hook counts, netlink reads
 * @waiting: KVM has not entered the guest since that fault, and the vCPU does
 *	not wait for a reader after its store
 * @met: a probe has seen the vCPU
 * @waited_ns: time waited in synchronous sessions since the last exit
 * @waited_exits: the vCPU's count of exits then
 * @waits: what the vCPU waits for, used within the write hook only; NULL until
 *	the VM has a synchronous session, then set once, under (L) and with
 *	release. It is not on the stack, because some kernels clear the stack
 *	for each call
 *
 * Only the vCPU's thread writes these fields, in the guard's probes and the
 * write hook, except for @told. kwt_arm() reads @waiting, @era and @gfn. The hook
 * writes @told for each store, so @writes is in the same cache line.
 */
struct kwt_vcpu {
	struct kvm_vcpu *vcpu;
	u64 address;
	u64 gfn;
	u64 mask;
	u64 rip;
	u64 era;
	u64 arming_nr;
	u32 cause;
	u32 repeats;
	u32 serial;
	u32 told;
	u64 writes;
	u8 walk;
	bool waiting;
	bool met;
	u64 page[KWT_STORE_PAGES];
	u64 waited_ns;
	u64 waited_exits;
	struct kwt_sync_waits *waits;
} ____cacheline_aligned_in_smp;

/**
 * struct kwt_vcpus - the vCPUs of a VM, by index
 * @rcu: to free it, not what it points to
 * @nr: number of places, more than the VM had vCPUs when they were made
 * @vcpu: they live until the VM is given up
 */
struct kwt_vcpus {
	struct rcu_head rcu;
	u32 nr;
	struct kwt_vcpu *vcpu[];
};

/**
 * struct kwt_here - the last vCPU that faulted on a CPU
 * @id: of its VM, so that a vCPU of a VM that is gone is not used
 * @vcpu: the vCPU
 */
struct kwt_here {
	u64 id;
	struct kwt_vcpu *vcpu;
};

DECLARE_PER_CPU(struct kwt_here, kwt_here);

bool kwt_vcpus_store_to(const struct kwt_space *space, u64 gfn, u64 era);
u64 kwt_vcpus_writes(const struct kwt_space *space);
struct kwt_vcpu *kwt_vcpu_search(const struct kwt_space *space);
void kwt_vcpu_meet(struct kwt_space *space, struct kwt_vcpu *state,
		   struct kvm_vcpu *vcpu);
int kwt_vcpus_update(struct kwt_space *space, struct kvm *kvm);
int kwt_vcpus_synchronous(struct kwt_space *space, struct kvm *kvm);
bool kwt_vcpus_known(struct kwt_space *space, struct kvm *kvm);
void kwt_vcpus_free(struct kwt_space *space);
unsigned long kwt_grace_begin(struct kwt_space *space);
bool kwt_grace_is_over(struct kwt_space *space);

/* Does this thread run the vCPU? The low bits of a mutex's owner are flags. */
static __always_inline bool kwt_vcpu_is_mine(const struct kwt_vcpu *vcpu)
{
	return (atomic_long_read(&vcpu->vcpu->mutex.owner) & ~7L) ==
	       (long)current;
}

/* The vCPU that this thread runs, if it is the last one that faulted here. */
static __always_inline struct kwt_vcpu *
kwt_vcpu_here(const struct kwt_space *space)
{
	struct kwt_vcpu *vcpu;

	if (unlikely(this_cpu_read(kwt_here.id) != space->id))
		return NULL;
	vcpu = this_cpu_read(kwt_here.vcpu);
	return likely(kwt_vcpu_is_mine(vcpu)) ? vcpu : NULL;
}

static inline void kwt_vcpu_set_here(const struct kwt_space *space,
				     struct kwt_vcpu *vcpu)
{
	this_cpu_write(kwt_here.id, space->id);
	this_cpu_write(kwt_here.vcpu, vcpu);
}

/*
 * Returns the place of a vCPU, or NULL when there is none yet. Runs in the
 * vCPU's thread with preemption disabled.
 */
static inline struct kwt_vcpu *kwt_vcpu_of(struct kwt_space *space,
					   struct kvm_vcpu *vcpu)
{
	const struct kwt_vcpus *vcpus = rcu_dereference_sched(space->vcpus);
	struct kwt_vcpu *state;

	if (!vcpus || vcpu->vcpu_idx >= vcpus->nr)
		return NULL;
	state = vcpus->vcpu[vcpu->vcpu_idx];
	if (unlikely(!state->met))
		kwt_vcpu_meet(space, state, vcpu);
	return state;
}

/*
 * KVM begins to handle a fault. @gfn may be KWT_NO_GFN: a probe that finds the
 * gfn later sets it, and then looks whether it is tracked.
 */
static __always_inline void kwt_vcpu_fault(const struct kwt_space *space,
					   struct kwt_vcpu *vcpu, u64 address,
					   u64 gfn, u64 rip)
{
	if (unlikely(!vcpu->told && vcpu->rip == rip &&
		     vcpu->address == address))
		vcpu->repeats++;
	else
		vcpu->repeats = 0;
	vcpu->address = address;
	WRITE_ONCE(vcpu->gfn, gfn);
	vcpu->mask = gfn == KWT_NO_GFN ? 0 : ~(KWT_PAGE_SIZE - 1);
	WRITE_ONCE(vcpu->era, READ_ONCE(space->era));
	vcpu->arming_nr = READ_ONCE(space->arming_nr);
	vcpu->rip = rip;
	vcpu->walk = KWT_WALK_OVER;
	WRITE_ONCE(vcpu->serial, vcpu->serial + 1);
	WRITE_ONCE(vcpu->told, KWT_UNTOLD);
	/* Pairs with the acquire in kwt_vcpus_store_to(). */
	smp_store_release(&vcpu->waiting, true);
}

/*
 * Note a notification. An instruction may store to two pages with a
 * notification for one of them only, so it counts only for the page that
 * faulted.
 */
static __always_inline void kwt_vcpu_tell(struct kwt_vcpu *vcpu, u64 gpa)
{
	if (likely(!((gpa ^ vcpu->address) & vcpu->mask)))
		WRITE_ONCE(vcpu->told, KWT_TOLD);
}

/*
 * Count a store for its VM. No other thread writes the counter, which the compiler
 * increments in place, by one instruction.
 */
static __always_inline void kwt_vcpu_count(struct kwt_vcpu *vcpu)
{
	data_race(vcpu->writes++);
}

/*
 * Position of the field flags in the word of a record that begins with its
 * type.
 */
#define KWT_RECORD_FLAGS_SHIFT	16
/* Position of the field vcpu in that word. */
#define KWT_RECORD_VCPU_SHIFT	32

/*
 * Find the pages that the store may be in; some may be INVALID_GPA. Returns how
 * many.
 */
static inline u32 kwt_vcpu_pages(const struct kwt_vcpu *vcpu, u64 *gpa)
{
	u32 i;

	if (vcpu->mask) {
		gpa[0] = READ_ONCE(vcpu->address);
		return 1;
	}
	for (i = 0; i < KWT_STORE_PAGES; i++)
		gpa[i] = READ_ONCE(vcpu->page[i]);
	return KWT_STORE_PAGES;
}

#ifdef HF_SMM_MASK
#define KWT_HF_MODES	(HF_GUEST_MASK | HF_SMM_MASK)
#else
#define KWT_HF_MODES	HF_GUEST_MASK
#endif

/*
 * Returns what is known of the mode in which a vCPU stores, as flags of a
 * record. For most stores there are none, which takes one look.
 */
static __always_inline u32 kwt_vcpu_mode(const struct kvm_vcpu *vcpu)
{
	u32 hflags = vcpu->arch.hflags, mode = 0;

	if (likely(!(hflags & KWT_HF_MODES)))
		return 0;
	if (hflags & HF_GUEST_MASK)
		mode |= KVM_WTRACK_RECORD_F_L2;
	if (hflags & KWT_HF_MODES & ~HF_GUEST_MASK)
		mode |= KVM_WTRACK_RECORD_F_SMM;
	return mode;
}

/*
 * Returns the fields flags and vcpu of a record, at their positions in the word
 * that begins with its type. KVM has read the instruction pointer before it
 * emulates.
 */
static __always_inline u64 kwt_vcpu_bits(const struct kwt_vcpu *vcpu)
{
	const u64 flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP;
	u64 bits = flags << KWT_RECORD_FLAGS_SHIFT |
		   (u64)vcpu->vcpu->vcpu_id << KWT_RECORD_VCPU_SHIFT;
	u32 mode = kwt_vcpu_mode(vcpu->vcpu);

	if (unlikely(mode))
		bits |= (u64)mode << KWT_RECORD_FLAGS_SHIFT;
	return bits;
}

static __always_inline u64 kwt_vcpu_rip(const struct kwt_vcpu *vcpu)
{
	return kwt_rip(vcpu->vcpu);
}

#endif /* KWT_VCPU_H */
