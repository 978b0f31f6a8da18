// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's side of the ring. What the reader's thread touches without a
 * system call is ordered by the protocol alone: no lock is shared with it.
 */
#include <string.h>

#include "fake.h"

#define CLOSED	(UINT64_C(1) << 63)
#define SPARE	2

static uint64_t load_head(void)
{
	return __atomic_load_n(&fake.head, __ATOMIC_RELAXED);
}

static bool move_head(uint64_t *from, uint64_t to)
{
	return __atomic_compare_exchange_n(&fake.head, from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static uint64_t load_pos(void)
{
	return __atomic_load_n(&fake.consumer->pos, __ATOMIC_ACQUIRE);
}

/*
 * A closed ring has a head far ahead of any position: it is full. So it seems,
 * too, when the reader has got past a head that was loaded long ago.
 */
static bool reserve(uint32_t nr, uint64_t *ret)
{
	uint64_t head = load_head(), seen;

	for (;;) {
		seen = head;
		if (head - load_pos() <= fake.ring.records - SPARE - nr) {
			if (move_head(&head, head + nr))
				break;
			continue;
		}
		head = load_head();
		if (head == seen)
			return false;
	}
	*ret = head;
	return true;
}

bool fake_ring_closed(void)
{
	return load_head() & CLOSED;
}

uint64_t fake_head(void)
{
	return load_head() & ~CLOSED;
}

uint64_t fake_unread(void)
{
	return fake_head() - load_pos();
}

static void wake(void)
{
	pthread_mutex_lock(&fake.lock);
	pthread_cond_broadcast(&fake.wake);
	pthread_mutex_unlock(&fake.lock);
}

/*
 * Everything but seq first; field by field, since ThreadSanitizer does not see
 * a memcpy() that the compiler has made its own.
 */
void fake_publish_at(uint64_t pos, const struct kvm_wtrack_record *record)
{
	struct kvm_wtrack_record *to;
	int i;

	to = &fake.records[pos & (fake.ring.records - 1)];
	to->type = record->type;
	to->flags = record->flags;
	to->vcpu = record->vcpu;
	to->len = record->len;
	to->total = record->total;
	to->gpa = record->gpa;
	to->time_ns = record->time_ns;
	to->rip = record->rip;
	for (i = 0; i < KVM_WTRACK_DATA_BYTES; i++)
		to->data[i] = record->data[i];
	__atomic_store_n(&to->seq, pos + 1, __ATOMIC_RELEASE);
	wake();
}

uint64_t fake_reserve(void)
{
	uint64_t head = load_head();

	while (!move_head(&head, head + 1))
		;
	return head & ~CLOSED;
}

void fake_publish(const struct kvm_wtrack_record *record)
{
	fake_publish_at(fake_reserve(), record);
}

void fake_wait(uint32_t waiters, uint32_t signalled)
{
	fake.waiters = waiters;
	fake.signalled = signalled;
	__atomic_store_n(&fake.consumer->waiters, waiters, __ATOMIC_SEQ_CST);
}

void fake_close_ring(void)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_RESYNC };
	uint64_t head = load_head();

	do {
		if (head & CLOSED)
			return;
	} while (!move_head(&head, (head + 1) | CLOSED));
	__atomic_add_fetch(&fake.overflows, 1, __ATOMIC_RELAXED);
	fake_publish_at(head, &record);
}

/* As the module does: only when all but VM_GONE was released. */
bool fake_ring_reopen(void)
{
	bool gone = fake.status.out_state &
		    (KVM_WTRACK_STATE_VM_GONE | KVM_WTRACK_STATE_ENDED);
	uint64_t head = load_head();

	if (!(head & CLOSED))
		return true;
	if (fake_unread() > gone)
		return false;
	while (!move_head(&head, head & ~CLOSED))
		;
	return true;
}

static void mark(uint64_t gfn)
{
	__atomic_store_n(&fake.resync[gfn], true, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	fake_close_ring();
}

static void fill(struct kvm_wtrack_record *record, uint64_t gpa,
		 const unsigned char *data, uint16_t total, uint16_t offset)
{
	uint16_t left = total - offset;

	*record = (struct kvm_wtrack_record) {
		.type = KVM_WTRACK_RECORD_WRITE,
		.len = left < KVM_WTRACK_DATA_BYTES ? left :
						      KVM_WTRACK_DATA_BYTES,
		.total = total,
		.gpa = gpa + offset,
		.time_ns = gpa ^ 0x5555,
	};
	memcpy(record->data, data + offset, record->len);
	if (record->len < left)
		record->flags |= KVM_WTRACK_RECORD_F_MORE;
	if (fake.ring.flags & KVM_WTRACK_RING_F_ONCE)
		record->flags |= KVM_WTRACK_RECORD_F_ONCE;
}

void fake_write(uint64_t gpa, const void *data, uint16_t len)
{
	uint32_t nr = (len + KVM_WTRACK_DATA_BYTES - 1) / KVM_WTRACK_DATA_BYTES;
	struct kvm_wtrack_record record;
	uint64_t pos;
	uint32_t i;

	if (!reserve(nr, &pos)) {
		mark(gpa >> 12);
		return;
	}
	for (i = 0; i < nr; i++) {
		fill(&record, gpa, data, len, i * KVM_WTRACK_DATA_BYTES);
		fake_publish_at(pos + i, &record);
	}
}

/* One vCPU writes a coalesced page, so nobody else claims it meanwhile. */
static void write_coalesced(uint64_t gpa, const void *data, uint16_t len)
{
	uint64_t gfn = gpa >> 12;
	struct kvm_wtrack_record record;
	uint64_t pos;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (fake.last[gfn] >
	    __atomic_load_n(&fake.consumer->pos, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&fake.merged, 1,
				   __ATOMIC_RELAXED);
		return;
	}
	if (!reserve(1, &pos)) {
		mark(gfn);
		return;
	}
	fill(&record, gpa, data, len, 0);
	record.flags |= KVM_WTRACK_RECORD_F_PAGE;
	fake.last[gfn] = pos + 1;
	fake_publish_at(pos, &record);
}

/* With RING_F_ONCE: is this the first store since the page was armed? */
static bool is_first(uint64_t gfn)
{
	bool first;

	pthread_mutex_lock(&fake.lock);
	first = fake.tracked[gfn] && !fake.disarmed[gfn];
	fake.disarmed[gfn] = fake.tracked[gfn];
	pthread_mutex_unlock(&fake.lock);
	return first;
}

static void notify(uint64_t gpa, const void *data, uint16_t len)
{
	if (fake.ring.flags & KVM_WTRACK_RING_F_ONCE && !is_first(gpa >> 12))
		return;
	if (fake.ring.flags & KVM_WTRACK_RING_F_COALESCE)
		write_coalesced(gpa, data, len);
	else
		fake_write(gpa, data, len);
}

void fake_store(uint64_t gfn, uint64_t value)
{
	fake_page_write(gfn, value);
	notify(gfn << 12, &value, sizeof(value));
}

void fake_store_bytes(uint64_t gpa, const void *data, uint16_t len)
{
	fake_memory_write(gpa, data, len);
	notify(gpa, data, len);
}

/* Was it tracked, and had memory? */
static bool remove_memory(uint64_t gfn)
{
	bool lost = fake.tracked[gfn] && !fake.away[gfn];

	if (fake.ring.flags & KVM_WTRACK_RING_F_STICKY)
		fake.away[gfn] = fake.tracked[gfn];
	else
		fake.tracked[gfn] = false;
	fake.disarmed[gfn] = false;
	fake.absent[gfn] = true;
	return lost;
}

void fake_region_removed(uint64_t gfn, uint64_t nr_pages)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_REGION_REMOVED,
		.gpa = gfn << 12,
		.region = { .nr_pages = nr_pages },
	};
	uint64_t i, pos = 0;
	bool room;

	room = fake.records && reserve(1, &pos);
	for (i = gfn; i < gfn + nr_pages; i++) {
		if (!remove_memory(i))
			continue;
		record.region.nr_tracked++;
		if (!room)
			mark(i);
	}
	fake.generation += 2;
	if (room)
		fake_publish_at(pos, &record);
}

void fake_region_added(uint64_t gfn, uint64_t nr_pages, uint32_t flags)
{
	uint64_t i;

	for (i = gfn; i < gfn + nr_pages; i++) {
		fake.absent[i] = false;
		fake.region_flags[i] = flags;
	}
	fake.generation += 2;
	if (!fake.slow_worker)
		fake_worker();
}

bool fake_no_memory(uint64_t gfn)
{
	return fake.absent[gfn] || fake.region_flags[gfn] &
	       (KVM_WTRACK_REGION_F_READONLY | KVM_WTRACK_REGION_F_PRIVATE |
		KVM_WTRACK_REGION_F_KVM);
}

void fake_returned(uint64_t gfn)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_PAGE,
		.gpa = gfn << 12,
		.guard = { KVM_WTRACK_GUARD_REARMED, KVM_WTRACK_CAUSE_MEMORY },
	};
	uint64_t pos;

	fake.away[gfn] = false;
	if (reserve(1, &pos))
		fake_publish_at(pos, &record);
	else
		mark(gfn);
}

void fake_worker(void)
{
	uint64_t gfn;

	for (gfn = 0; gfn < FAKE_PAGES; gfn++)
		if (fake.away[gfn] && !fake_no_memory(gfn))
			fake_returned(gfn);
}

#define OVER	(KVM_WTRACK_STATE_VM_GONE | KVM_WTRACK_STATE_ENDED)

static void end_with(uint8_t type, uint32_t state)
{
	struct kvm_wtrack_record record = { .type = type };

	pthread_mutex_lock(&fake.lock);
	fake.status.out_state |= state;
	pthread_mutex_unlock(&fake.lock);
	if (fake.records)
		fake_publish(&record);
}

void fake_vm_gone(void)
{
	end_with(KVM_WTRACK_RECORD_VM_GONE, KVM_WTRACK_STATE_VM_GONE);
}

void fake_end(void)
{
	end_with(KVM_WTRACK_RECORD_ENDED, KVM_WTRACK_STATE_ENDED);
}

/* As poll(2): by what was reserved, which is before it can be read. */
short fake_revents(void)
{
	short revents = fake.extra_revents;

	if (fake.records && fake_unread() >= (fake.ring.watermark ?: 1))
		revents |= 0x001;	/* POLLIN */
	if (fake.status.out_state & OVER)
		revents |= 0x011;	/* POLLIN, POLLHUP */
	return revents;
}
