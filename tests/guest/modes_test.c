// SPDX-License-Identifier: GPL-2.0-or-later
/* Records tell of stores by a guest of the guest, and in SMM. */
#include <string.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "inner.h"
#include "module.h"
#include "stream.h"
#include "tap.h"

#define MODES	(KVM_WTRACK_RECORD_F_L2 | KVM_WTRACK_RECORD_F_SMM)

static void check_record(struct wt *wt, uint64_t gpa, uint32_t mode)
{
	struct kvm_wtrack_record r;

	do
		CHECK(wt_take(wt, &r));
	while (r.type != KVM_WTRACK_RECORD_WRITE || r.gpa != gpa);
	CHECK_EQ(r.flags & MODES, mode);
}

/* KVM gets no second try at such a store: the guard may have disarmed the page. */
static void check_inner(struct wt *wt)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.gpa / PAGE, VM_DATA_GFN);
	CHECK(r.flags & KVM_WTRACK_RECORD_F_VCPU);
	CHECK_EQ(r.flags & MODES, KVM_WTRACK_RECORD_F_L2);
}

INNER_CODE(g_inner_mov, "mov $7, %rax", "mov %rax, 8(%rdi)");

static void enter_inner(bool nested)
{
	const uint64_t args[6] = {
		VM_DATA, 0, INNER_RDX(inner_is_vmx()), INNER_RCX(inner_is_vmx()),
	};
	struct stream s;
	struct inner inner = { .nested = nested };
	uint64_t rip;

	stream_init(&s, INNER_PAGES, 0);
	wt_add(s.wt->fd, VM_DATA_GFN + INNER_DATA, 1);
	/* Of the guest itself. */
	stream_run(&s, g_store8, VM_DATA, 1, 1);
	check_record(s.wt, VM_DATA, 0);
	inner_fill(s.vcpu);
	vcpu_load(s.vcpu, g_inner_mov, args);
	rip = vcpu_code_rip(s.vcpu);
	inner.rip = rip + (g_inner_mov_inner - g_inner_mov.start);
	inner.left = rip + (g_inner_mov_left - g_inner_mov.start);
	inner_load(s.vcpu, &inner);
	CHECK_EQ(vcpu_run(s.vcpu), KVM_EXIT_HLT);
	check_inner(s.wt);
}

CASE(a_store_of_a_guest_of_the_guest_has_the_flag)
{
	enter_inner(false);
}

CASE(and_with_nested_paging_in_the_guest)
{
	if (paging_is_nested())
		enter_inner(true);
	else
		tap_note("absent: no nested paging");
}

/* Where SMM has its memory, and how it is reached from the other one. */
#define SMBASE		0x40000000ULL
#define SMM_ENTRY	0x8000
#define SMM_BYTES	0x10000
#define SMM_SLOT(n)	(1U << 16 | (n))
#define MSR_SMBASE	0x9e

/*
 * ins is emulated in any case: KVM may map the page writable for SMM, which has
 * memslots of its own.
 */
GUEST_CODE(g_smm,
	".code16\n"
	"cld\n"
	"mov $0x77, %dx\n"
	"mov $0x200010, %edi\n"
	"addr32 insb\n"
	"hlt");

static bool enter_smm(struct vcpu *v, unsigned char byte)
{
	struct kvm_run *run = v->run;

	if (ioctl(v->fd, KVM_SMI))
		return false;
	CHECK_EQ(vcpu_run(v), KVM_EXIT_IO);
	CHECK_EQ(run->io.port, 0x77);
	((unsigned char *)run)[run->io.data_offset] = byte;
	CHECK_EQ(vcpu_run(v), KVM_EXIT_HLT);
	return true;
}

CASE(a_store_in_smm_has_the_flag)
{
	const uint64_t args[6] = { VM_DATA, 1, 1 };
	unsigned char *smram;
	struct stream s;

	stream_init(&s, 4, 1);
	if (!vm_check_extension(s.vm, KVM_CAP_X86_SMM)) {
		tap_note("absent: no SMM");
		return;
	}
	smram = mem_shared(SMM_BYTES);
	memcpy(smram + SMM_ENTRY, g_smm.start, g_smm.end - g_smm.start);
	vm_slot(s.vm, SMM_SLOT(0), SMBASE, smram, SMM_BYTES, 0);
	vm_slot(s.vm, SMM_SLOT(1), VM_DATA, s.vm->data, 4 * PAGE, 0);
	vcpu_set_msr(s.vcpu, MSR_SMBASE, SMBASE);
	stream_run(&s, g_store8, VM_DATA, 1, 1);
	check_record(s.wt, VM_DATA, 0);
	vcpu_load(s.vcpu, g_store8, args);
	CHECK(enter_smm(s.vcpu, 0x5a));
	CHECK_EQ(s.vm->data[0x10], 0x5a);
	check_record(s.wt, VM_DATA + 0x10, KVM_WTRACK_RECORD_F_SMM);
}
