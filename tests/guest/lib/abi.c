// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "tap.h"

#define FIELD(call, field) {						\
	offsetof(struct kvm_wtrack_##call, field),			\
	sizeof(((struct kvm_wtrack_##call *)0)->field) }

#define CALL(call_, CALL_, state_, ...) {				\
	.name = #CALL_, .cmd = KVM_WTRACK_##CALL_,			\
	.bytes = sizeof(struct kvm_wtrack_##call_), .state = state_,	\
	__VA_ARGS__ }

#define ARRAY(call, field, nr_field)					\
	.array = offsetof(struct kvm_wtrack_##call, field),		\
	.array_nr = offsetof(struct kvm_wtrack_##call, nr_field)

const struct abi_call abi_calls[] = {
	CALL(info, INFO, ABI_FRESH, .has_out = true,
	     .reserved = { FIELD(info, __reserved) },
	     .out = { FIELD(info, out_features), FIELD(info, out_max_pages),
		      FIELD(info, out_min_records),
		      FIELD(info, out_max_records),
		      FIELD(info, out_max_sessions),
		      FIELD(info, out_max_users), FIELD(info, out_max_ranges),
		      FIELD(info, out_max_latency_us),
		      FIELD(info, out_record_bytes),
		      FIELD(info, out_data_bytes),
		      FIELD(info, out_max_budget),
		      FIELD(info, out_max_period_ms),
		      FIELD(info, out_backoff_min_ms),
		      FIELD(info, out_backoff_max_ms),
		      FIELD(info, out_max_read_bytes),
		      FIELD(info, out_read_bytes_per_s) }),
	CALL(attach, ATTACH, ABI_FRESH, .has_out = true,
	     .reserved = { FIELD(attach, __reserved0),
			   FIELD(attach, __reserved) },
	     .out = { FIELD(attach, out_vm_id), FIELD(attach, out_session_id) }),
	CALL(status, STATUS, ABI_READY, .has_out = true,
	     .reserved = { FIELD(status, __reserved) },
	     .out = { FIELD(status, out_state), FIELD(status, out_vm_pid),
		      FIELD(status, out_vm_id), FIELD(status, out_session_id),
		      FIELD(status, out_records), FIELD(status, out_unread),
		      FIELD(status, out_pages), FIELD(status, out_max_pages),
		      FIELD(status, out_events), FIELD(status, out_merged),
		      FIELD(status, out_overflows),
		      FIELD(status, out_resync_writes),
		      FIELD(status, out_regions_removed),
		      FIELD(status, out_wakeups),
		      FIELD(status, out_memory_bytes),
		      FIELD(status, out_vm_memory_bytes),
		      FIELD(status, out_disarms),
		      FIELD(status, out_over_budget),
		      FIELD(status, out_rearms),
		      FIELD(status, out_unreported),
		      FIELD(status, out_ring_flags),
		      FIELD(status, out_record_bytes),
		      FIELD(status, out_consumer_offset),
		      FIELD(status, out_consumer_bytes),
		      FIELD(status, out_records_offset),
		      FIELD(status, out_records_bytes),
		      FIELD(status, out_rights),
		      FIELD(status, out_generation),
		      FIELD(status, out_watermark),
		      FIELD(status, out_latency_us),
		      FIELD(status, out_budget),
		      FIELD(status, out_period_ms),
		      FIELD(status, out_absent) }),
	CALL(restrict, RESTRICT, ABI_READY,
	     ARRAY(restrict, ranges, nr_ranges),
	     .reserved = { FIELD(restrict, __reserved0),
			   FIELD(restrict, __reserved) }),
	CALL(ring, RING, ABI_ATTACHED, .has_out = true,
	     .known_flags = KVM_WTRACK_RING_F_COALESCE |
			    KVM_WTRACK_RING_F_STOP |
			    KVM_WTRACK_RING_F_NATIVE |
			    KVM_WTRACK_RING_F_STICKY | KVM_WTRACK_RING_F_ONCE |
			    KVM_WTRACK_RING_F_SYNC,
	     .reserved = { FIELD(ring, __reserved0),
			   FIELD(ring, __reserved) },
	     .out = { FIELD(ring, out_record_bytes),
		      FIELD(ring, out_consumer_offset),
		      FIELD(ring, out_consumer_bytes),
		      FIELD(ring, out_records_offset),
		      FIELD(ring, out_records_bytes) }),
	CALL(tune, TUNE, ABI_READY,
	     .known_flags = KVM_WTRACK_TUNE_F_WAKEUP |
			    KVM_WTRACK_TUNE_F_BUDGET | KVM_WTRACK_TUNE_F_SYNC,
	     .reserved = { FIELD(tune, __reserved0), FIELD(tune, __reserved) }),
	CALL(add, ADD, ABI_READY, .has_out = true,
	     .known_flags = KVM_WTRACK_ADD_F_NOWAIT |
			    KVM_WTRACK_ADD_F_SKIP_HOLES,
	     ARRAY(add, changes, nr_changes),
	     .reserved = { FIELD(add, __reserved) },
	     .out = { FIELD(add, out_nr_changes),
		      FIELD(add, out_failed_pages) }),
	CALL(rearm, REARM, ABI_READY, .has_out = true,
	     .known_flags = KVM_WTRACK_REARM_F_NOWAIT,
	     ARRAY(rearm, changes, nr_changes),
	     .reserved = { FIELD(rearm, __reserved) },
	     .out = { FIELD(rearm, out_nr_changes),
		      FIELD(rearm, out_failed_pages) }),
	CALL(remove, REMOVE, ABI_READY, .has_out = true,
	     .known_flags = KVM_WTRACK_REMOVE_F_FENCE,
	     ARRAY(remove, changes, nr_changes),
	     .reserved = { FIELD(remove, __reserved) },
	     .out = { FIELD(remove, out_nr_changes),
		      FIELD(remove, out_failed_pages) }),
	CALL(query, QUERY, ABI_READY, .has_out = true,
	     ARRAY(query, ranges, nr_ranges),
	     .reserved = { FIELD(query, __reserved) },
	     .out = { FIELD(query, out_nr_ranges),
		      FIELD(query, out_next_gfn) }),
	CALL(query_gfn, QUERY_GFN, ABI_READY, .has_out = true,
	     .reserved = { FIELD(query_gfn, __reserved) },
	     .out = { FIELD(query_gfn, out_users),
		      FIELD(query_gfn, out_state) }),
	CALL(resync, RESYNC, ABI_READY, .has_out = true,
	     ARRAY(resync, ranges, nr_ranges),
	     .reserved = { FIELD(resync, __reserved0),
			   FIELD(resync, __reserved) },
	     .out = { FIELD(resync, out_nr_ranges), FIELD(resync, out_more) }),
	CALL(fence, FENCE, ABI_READY, .has_out = true,
	     .reserved = { FIELD(fence, __reserved) },
	     .out = { FIELD(fence, out_seq) }),
	CALL(regions, REGIONS, ABI_ATTACHED, .has_out = true,
	     ARRAY(regions, regions, nr_regions),
	     .reserved = { FIELD(regions, __reserved) },
	     .out = { FIELD(regions, out_nr_regions),
		      FIELD(regions, out_next_gfn),
		      FIELD(regions, out_generation) }),
	CALL(read, READ, ABI_ATTACHED, .has_out = true,
	     .known_flags = KVM_WTRACK_READ_F_NOFAULT,
	     .reserved = { FIELD(read, __reserved0), FIELD(read, __reserved) },
	     .out = { FIELD(read, out_done), FIELD(read, out_seq),
		      FIELD(read, out_generation), FIELD(read, out_error) }),
	CALL(release, RELEASE, ABI_READY, .has_out = true,
	     .known_flags = KVM_WTRACK_RELEASE_F_LOOK,
	     .reserved = { FIELD(release, __reserved) },
	     .out = { FIELD(release, out_waiters),
		      FIELD(release, out_signalled) }),
};

const unsigned int abi_nr_calls = ARRAY_SIZE(abi_calls);

uint32_t *abi_u32(struct abi *a, unsigned int offset)
{
	return (uint32_t *)(a->arg + offset);
}

uint64_t *abi_u64(struct abi *a, unsigned int offset)
{
	return (uint64_t *)(a->arg + offset);
}

static bool changes_ranges(const struct abi_call *c)
{
	return c->cmd == KVM_WTRACK_ADD || c->cmd == KVM_WTRACK_REARM ||
	       c->cmd == KVM_WTRACK_REMOVE;
}

/* The page that is tracked already: a call that is taken changes as little. */
static void fill_array(struct abi *a)
{
	const struct abi_call *c = a->call;

	memset(&a->array, 0, sizeof(a->array));
	if (changes_ranges(c)) {
		a->array.changes[0].gfn = VM_DATA_GFN;
		a->array.changes[0].nr_pages = 1;
	} else {
		a->array.ranges[0].gfn = VM_DATA_GFN;
		a->array.ranges[0].nr_pages = 1;
	}
	*abi_u64(a, c->array) = (uintptr_t)&a->array;
	*abi_u32(a, c->array_nr) = 1;
}

void abi_fill(struct abi *a)
{
	const struct abi_call *c = a->call;

	memset(a->arg, 0, sizeof(a->arg));
	*abi_u32(a, 0) = c->bytes;
	if (c->array)
		fill_array(a);
	if (c->cmd == KVM_WTRACK_ATTACH)
		((struct kvm_wtrack_attach *)a->arg)->vm_fd = a->vm->fd;
	if (c->cmd == KVM_WTRACK_RING)
		((struct kvm_wtrack_ring *)a->arg)->records = 64;
	if (c->cmd == KVM_WTRACK_RESTRICT)
		((struct kvm_wtrack_restrict *)a->arg)->rights = ~0ULL;
	if (c->cmd == KVM_WTRACK_QUERY_GFN)
		((struct kvm_wtrack_query_gfn *)a->arg)->gfn = VM_DATA_GFN;
	if (c->cmd == KVM_WTRACK_READ)
		*(struct kvm_wtrack_read *)a->arg = (struct kvm_wtrack_read){
			.size = c->bytes,
			.gpa = VM_DATA,
			.len = sizeof(a->array),
			.buffer = (uintptr_t)&a->array,
		};
}

void abi_init(struct abi *a, const struct abi_call *call)
{
	WT_ARG(ring, ring, .records = 64);

	memset(a, 0, sizeof(*a));
	a->call = call;
	a->vm = vm_new(4);
	a->fd = wt_open();
	if (call->state >= ABI_ATTACHED)
		wt_attach(a->fd, a->vm->fd);
	if (call->state == ABI_READY) {
		CHECK_ERRNO(__wt_ring(a->fd, &ring), 0);
		wt_add(a->fd, VM_DATA_GFN, 1);
	}
	wt_status(a->fd, &a->before);
	abi_fill(a);
}

void abi_exit(struct abi *a)
{
	close(a->fd);
	vm_close(a->vm);
}

int abi_make(struct abi *a, void *arg)
{
	return ioctl(a->fd, a->call->cmd, arg) ? errno : 0;
}

void abi_refused(struct abi *a, void *arg, int err)
{
	struct kvm_wtrack_status now;

	CHECK_ERRNO(abi_make(a, arg), err);
	wt_status(a->fd, &now);
	CHECK(!memcmp(&now, &a->before, sizeof(now)));
}

void abi_taken(struct abi *a)
{
	abi_fill(a);
	CHECK_ERRNO(abi_make(a, a->arg), 0);
}
