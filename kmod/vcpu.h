/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vCPU is it that stores? KVM does not tell the write hook from 6.6 on,
 * but the hook runs in the vCPU's thread, which holds that vCPU's mutex for as
 * long as it runs it: the owner of the mutex is the answer. Where to look
 * first, the guard's probe has left on this CPU when the store faulted.
 */
#ifndef KWT_VCPU_H
#define KWT_VCPU_H

#include <linux/kvm_host.h>
#include <linux/percpu.h>

#include "compat/rip.h"
#include "sync.h"
#include "track.h"

/* No gfn: it has more bits than there are, and stands for each of them. */
#define KWT_ANY_GFN		(U64_MAX - 1)

enum { KWT_WALK_OVER, KWT_WALK_AHEAD, KWT_WALK_BEGUN };

/* Of a fault: whether anybody was told of what KVM stored for it. */
enum {
	KWT_UNTOLD,
	KWT_TOLD,	/* or there was nothing to tell */
	KWT_TELLING,	/* with preemption disabled */
};

/* Pages that a store may reach which KVM makes without telling. */
#define KWT_STORE_PAGES	2

/**
 * struct kwt_vcpu - a vCPU, and the store that it is making
 * @vcpu: NULL before it is first met, constant then
 * @address: of its last fault that counts, as KVM was told it: of a write, or
 *	on an entry that KVM has for a hole
 * @gfn: the page that this fault is on; KWT_NO_GFN while nobody knows,
 *	KWT_ANY_GFN if nobody will find out
 * @mask: the bits of @address that a notification of that store has, too: all
 *	but the offset in the page, or none if @address is virtual
 * @page: if @address is virtual: the physical ones of it, and of the page next to
 *	it if the store may reach that, or INVALID_GPA
 * @rip: of that fault
 * @serial: its number
 * @era: the space's at that time
 * @arming_nr: likewise, or when the guest was entered: stores that KVM makes now
 *	came after this arming
 * @cause: why KVM would not get out of that fault, while @walk is not over
 * @repeats: how often the same fault came again without a notification
 * @walk: KVM has to find @gfn in page tables of the guest's, see walk.c
 * @told: KWT_TOLD when there was a notification of it, or it takes none; whoever
 *	tells in the thread's place, see pending.c, changes it as well
 * @waiting: KVM has not entered the guest since, nor made the store and told
 *	of it to somebody who keeps it waiting
 * @met: a probe has seen it
 * @waited_ns: in synchronous sessions, since it exited for the last time
 * @waited_exits: how often it had exited then
 * @waits: what it waits for, within the write hook alone; NULL until the VM has a
 *	synchronous session, set once, under (L) and with release. It is not on the
 *	stack, which some kernels clear for each call
 *
 * Written by the vCPU's thread alone, but for @told: the guard's probes and the
 * write hook run in it. Whoever arms a gfn looks at @waiting, @era and @gfn.
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
 * @nr: how many, more than the VM had when they were made
 * @vcpu: they live until the VM is given up
 */
struct kwt_vcpus {
	struct rcu_head rcu;
	u32 nr;
	struct kwt_vcpu *vcpu[];
};

/**
 * struct kwt_here - the last vCPU that faulted on a CPU
 * @id: of its VM, so that nothing of a VM that is gone is looked at
 * @vcpu: the vCPU
 */
struct kwt_here {
	u64 id;
	struct kwt_vcpu *vcpu;
};

DECLARE_PER_CPU(struct kwt_here, kwt_here);

bool kwt_vcpus_store_to(const struct kwt_space *space, u64 gfn, u64 era);
struct kwt_vcpu *kwt_vcpu_search(const struct kwt_space *space);
void kwt_vcpu_meet(struct kwt_space *space, struct kwt_vcpu *state,
		   struct kvm_vcpu *vcpu);
int kwt_vcpus_update(struct kwt_space *space, struct kvm *kvm);
int kwt_vcpus_synchronous(struct kwt_space *space, struct kvm *kvm);
bool kwt_vcpus_known(struct kwt_space *space, struct kvm *kvm);
void kwt_vcpus_free(struct kwt_space *space);
unsigned long kwt_grace_begin(struct kwt_space *space);
bool kwt_grace_is_over(struct kwt_space *space);

/* The low bits of a mutex' owner are flags. */
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

/* In its thread, under RCU. NULL when there is no place for it yet. */
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
 * KVM begins to handle a fault. @gfn may be KWT_NO_GFN: whoever finds it out sets
 * it, and then looks whether it is tracked.
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
 * An instruction may store to two pages, and KVM tell of one of them only: it
 * has to be the one that faulted.
 */
static __always_inline void kwt_vcpu_tell(struct kwt_vcpu *vcpu, u64 gpa)
{
	if (likely(!((gpa ^ vcpu->address) & vcpu->mask)))
		WRITE_ONCE(vcpu->told, KWT_TOLD);
}

/* Of the field flags, in the word of a record that begins with its type. */
#define KWT_RECORD_FLAGS_SHIFT	16
/* Of the field vcpu. */
#define KWT_RECORD_VCPU_SHIFT	32

/* The pages that the store may be in; some may be INVALID_GPA. */
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
 * What is known of the mode that a vCPU stores in, as flags of a record. Of most
 * stores it is none, which a write hook finds out by one look.
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
 * The fields flags and vcpu of a record, where they are in the word that begins
 * with its type. KVM has read the instruction pointer before it emulates.
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
