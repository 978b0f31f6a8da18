// SPDX-License-Identifier: GPL-2.0-or-later
/* What holds for the argument struct of each call. */
#include <string.h>

#include "abi.h"
#include "tap.h"

enum { CANARY = 0xa5 };

/* All of the struct but its spare room: what the first callers know. */
static unsigned int min_size(const struct abi_call *c)
{
	unsigned int i = 0;

	while (i < 2 && c->reserved[i + 1].bytes)
		i++;
	return c->reserved[i].offset;
}

CASE(a_size_that_no_caller_ever_had_is_refused)
{
	const struct abi_call *c;
	unsigned int size;
	struct abi a;

	for_each_abi_call(c) {
		abi_init(&a, c);
		for (size = 0; size < min_size(c); size++) {
			tap_trying("%s, size %u", c->name, size);
			*abi_u32(&a, 0) = size;
			abi_refused(&a, a.arg, EINVAL);
		}
		*abi_u32(&a, 0) = ~0U;
		abi_refused(&a, a.arg, EINVAL);
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(a_shorter_struct_is_taken_and_nothing_is_written_behind_it)
{
	const struct abi_call *c;
	unsigned int i, size;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		size = min_size(c);
		*abi_u32(&a, 0) = size;
		memset(a.arg + size, CANARY, sizeof(a.arg) - size);
		CHECK_ERRNO(abi_make(&a, a.arg), 0);
		for (i = size; i < sizeof(a.arg); i++)
			CHECK_EQ(a.arg[i], CANARY);
		abi_exit(&a);
	}
}

CASE(a_longer_struct_with_a_tail_of_zeroes_is_taken)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		*abi_u32(&a, 0) = sizeof(a.arg);
		CHECK_ERRNO(abi_make(&a, a.arg), 0);
		abi_exit(&a);
	}
}

CASE(a_longer_struct_with_anything_in_the_tail_is_e2big)
{
	const struct abi_call *c;
	unsigned int i;
	struct abi a;

	for_each_abi_call(c) {
		abi_init(&a, c);
		for (i = c->bytes; i < sizeof(a.arg); i++) {
			tap_trying("%s, byte %u", c->name, i);
			abi_fill(&a);
			*abi_u32(&a, 0) = sizeof(a.arg);
			a.arg[i] = 1;
			abi_refused(&a, a.arg, E2BIG);
		}
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(each_unknown_flag_is_refused)
{
	const struct abi_call *c;
	unsigned int bit;
	struct abi a;

	for_each_abi_call(c) {
		abi_init(&a, c);
		for (bit = 0; bit < 32; bit++) {
			if (c->known_flags & 1U << bit)
				continue;
			tap_trying("%s, flag bit %u", c->name, bit);
			abi_fill(&a);
			*abi_u32(&a, 4) = 1U << bit;
			abi_refused(&a, a.arg, EINVAL);
		}
		abi_taken(&a);
		abi_exit(&a);
	}
}

static void refuse_reserved(struct abi *a, const struct abi_field *f)
{
	unsigned int i;

	for (i = f->offset; i < f->offset + f->bytes; i++) {
		tap_trying("%s, byte %u", a->call->name, i);
		abi_fill(a);
		a->arg[i] = 0x80;
		abi_refused(a, a->arg, EINVAL);
	}
}

CASE(each_reserved_byte_must_be_zero)
{
	const struct abi_call *c;
	unsigned int i;
	struct abi a;

	for_each_abi_call(c) {
		abi_init(&a, c);
		CHECK(c->reserved[0].bytes);
		for (i = 0; i < 3 && c->reserved[i].bytes; i++)
			refuse_reserved(&a, &c->reserved[i]);
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(the_reserved_bytes_of_a_range_must_be_zero)
{
	const struct abi_call *c;
	unsigned int i;
	struct abi a;

	for_each_abi_call(c) {
		if (c->cmd != KVM_WTRACK_ADD && c->cmd != KVM_WTRACK_REARM &&
		    c->cmd != KVM_WTRACK_REMOVE)
			continue;
		abi_init(&a, c);
		for (i = 0; i < 4; i++) {
			tap_trying("%s, byte %u", c->name, i);
			abi_fill(&a);
			a.array.changes[0].__reserved = 1U << 8 * i;
			abi_refused(&a, a.arg, EINVAL);
		}
		abi_taken(&a);
		abi_exit(&a);
	}
}

/* What an out field holds before the call is of no interest to it. */
CASE(out_fields_may_hold_anything_and_are_overwritten)
{
	const struct abi_call *c;
	const struct abi_field *f;
	struct abi a;
	unsigned int i, n;

	for_each_abi_call(c) {
		abi_init(&a, c);
		for (f = c->out; f < c->out + ABI_OUT && f->bytes; f++)
			memset(a.arg + f->offset, CANARY, f->bytes);
		tap_trying("%s", c->name);
		CHECK_ERRNO(abi_make(&a, a.arg), 0);
		for (f = c->out; f < c->out + ABI_OUT && f->bytes; f++) {
			tap_trying("%s, out field at %u", c->name, f->offset);
			for (i = n = 0; i < f->bytes; i++)
				n += a.arg[f->offset + i] == CANARY;
			CHECK(n < f->bytes);
		}
		abi_exit(&a);
	}
}

static bool is_known(unsigned long cmd)
{
	const struct abi_call *c;

	for_each_abi_call(c)
		if (c->cmd == cmd)
			return true;
	return false;
}

static void check_unknown(int fd, unsigned long cmd)
{
	WT_ARG(info, arg);

	tap_trying("ioctl 0x%lx", cmd);
	CHECK_ERRNO(ioctl(fd, cmd, &arg) ? errno : 0, ENOTTY);
}

CASE(an_unknown_ioctl_is_enotty)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	unsigned int nr;

	for (nr = 0; nr < 256; nr++)
		if (!is_known(_IO(KVM_WTRACK_MAGIC, nr)))
			check_unknown(wt->fd, _IO(KVM_WTRACK_MAGIC, nr));
	check_unknown(wt->fd, _IO(KVM_WTRACK_MAGIC + 1, 0));
	check_unknown(wt->fd, _IO(0, 0));
	check_unknown(wt->fd, _IOWR(KVM_WTRACK_MAGIC, 0,
				    struct kvm_wtrack_info));
}

CASE(info_reports_limits_that_make_sense)
{
	struct kvm_wtrack_info i;

	wt_info(&i);
	CHECK(i.out_features & KVM_WTRACK_FEAT_FOREIGN_ATTACH);
	CHECK(i.out_features & KVM_WTRACK_FEAT_COALESCE);
	CHECK(i.out_features & KVM_WTRACK_FEAT_RESTRICT);
	CHECK(i.out_features & KVM_WTRACK_FEAT_LONG_WRITES);
	CHECK(i.out_features & KVM_WTRACK_FEAT_VCPU);
	CHECK(i.out_features & KVM_WTRACK_FEAT_RIP);
	CHECK(i.out_features & KVM_WTRACK_FEAT_GUARD);
	CHECK(i.out_features & KVM_WTRACK_FEAT_BUDGET);
	CHECK(i.out_features & KVM_WTRACK_FEAT_NATIVE);
	CHECK(i.out_features & KVM_WTRACK_FEAT_TUNE);
	CHECK(i.out_features & KVM_WTRACK_FEAT_CONTROL);
	CHECK(i.out_features & KVM_WTRACK_FEAT_MODES);
	CHECK_EQ(i.out_record_bytes, sizeof(struct kvm_wtrack_record));
	CHECK_EQ(i.out_record_bytes, 64);
	CHECK_EQ(i.out_data_bytes, KVM_WTRACK_DATA_BYTES);
	CHECK(i.out_min_records && i.out_min_records <= i.out_max_records);
	CHECK(!(i.out_min_records & (i.out_min_records - 1)));
	CHECK(i.out_max_users <= 65535);
	CHECK(i.out_max_pages && i.out_max_sessions && i.out_max_ranges);
	CHECK(i.out_max_latency_us);
	CHECK(i.out_max_budget && i.out_max_period_ms);
	CHECK(i.out_backoff_min_ms);
	CHECK(i.out_backoff_min_ms <= i.out_backoff_max_ms);
}
