// SPDX-License-Identifier: GPL-2.0-or-later
/* A session without a right cannot do or see what the right is about. */
#include <string.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 8 };

static int attached(void)
{
	int fd = wt_open();

	wt_attach(fd, vm_new(PAGES)->fd);
	return fd;
}

CASE(a_session_has_all_rights_until_they_are_taken)
{
	WT_ARG(restrict, r, .rights = ~0ULL);
	struct kvm_wtrack_status s;
	int fd = attached();
	uint64_t rights = KVM_WTRACK_RIGHT_MEMORY | KVM_WTRACK_RIGHT_DATA |
			  KVM_WTRACK_RIGHT_RIP | KVM_WTRACK_RIGHT_OTHERS |
			  KVM_WTRACK_RIGHT_CHANGE | KVM_WTRACK_RIGHT_SYNC;

	wt_status(fd, &s);
	CHECK_EQ(s.out_rights, rights);
	/* Rights that this module does not know are not there to be kept. */
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	wt_status(fd, &s);
	CHECK_EQ(s.out_rights, rights);
	for (; rights; rights &= rights - 1) {
		r.rights = rights & (rights - 1);
		CHECK_ERRNO(__wt_restrict(fd, &r), 0);
		r.rights = ~0ULL;
		CHECK_ERRNO(__wt_restrict(fd, &r), 0);
		wt_status(fd, &s);
		CHECK_EQ(s.out_rights, rights & (rights - 1));
	}
}

CASE(without_the_right_to_change_the_set_stays_as_it_is)
{
	WT_ARG(restrict, r, .rights = ~KVM_WTRACK_RIGHT_CHANGE);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 };
	WT_ARG(add, add, .changes = (uintptr_t)&c, .nr_changes = 1);
	WT_ARG(remove, rm, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record rec;

	wt_add(wt->fd, VM_DATA_GFN, 2);
	CHECK_ERRNO(__wt_restrict(wt->fd, &r), 0);
	CHECK_ERRNO(__wt_add(wt->fd, &add), EPERM);
	CHECK_ERRNO(__wt_remove(wt->fd, &rm), EPERM);
	CHECK_EQ(wt_query_pages(wt->fd), 2);
	vcpu_call(vcpu_new(vm), g_store8, VM_DATA, 7, 1, 0);
	CHECK(wt_take(wt, &rec));
	CHECK_EQ(rec.data[0], 7);
}

CASE(without_the_right_to_know_others_there_is_but_one)
{
	WT_ARG(restrict, r, .rights = ~KVM_WTRACK_RIGHT_OTHERS);
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt *other = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_status s;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	wt_add(other->fd, VM_DATA_GFN, 2);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 2);
	wt_status(wt->fd, &s);
	CHECK(s.out_vm_memory_bytes);
	CHECK_ERRNO(__wt_restrict(wt->fd, &r), 0);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 1);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN + 1), 0);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_vm_memory_bytes, 0);
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 2);
}

struct limited {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void limited_init(struct limited *l, uint64_t without, uint32_t flags)
{
	WT_ARG(restrict, r, .rights = ~without);
	WT_ARG(ring, ring, .records = 64, .flags = flags);
	int fd = wt_open();

	l->vm = vm_new(PAGES);
	l->v = vcpu_new(l->vm);
	wt_attach(fd, l->vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	l->wt = wt_from_fd(fd);
	wt_add(fd, VM_DATA_GFN, 1);
}

static void take(struct limited *l, uint32_t type,
		 struct kvm_wtrack_record *rec)
{
	CHECK(wt_take(l->wt, rec));
	CHECK_EQ(rec->type, type);
}

/* Nothing of it may be anywhere in the ring, not even in what is not used. */
static void check_nowhere(const struct wt *wt, uint64_t value)
{
	const uint64_t *word = (const uint64_t *)wt->records;
	unsigned int i;

	for (i = 0; i < wt->records_bytes / sizeof(*word); i++)
		CHECK(word[i] != value);
}

#define SECRET		0x5ec2e75ec2e75ec2ULL
#define SECRET_4	0x5ec2e75fU

GUEST_CODE(g_store4,
	"mov %esi, (%rdi)\n"
	"hlt");

GUEST_CODE(g_ins,
	"cld\n"
	"mov %rsi, %rcx\n"
	"mov $0x77, %edx\n"
	"rep insb\n"
	"hlt");

static void run_ins(struct vcpu *v, uint64_t gpa, unsigned int bytes)
{
	const uint64_t args[6] = { gpa, bytes };
	struct kvm_run *run = v->run;

	vcpu_load(v, g_ins, args);
	while (vcpu_run(v) == KVM_EXIT_IO)
		memset((char *)run + run->io.data_offset, 'x', run->io.count);
	CHECK_EQ(run->exit_reason, KVM_EXIT_HLT);
}

static void check_no_data(struct limited *l, unsigned int total)
{
	struct kvm_wtrack_record rec;

	take(l, KVM_WTRACK_RECORD_WRITE, &rec);
	CHECK_EQ(rec.total, total);
	CHECK_EQ(rec.len, 0);
	CHECK(rec.flags & KVM_WTRACK_RECORD_F_NO_DATA);
	CHECK(rec.flags & KVM_WTRACK_RECORD_F_PAGE);
	CHECK(rec.flags & KVM_WTRACK_RECORD_F_RIP);
	CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_MORE));
	CHECK_EQ(rec.gpa, VM_DATA);
}

CASE(without_the_right_to_data_records_have_none)
{
	static const uint32_t flags[] = { 0, KVM_WTRACK_RING_F_COALESCE };
	struct limited l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		limited_init(&l, KVM_WTRACK_RIGHT_DATA, flags[i]);
		vcpu_call(l.v, g_store8, VM_DATA, SECRET, 1, 0);
		check_no_data(&l, 8);
		vcpu_call(l.v, g_store4, VM_DATA, SECRET_4, 0, 0);
		check_no_data(&l, 4);
		check_nowhere(l.wt, SECRET);
		check_nowhere(l.wt, SECRET_4);
		CHECK(!wt_peek(l.wt));
	}
}

CASE(a_long_store_without_data_is_one_record)
{
	struct limited l;

	limited_init(&l, KVM_WTRACK_RIGHT_DATA, 0);
	run_ins(l.v, VM_DATA, 200);
	check_no_data(&l, 200);
	check_nowhere(l.wt, 0x7878787878787878ULL);
	CHECK(!wt_peek(l.wt));
}

/* However many sessions there are, each is told what it may know. */
CASE(another_session_gets_the_data_all_the_same)
{
	struct kvm_wtrack_record rec;
	struct limited l;
	struct wt *other;

	limited_init(&l, KVM_WTRACK_RIGHT_DATA | KVM_WTRACK_RIGHT_RIP, 0);
	other = wt_session(l.vm->fd, 64, 0);
	wt_add(other->fd, VM_DATA_GFN, 1);
	vcpu_call(l.v, g_store8, VM_DATA, SECRET, 1, 0);
	take(&l, KVM_WTRACK_RECORD_WRITE, &rec);
	CHECK_EQ(rec.rip, 0);
	CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_RIP));
	check_nowhere(l.wt, SECRET);
	CHECK(wt_take(other, &rec));
	CHECK_EQ(*(uint64_t *)rec.data, SECRET);
	CHECK_EQ(rec.flags, KVM_WTRACK_RECORD_F_RIP | KVM_WTRACK_RECORD_F_VCPU);
	CHECK(rec.rip);
}

GUEST_CODE(g_store_fst,
	"mov %rsi, (%rdi)\n"
	"fninit\n"
	"fldpi\n"
	"fstpl (%rdi)\n"
	"hlt");

CASE(without_the_right_to_rip_no_record_has_it)
{
	struct kvm_wtrack_record rec;
	struct limited l;

	limited_init(&l, KVM_WTRACK_RIGHT_RIP, 0);
	vcpu_call(l.v, g_store_fst, VM_DATA, 5, 0, 0);
	take(&l, KVM_WTRACK_RECORD_WRITE, &rec);
	CHECK_EQ(rec.data[0], 5);
	CHECK_EQ(rec.rip, 0);
	CHECK_EQ(rec.flags, KVM_WTRACK_RECORD_F_VCPU);
	take(&l, KVM_WTRACK_RECORD_GUARD, &rec);
	CHECK_EQ(rec.rip, 0);
	CHECK(rec.flags & KVM_WTRACK_RECORD_F_VCPU);
	CHECK(!(rec.flags & KVM_WTRACK_RECORD_F_RIP));
	check_nowhere(l.wt, vcpu_code_rip(l.v));
}
