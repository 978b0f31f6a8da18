// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "mirror.h"
#include "tap.h"

static uint64_t page_of(const struct mirror *m, uint64_t gfn)
{
	CHECK(gfn >= VM_DATA_GFN && gfn < VM_DATA_GFN + m->pages);
	return gfn - VM_DATA_GFN;
}

static void reread(struct mirror *m, uint64_t gfn)
{
	uint64_t at = page_of(m, gfn) * PAGE;

	memcpy(m->copy + at, m->truth + at, PAGE);
	m->rereads++;
}

void mirror_init(struct mirror *m, struct wt *wt, const void *truth,
		 uint64_t pages)
{
	memset(m, 0, sizeof(*m));
	m->wt = wt;
	m->truth = truth;
	m->pages = pages;
	m->copy = malloc(pages * PAGE);
	m->page = calloc(pages, 1);
	m->silent = calloc(pages, 1);
	CHECK(m->copy && m->page && m->silent);
	memcpy(m->copy, truth, pages * PAGE);
}

void mirror_exit(struct mirror *m)
{
	free(m->copy);
	free(m->page);
	free(m->silent);
}

/* The record was released before: what is read now is not older than it. */
static void apply_write(struct mirror *m, const struct kvm_wtrack_record *r)
{
	m->writes++;
	CHECK_EQ(!!(r->flags & KVM_WTRACK_RECORD_F_ONCE), m->once);
	CHECK(r->gpa >= VM_DATA && r->gpa + r->len <= VM_DATA + m->pages * PAGE);
	CHECK(r->len && r->len <= KVM_WTRACK_DATA_BYTES);
	CHECK(!m->silent[page_of(m, r->gpa / PAGE)]);
	if (m->reread_always || r->flags & KVM_WTRACK_RECORD_F_PAGE)
		reread(m, r->gpa / PAGE);
	else
		memcpy(m->copy + (r->gpa - VM_DATA), r->data, r->len);
	if (m->once)
		m->page[page_of(m, r->gpa / PAGE)] = MIRROR_TOUCHED;
}

static void apply_guard(struct mirror *m, const struct kvm_wtrack_record *r)
{
	static const bool rereads[MIRROR_ACTIONS] = {
		[KVM_WTRACK_GUARD_REARMED] = true,
		[KVM_WTRACK_GUARD_CHANGED] = true,
	};
	unsigned int action = r->guard.action, cause = r->guard.cause;
	unsigned char *page = &m->page[page_of(m, r->gpa / PAGE)];
	unsigned char *silent = &m->silent[page_of(m, r->gpa / PAGE)];

	CHECK(action && action < MIRROR_ACTIONS && cause < MIRROR_CAUSES);
	CHECK_EQ(!!(r->flags & KVM_WTRACK_RECORD_F_PAGE), rereads[action]);
	m->guard[action][cause]++;
	CHECK(!*silent || action == KVM_WTRACK_GUARD_REARMED);
	if (m->sticky && cause == KVM_WTRACK_CAUSE_MEMORY) {
		CHECK_EQ(action, KVM_WTRACK_GUARD_REARMED);
		*silent = false;
		*page = MIRROR_ARMED;
		reread(m, r->gpa / PAGE);
		return;
	}
	if (m->once) {
		CHECK_EQ(!!(r->flags & KVM_WTRACK_RECORD_F_ONCE),
			 action != KVM_WTRACK_GUARD_STOPPED);
		*page = action == KVM_WTRACK_GUARD_STOPPED ? MIRROR_STOPPED :
							     MIRROR_TOUCHED;
		return;
	}
	*silent = action == KVM_WTRACK_GUARD_DISARMED ||
		  action == KVM_WTRACK_GUARD_STOPPED;
	if (action == KVM_WTRACK_GUARD_DISARMED)
		*page = MIRROR_DISARMED;
	else if (action == KVM_WTRACK_GUARD_REARMED)
		*page = MIRROR_ARMED;
	else if (action == KVM_WTRACK_GUARD_STOPPED)
		*page = MIRROR_STOPPED;
	if (rereads[action])
		reread(m, r->gpa / PAGE);
}

static void apply_range(struct mirror *m,
			const struct kvm_wtrack_resync_range *range)
{
	static const unsigned char becomes[] = {
		[KVM_WTRACK_RESYNC_REREAD] = MIRROR_ARMED,
		[KVM_WTRACK_RESYNC_REMOVED] = MIRROR_STOPPED,
		[KVM_WTRACK_RESYNC_DISARMED] = MIRROR_DISARMED,
		[KVM_WTRACK_RESYNC_ABSENT] = MIRROR_ABSENT,
	};
	uint64_t i;

	CHECK(range->what < sizeof(becomes));
	for (i = range->gfn; i < range->gfn + range->nr_pages; i++) {
		m->page[page_of(m, i)] =
			m->once && range->what == KVM_WTRACK_RESYNC_DISARMED ?
			MIRROR_TOUCHED : becomes[range->what];
		if (range->what != KVM_WTRACK_RESYNC_REMOVED)
			reread(m, i);
	}
}

static void apply_resync(struct mirror *m)
{
	struct wt_resync set;
	unsigned int i;

	m->resyncs++;
	memset(m->silent, 0, m->pages);
	wt_resync(m->wt->fd, &set);
	for (i = 0; i < set.nr; i++)
		apply_range(m, &set.ranges[i]);
}

/* All of it is tracked. */
static void apply_region(struct mirror *m, const struct kvm_wtrack_record *r)
{
	uint64_t i;

	if (!m->sticky)
		return;
	for (i = 0; i < r->region.nr_pages; i++) {
		m->page[page_of(m, r->gpa / PAGE + i)] = MIRROR_ABSENT;
		m->silent[page_of(m, r->gpa / PAGE + i)] = true;
	}
}

static void apply(struct mirror *m, const struct kvm_wtrack_record *r)
{
	switch (r->type) {
	case KVM_WTRACK_RECORD_WRITE:
		apply_write(m, r);
		break;
	case KVM_WTRACK_RECORD_RESYNC:
		apply_resync(m);
		break;
	case KVM_WTRACK_RECORD_REGION_REMOVED:
		m->regions++;
		apply_region(m, r);
		break;
	case KVM_WTRACK_RECORD_VM_GONE:
		m->gone = true;
		break;
	case KVM_WTRACK_RECORD_GUARD:
		apply_guard(m, r);
		break;
	default:
		CHECK_EQ(r->type, KVM_WTRACK_RECORD_WRITE);
	}
}

uint64_t mirror_step(struct mirror *m)
{
	struct kvm_wtrack_record r;
	uint64_t nr = 0;

	while (wt_take(m->wt, &r)) {
		CHECK(!m->gone);
		CHECK_EQ(r.seq, m->wt->next);
		if (m->look)
			m->look(m->look_arg, &r);
		apply(m, &r);
		nr++;
	}
	return nr;
}

uint64_t mirror_guard(const struct mirror *m, unsigned int action)
{
	uint64_t nr = 0;
	unsigned int i;

	for (i = 0; i < MIRROR_CAUSES; i++)
		nr += m->guard[action][i];
	return nr;
}

uint64_t mirror_disarmed(const struct mirror *m)
{
	uint64_t i, nr = 0;

	for (i = 0; i < m->pages; i++)
		nr += m->page[i] == MIRROR_DISARMED;
	return nr;
}

void mirror_rearmed(struct mirror *m)
{
	CHECK_SOON((mirror_step(m), !mirror_disarmed(m)));
}

uint64_t mirror_arm_touched(struct mirror *m)
{
	uint64_t i, nr = 0;

	for (i = 0; i < m->pages; i++) {
		if (m->page[i] != MIRROR_TOUCHED)
			continue;
		CHECK_ERRNO(__wt_rearm_page(m->wt->fd, VM_DATA_GFN + i), 0);
		m->page[i] = MIRROR_ARMED;
		reread(m, VM_DATA_GFN + i);
		nr++;
	}
	return nr;
}

uint64_t mirror_differs(const struct mirror *m)
{
	uint64_t i;

	for (i = 0; i < m->pages * PAGE; i++)
		if (m->page[i / PAGE] == MIRROR_ARMED &&
		    m->copy[i] != m->truth[i])
			break;
	return i;
}

/* Nobody told what was stored to these. */
static void read_unobserved(struct mirror *m)
{
	uint64_t i;

	for (i = 0; i < m->pages; i++)
		if (m->page[i] != MIRROR_ARMED)
			reread(m, VM_DATA_GFN + i);
}

void mirror_finish(struct mirror *m)
{
	struct kvm_wtrack_status s;
	uint64_t i;

	while (mirror_step(m))
		;
	wt_status(m->wt->fd, &s);
	CHECK(!(s.out_state & KVM_WTRACK_STATE_RESYNC));
	CHECK_EQ(s.out_overflows, m->resyncs);
	/* A page may be armed, and that be told, at any time. */
	if (!mirror_disarmed(m)) {
		CHECK_EQ(s.out_unread, 0);
		CHECK_EQ(s.out_events, m->wt->next);
	}
	read_unobserved(m);
	for (i = 0; i < m->pages * PAGE; i += 8) {
		tap_trying("word at 0x%llx", (unsigned long long)i);
		CHECK_EQ(*(uint64_t *)(m->copy + i),
			 *(const uint64_t *)(m->truth + i));
	}
}
