/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints, one for each thing that can happen to a guest's store. */
#ifndef __KERNEL__
/* For the unit tests. */
#define trace_kvm_wtrack_match(...)	((void)0)
#define trace_kvm_wtrack_match_enabled()	false
#define trace_kvm_wtrack_ring_enabled()	false
#define trace_kvm_wtrack_ring(...)	((void)0)
#define trace_kvm_wtrack_resync(...)	((void)0)
#define trace_kvm_wtrack_guard(...)	((void)0)
#define trace_kvm_wtrack_rearm(...)	((void)0)
#else

#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm_wtrack

#if !defined(KWT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KWT_TRACE_H

#include <linux/tracepoint.h>

/* A store to a gfn that some session of this VM tracks. */
TRACE_EVENT(kvm_wtrack_match,
	TP_PROTO(u64 gpa, u32 len),
	TP_ARGS(gpa, len),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->len = len;
	),
	TP_printk("gpa 0x%llx len %u", __entry->gpa, __entry->len)
);

/*
 * A record was published in a session's ring: for a long store, the last one.
 */
TRACE_EVENT(kvm_wtrack_ring,
	TP_PROTO(u64 session, u64 seq, u64 gpa, u32 len),
	TP_ARGS(session, seq, gpa, len),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, seq)
		__field(u64, gpa)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->seq = seq;
		__entry->gpa = gpa;
		__entry->len = len;
	),
	TP_printk("session %llu seq %llu gpa 0x%llx len %u", __entry->session,
		  __entry->seq, __entry->gpa, __entry->len)
);

/* There was no room: the gfn went into a session's resync set. */
TRACE_EVENT(kvm_wtrack_resync,
	TP_PROTO(u64 session, u64 gfn),
	TP_ARGS(session, gfn),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, gfn)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->gfn = gfn;
	),
	TP_printk("session %llu gfn 0x%llx", __entry->session, __entry->gfn)
);

/*
 * The guard disarmed a gfn, or KVM made a store to it without a notification.
 */
TRACE_EVENT(kvm_wtrack_guard,
	TP_PROTO(u64 vm, u64 gfn, u32 cause, u32 vcpu, u64 rip),
	TP_ARGS(vm, gfn, cause, vcpu, rip),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, gfn)
		__field(u64, rip)
		__field(u32, cause)
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->gfn = gfn;
		__entry->rip = rip;
		__entry->cause = cause;
		__entry->vcpu = vcpu;
	),
	TP_printk("vm %llu gfn 0x%llx cause %u vcpu %u rip 0x%llx", __entry->vm,
		  __entry->gfn, __entry->cause, __entry->vcpu, __entry->rip)
);

/* A gfn that the guard had disarmed is armed again. */
TRACE_EVENT(kvm_wtrack_rearm,
	TP_PROTO(u64 vm, u64 gfn),
	TP_ARGS(vm, gfn),
	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, gfn)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->gfn = gfn;
	),
	TP_printk("vm %llu gfn 0x%llx", __entry->vm, __entry->gfn)
);

#endif /* KWT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

#endif /* __KERNEL__ */
