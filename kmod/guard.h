/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard: its probes, its decisions, and their effects. */
#ifndef KWT_GUARD_H
#define KWT_GUARD_H

#include "track.h"

struct kvm_vcpu;
struct kwt_vcpu;
struct kwt_vm;

/*
 * chunk->guard[]: the state of a gfn that was disarmed; times in ticks
 *
 *	15..12	level: the next back-off is the shortest one, doubled so often
 *	11	WAITS: disarmed, and bits 9..0 say until when
 *	10	BUDGET: disarmed for the period of a budget
 *	9..0	disarmed: when to arm it; armed: when it was armed last
 */
#define KWT_GUARD_LEVEL_SHIFT	12
#define KWT_GUARD_WAITS		(1U << 11)
#define KWT_GUARD_BUDGET	(1U << 10)
#define KWT_GUARD_TICKS		(1U << 10)
#define KWT_GUARD_TICK_MASK	(KWT_GUARD_TICKS - 1)

/* Two times that are compared differ by less than half of KWT_GUARD_TICKS. */
#define KWT_GUARD_TICK_MS	8U
#define KWT_GUARD_MAX_MS	(KWT_GUARD_TICK_MS * KWT_GUARD_TICKS / 2 - \
				 2 * KWT_GUARD_TICK_MS)

/* probe.c */
int kwt_probe_add(struct kwt_vm *vm);
void kwt_probe_remove(struct kwt_vm *vm);
int kwt_probe_walks(struct kwt_vm *vm);
void kwt_probe_exit(void);

/* walk.c; the caller of the first six holds the lock of probe.c */
int kwt_hole_start(void);
void kwt_hole_stop(void);
int kwt_walk_start(void);
void kwt_walk_stop(void);
void kwt_walk_add(struct kwt_vm *vm);
void kwt_walk_remove(struct kwt_vm *vm);
bool kwt_walk_is_watched(void);
bool kwt_walk_is_needed(const struct kwt_vm *vm);
void kwt_hole_disarm_mapped(struct kwt_vm *vm);
int kwt_kvm_tp_find(void);

/* guard.c */
void kwt_guard_rescue(struct kwt_space *space, struct kvm_vcpu *vcpu,
		      struct kwt_vcpu *state, u64 gpa, u32 cause);
void kwt_guard_locate(struct kwt_space *space, struct kvm_vcpu *vcpu,
		      struct kwt_vcpu *state, u64 gpa, u32 cause);
bool kwt_guard_is_tracked(const struct kwt_space *space, u64 gpa);
bool kwt_guard_is_native(const struct kwt_space *space, u64 gpa);
void kwt_guard_untold(struct kwt_space *space, struct kvm_vcpu *vcpu);
void kwt_guard_unreported(struct kwt_space *space,
			  const struct kwt_vcpu *state);
void kwt_guard_maybe_changed(struct kwt_span *span,
			     const struct kwt_vcpu *state, u64 gpa);

/* tell.c */
void kwt_tell_changed(struct kwt_span *span, u32 bit,
		      const struct kvm_wtrack_record *record);
void kwt_guard_changed(struct kwt_chunk *chunk,
		       const struct kvm_wtrack_record *record);
bool kwt_arm_tell(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit,
		  const struct kwt_span *caller);

/* rearm.c */
void kwt_rearm_init(struct kwt_vm *vm);
void kwt_rearm_exit(struct kwt_vm *vm);

/* arm.c: have the worker of rearm.c do something */
void kwt_rearm_soon(struct kwt_space *space,
		    const struct kvm_wtrack_record *record);
void kwt_absent_look_soon(struct kwt_vm *vm);
void kwt_absent_notice(struct kwt_vm *vm);

/* arm.c; the caller holds the space's arm_lock */
void kwt_untrack(struct kwt_space *space, u64 gfn);

/* arm.c; the caller holds the VM's lock */
int kwt_due_wait(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit);
void kwt_disarm_removed(struct kwt_space *space, struct kwt_chunk *chunk,
			const unsigned long *gone);

#endif /* KWT_GUARD_H */
