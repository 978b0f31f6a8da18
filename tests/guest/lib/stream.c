// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "stream.h"
#include "tap.h"

void stream_init(struct stream *s, uint64_t pages, uint64_t tracked)
{
	memset(s, 0, sizeof(*s));
	s->vm = vm_new(pages);
	s->vcpu = vcpu_new(s->vm);
	s->wt = wt_session(s->vm->fd, 4096, 0);
	if (tracked)
		wt_add(s->wt->fd, VM_DATA_GFN, tracked);
}

void __stream_run(struct stream *s, struct guest_code code,
		  const uint64_t args[6])
{
	s->began_ns = clock_ns();
	__vcpu_call(s->vcpu, code, args);
	s->ended_ns = clock_ns();
}

static void check_time(struct stream *s, uint64_t time_ns)
{
	CHECK(time_ns >= s->began_ns);
	CHECK(time_ns <= s->ended_ns);
	CHECK(time_ns >= s->last_ns);
	s->last_ns = time_ns;
}

static void expect_record(struct stream *s, uint64_t gpa, const void *data,
			  unsigned int len, unsigned int total, bool more)
{
	struct kvm_wtrack_record r;
	unsigned int flags = (more ? KVM_WTRACK_RECORD_F_MORE : 0) |
			     KVM_WTRACK_RECORD_F_VCPU |
			     KVM_WTRACK_RECORD_F_RIP;

	tap_trying("record %llu", (unsigned long long)s->wt->next);
	CHECK(wt_take(s->wt, &r));
	CHECK_EQ(r.seq, s->wt->next);
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(r.gpa, gpa);
	CHECK_EQ(r.len, len);
	CHECK_EQ(r.total, total);
	CHECK_EQ(r.flags, flags);
	CHECK_EQ(r.vcpu, s->vcpu->id);
	CHECK(!memcmp(r.data, data, len));
	check_time(s, r.time_ns);
}

void stream_expect(struct stream *s, uint64_t gpa, const void *data,
		   unsigned int len)
{
	expect_record(s, gpa, data, len, len, false);
}

void stream_expect_value(struct stream *s, uint64_t gpa, uint64_t value,
			 unsigned int len)
{
	stream_expect(s, gpa, &value, len);
}

void stream_expect_parts(struct stream *s, uint64_t gpa, const void *data,
			 unsigned int total)
{
	unsigned int at, len;

	for (at = 0; at < total; at += len) {
		len = total - at;
		if (len > KVM_WTRACK_DATA_BYTES)
			len = KVM_WTRACK_DATA_BYTES;
		expect_record(s, gpa + at, (const char *)data + at, len, total,
			      at + len < total);
	}
}

void stream_expect_end(struct stream *s)
{
	CHECK(!wt_peek(s->wt));
}
