// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state and counters of a session: for STATUS, netlink and
 * /proc/PID/fdinfo.
 */
#include <linux/math64.h>
#include <linux/pid.h>
#include <linux/seq_file.h>

#include "kwt.h"

static u32 state_bits(struct kwt_session *session, const struct kwt_vm *vm)
{
	u32 state = 0;

	if (vm)
		state |= KVM_WTRACK_STATE_ATTACHED;
	if (READ_ONCE(session->restricted))
		state |= KVM_WTRACK_STATE_RESTRICTED;
	if (READ_ONCE(session->ring.gone))
		state |= KVM_WTRACK_STATE_VM_GONE;
	if (READ_ONCE(session->ended))
		state |= KVM_WTRACK_STATE_ENDED;
	if (!kwt_ring_made(session))
		return state;
	state |= KVM_WTRACK_STATE_RING;
	if (session->ring.coalesce)
		state |= KVM_WTRACK_STATE_COALESCE;
	if (kwt_ring_closed(&session->ring) || READ_ONCE(session->resync_left))
		state |= KVM_WTRACK_STATE_RESYNC;
	return state;
}

static void ring_status(struct kwt_session *session,
			struct kvm_wtrack_status *status)
{
	struct kwt_ring *ring = &session->ring;
	int unread;
	u64 pos;

	unread = kwt_ring_unread(ring, &pos);
	status->out_records = ring->mask + 1;
	/* If the reader's pos makes no sense, nothing counts as read. */
	status->out_unread = unread < 0 ? ring->mask + 1 : unread;
	status->out_events = kwt_ring_head(ring);
	status->out_merged = atomic64_read(&ring->merged);
	status->out_overflows = atomic64_read(&ring->overflows);
	status->out_resync_writes = atomic64_read(&ring->resync_writes);
	status->out_regions_removed = atomic64_read(&ring->regions);
	status->out_wakeups = atomic64_read(&session->wakeups);
	status->out_disarms = atomic64_read(&ring->disarms);
	status->out_over_budget = atomic64_read(&ring->over_budget);
	status->out_rearms = atomic64_read(&ring->rearms);
	status->out_unreported = atomic64_read(&ring->unreported);
	status->out_sync_waits = atomic64_read(&ring->sync.waits);
	status->out_sync_timeouts = atomic64_read(&ring->sync.timeouts);
	status->out_sync_us = div_u64(READ_ONCE(ring->sync.ns), NSEC_PER_USEC);
}

static void map_status(const struct kwt_session *session,
		       struct kvm_wtrack_status *status)
{
	status->out_ring_flags = session->ring.flags;
	status->out_record_bytes = sizeof(struct kvm_wtrack_record);
	status->out_consumer_offset = KWT_CONSUMER_OFFSET;
	status->out_consumer_bytes = PAGE_SIZE;
	status->out_records_offset = KWT_RECORDS_OFFSET;
	status->out_records_bytes = kwt_ring_records_bytes(session);
	/* TUNE may be changing them. */
	status->out_watermark = READ_ONCE(session->watermark);
	status->out_latency_us = div_u64(READ_ONCE(session->latency_ns),
					 NSEC_PER_USEC);
	status->out_budget = READ_ONCE(session->ring.budget);
	status->out_period_ms = div_u64(READ_ONCE(session->ring.period_ns),
					NSEC_PER_MSEC);
}

static u64 vm_generation(struct kvm *kvm)
{
	int idx = srcu_read_lock(&kvm->srcu);
	u64 generation = kwt_slots_generation(kvm);

	srcu_read_unlock(&kvm->srcu, idx);
	return generation;
}

/* The caller holds vm->lock, or the session has no VM. */
void kwt_status_locked(struct kwt_session *session, struct kwt_vm *vm,
		       struct kvm_wtrack_status *status)
{
	const struct kwt_limits *limits = &session->limits;

	status->out_max_pages = READ_ONCE(kwt_max_pages);
	if (limits->max_pages && limits->max_pages < status->out_max_pages)
		status->out_max_pages = limits->max_pages;
	status->out_rights = limits->rights;
	status->out_state = state_bits(session, vm);
	if (kwt_ring_made(session)) {
		ring_status(session, status);
		map_status(session, status);
	}
	status->out_session_id = READ_ONCE(session->id);
	status->out_memory_bytes = sizeof(*session) + session->set.bytes +
		(size_t)session->nr_pages * (PAGE_SIZE + sizeof(void *)) +
		limits->nr_ranges * sizeof(*limits->ranges);
	if (!vm)
		return;
	status->out_vm_id = vm->id;
	if (!vm->gone) {
		status->out_vm_pid = pid_vnr(vm->pid);
		status->out_pages = kwt_set_pages(&session->set);
		status->out_generation = vm_generation(vm->kvm);
		status->out_absent = session->set.absent;
	}
	if (limits->rights & KVM_WTRACK_RIGHT_OTHERS)
		status->out_vm_memory_bytes = sizeof(*vm) + vm->space.bytes;
}

void kwt_status(struct kwt_session *session, struct kvm_wtrack_status *status)
{
	struct kwt_vm *vm = kwt_session_vm(session);

	if (vm)
		mutex_lock(&vm->lock);
	kwt_status_locked(session, vm, status);
	if (vm)
		mutex_unlock(&vm->lock);
}

void kwt_fdinfo(struct seq_file *m, struct kwt_session *session)
{
	struct kvm_wtrack_status status = {};

	kwt_status(session, &status);
	seq_printf(m, "wtrack-session:\t%llu\n", session->id);
	seq_printf(m, "wtrack-state:\t0x%x\n", status.out_state);
	seq_printf(m, "wtrack-vm:\t%llu\n", status.out_vm_id);
	seq_printf(m, "wtrack-vm-pid:\t%d\n", status.out_vm_pid);
	seq_printf(m, "wtrack-pages:\t%llu\n", status.out_pages);
	seq_printf(m, "wtrack-max-pages:\t%llu\n", status.out_max_pages);
	seq_printf(m, "wtrack-records:\t%u\n", status.out_records);
	seq_printf(m, "wtrack-unread:\t%u\n", status.out_unread);
	seq_printf(m, "wtrack-events:\t%llu\n", status.out_events);
	seq_printf(m, "wtrack-merged:\t%llu\n", status.out_merged);
	seq_printf(m, "wtrack-overflows:\t%llu\n", status.out_overflows);
	seq_printf(m, "wtrack-resync-writes:\t%llu\n",
		   status.out_resync_writes);
	seq_printf(m, "wtrack-regions-removed:\t%llu\n",
		   status.out_regions_removed);
	seq_printf(m, "wtrack-wakeups:\t%llu\n", status.out_wakeups);
	seq_printf(m, "wtrack-disarms:\t%llu\n", status.out_disarms);
	seq_printf(m, "wtrack-over-budget:\t%llu\n", status.out_over_budget);
	seq_printf(m, "wtrack-rearms:\t%llu\n", status.out_rearms);
	seq_printf(m, "wtrack-unreported:\t%llu\n", status.out_unreported);
	seq_printf(m, "wtrack-sync-waits:\t%llu\n", status.out_sync_waits);
	seq_printf(m, "wtrack-sync-timeouts:\t%llu\n",
		   status.out_sync_timeouts);
	seq_printf(m, "wtrack-memory-bytes:\t%llu\n", status.out_memory_bytes);
}
