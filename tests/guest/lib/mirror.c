// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "mirror.h"
#include "tap.h"

static void reread(struct mirror *m, uint64_t gfn, uint64_t nr_pages)
{
	uint64_t at = gfn * PAGE - VM_DATA;

	CHECK(gfn >= VM_DATA_GFN && gfn + nr_pages <= VM_DATA_GFN + m->pages);
	memcpy(m->copy + at, m->truth + at, nr_pages * PAGE);
	m->rereads += nr_pages;
}

void mirror_init(struct mirror *m, struct wt *wt, const void *truth,
		 uint64_t pages)
{
	memset(m, 0, sizeof(*m));
	m->wt = wt;
	m->truth = truth;
	m->pages = pages;
	m->copy = malloc(pages * PAGE);
	CHECK(m->copy);
	memcpy(m->copy, truth, pages * PAGE);
}

/* The record was released before: what is read now is not older than it. */
static void apply_write(struct mirror *m, const struct kvm_wtrack_record *r)
{
	m->writes++;
	CHECK(r->gpa >= VM_DATA && r->gpa + r->len <= VM_DATA + m->pages * PAGE);
	CHECK(r->len && r->len <= KVM_WTRACK_DATA_BYTES);
	if (m->reread_always || r->flags & KVM_WTRACK_RECORD_F_PAGE)
		reread(m, r->gpa / PAGE, 1);
	else
		memcpy(m->copy + (r->gpa - VM_DATA), r->data, r->len);
}

static void apply_resync(struct mirror *m)
{
	struct wt_resync set;
	unsigned int i;

	m->resyncs++;
	wt_resync(m->wt->fd, &set);
	for (i = 0; i < set.nr; i++)
		if (set.ranges[i].what == KVM_WTRACK_RESYNC_REREAD)
			reread(m, set.ranges[i].gfn, set.ranges[i].nr_pages);
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
		break;
	case KVM_WTRACK_RECORD_VM_GONE:
		m->gone = true;
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
		apply(m, &r);
		nr++;
	}
	return nr;
}

void mirror_finish(struct mirror *m)
{
	struct kvm_wtrack_status s;
	uint64_t i;

	while (mirror_step(m))
		;
	wt_status(m->wt->fd, &s);
	CHECK(!(s.out_state & KVM_WTRACK_STATE_RESYNC));
	CHECK_EQ(s.out_unread, 0);
	CHECK_EQ(s.out_events, m->wt->next);
	CHECK_EQ(s.out_overflows, m->resyncs);
	for (i = 0; i < m->pages * PAGE; i += 8) {
		tap_trying("word at 0x%llx", (unsigned long long)i);
		CHECK_EQ(*(uint64_t *)(m->copy + i),
			 *(const uint64_t *)(m->truth + i));
	}
}
