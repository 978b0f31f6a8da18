// SPDX-License-Identifier: LGPL-2.1-or-later
/* An event is a record in the ring, seen from outside. */
#include <errno.h>

#include "internal.h"

SAME(WTRACK_EVENT_WRITE, KVM_WTRACK_RECORD_WRITE);
SAME(WTRACK_EVENT_RESYNC, KVM_WTRACK_RECORD_RESYNC);
SAME(WTRACK_EVENT_REGION_REMOVED, KVM_WTRACK_RECORD_REGION_REMOVED);
SAME(WTRACK_EVENT_VM_GONE, KVM_WTRACK_RECORD_VM_GONE);
SAME(WTRACK_EVENT_GUARD, KVM_WTRACK_RECORD_GUARD);
SAME(WTRACK_EVENT_ENDED, KVM_WTRACK_RECORD_ENDED);
SAME(WTRACK_GUARD_DISARMED, KVM_WTRACK_GUARD_DISARMED);
SAME(WTRACK_GUARD_REARMED, KVM_WTRACK_GUARD_REARMED);
SAME(WTRACK_GUARD_STOPPED, KVM_WTRACK_GUARD_STOPPED);
SAME(WTRACK_GUARD_CHANGED, KVM_WTRACK_GUARD_CHANGED);
SAME(WTRACK_CAUSE_NONE, KVM_WTRACK_CAUSE_NONE);
SAME(WTRACK_CAUSE_UNEMULATED, KVM_WTRACK_CAUSE_UNEMULATED);
SAME(WTRACK_CAUSE_PAGE_WALK, KVM_WTRACK_CAUSE_PAGE_WALK);
SAME(WTRACK_CAUSE_EVENT, KVM_WTRACK_CAUSE_EVENT);
SAME(WTRACK_CAUSE_BUDGET, KVM_WTRACK_CAUSE_BUDGET);
SAME(WTRACK_CAUSE_NESTED, KVM_WTRACK_CAUSE_NESTED);
SAME(WTRACK_CAUSE_UNREPORTED, KVM_WTRACK_CAUSE_UNREPORTED);
SAME(WTRACK_CAUSE_NEW_VCPU, KVM_WTRACK_CAUSE_NEW_VCPU);
SAME(WTRACK_CAUSE_OPERAND, KVM_WTRACK_CAUSE_OPERAND);
SAME(WTRACK_CAUSE_SPLIT_LOCK, KVM_WTRACK_CAUSE_SPLIT_LOCK);
SAME(WTRACK_CAUSE_NATIVE, KVM_WTRACK_CAUSE_NATIVE);
SAME(WTRACK_CAUSE_HOLE, KVM_WTRACK_CAUSE_HOLE);
SAME(WTRACK_CAUSE_MEMORY, KVM_WTRACK_CAUSE_MEMORY);

#define GFN_SHIFT	12

static const struct kvm_wtrack_record *
record_of(const struct wtrack_event *event)
{
	return (const struct kvm_wtrack_record *)event;
}

static bool is_write(const struct kvm_wtrack_record *record)
{
	return record->type == KVM_WTRACK_RECORD_WRITE;
}

static bool is_region(const struct kvm_wtrack_record *record)
{
	return record->type == KVM_WTRACK_RECORD_REGION_REMOVED;
}

static bool is_guard(const struct kvm_wtrack_record *record)
{
	return record->type == KVM_WTRACK_RECORD_GUARD;
}

WTRACK_API int wtrack_event_get_type(const struct wtrack_event *event)
{
	return record_of(event)->type;
}

WTRACK_API uint64_t wtrack_event_get_seq(const struct wtrack_event *event)
{
	return record_of(event)->seq;
}

WTRACK_API uint64_t wtrack_event_get_time_ns(const struct wtrack_event *event)
{
	return record_of(event)->time_ns;
}

WTRACK_API uint64_t wtrack_event_get_gpa(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	if (!is_write(record) && !is_region(record) && !is_guard(record))
		return 0;
	return record->gpa;
}

WTRACK_API uint64_t wtrack_event_get_gfn(const struct wtrack_event *event)
{
	return wtrack_event_get_gpa(event) >> GFN_SHIFT;
}

WTRACK_API const void *wtrack_event_get_data(const struct wtrack_event *event)
{
	return record_of(event)->data;
}

/*
 * Never more bytes than fit, so that a caller's copy stays inside of the
 * record. The length is read once, because another holder of the session can
 * have the module overwrite records that are in use here.
 */
WTRACK_API size_t wtrack_event_get_len(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);
	size_t len = __atomic_load_n(&record->len, __ATOMIC_RELAXED);

	if (!is_write(record))
		return 0;
	return len < sizeof(record->data) ? len : sizeof(record->data);
}

WTRACK_API size_t wtrack_event_get_total(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_write(record) ? record->total : 0;
}

WTRACK_API bool wtrack_event_has_more(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_MORE;
}

WTRACK_API bool wtrack_event_is_page(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_PAGE;
}

WTRACK_API bool wtrack_event_has_data(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_write(record) &&
	       !(record->flags & KVM_WTRACK_RECORD_F_NO_DATA);
}

WTRACK_API bool wtrack_event_is_once(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_ONCE;
}

WTRACK_API bool wtrack_event_is_async(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_ASYNC;
}

WTRACK_API bool wtrack_event_is_l2(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_L2;
}

WTRACK_API bool wtrack_event_is_smm(const struct wtrack_event *event)
{
	return record_of(event)->flags & KVM_WTRACK_RECORD_F_SMM;
}

WTRACK_API int wtrack_event_get_vcpu(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	if (!(record->flags & KVM_WTRACK_RECORD_F_VCPU))
		return -ENODATA;
	return record->vcpu;
}

WTRACK_API int wtrack_event_get_rip(const struct wtrack_event *event,
				    uint64_t *ret)
{
	const struct kvm_wtrack_record *record = record_of(event);

	if (!(record->flags & KVM_WTRACK_RECORD_F_RIP))
		return -ENODATA;
	*ret = record->rip;
	return 0;
}

WTRACK_API uint64_t wtrack_event_get_nr_pages(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_region(record) ? record->region.nr_pages : 0;
}

WTRACK_API uint64_t
wtrack_event_get_nr_tracked(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_region(record) ? record->region.nr_tracked : 0;
}

WTRACK_API uint32_t wtrack_event_get_action(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_guard(record) ? record->guard.action : 0;
}

WTRACK_API uint32_t wtrack_event_get_cause(const struct wtrack_event *event)
{
	const struct kvm_wtrack_record *record = record_of(event);

	return is_guard(record) ? record->guard.cause : WTRACK_CAUSE_NONE;
}
