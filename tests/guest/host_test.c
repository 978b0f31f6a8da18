// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ground that the other tests stand on: guests run, and what they store
 * is in their memory, with no module involved.
 */
#include <string.h>

#include "guest.h"
#include "tap.h"
#include "vmm.h"

GUEST_CODE(g_real_store,
	".code16\n"
	"movw $0x1234, 0x10\n"
	"movl $0x56789abc, 0x20\n"
	"hlt");

GUEST_CODE(g_high_store,
	"mov %rsi, (%rdi)\n"
	"mov (%rdi), %rax\n"
	"hlt");

CASE(a_guest_in_real_mode_stores_to_its_memory)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new_real(vm);
	unsigned char *page = vm->low + VM_REAL_PAGE;

	vcpu_call(v, g_real_store);
	CHECK(!memcmp(page + 0x10, "\x34\x12", 2));
	CHECK(!memcmp(page + 0x20, "\xbc\x9a\x78\x56", 4));
}

CASE(a_guest_in_long_mode_stores_to_each_page)
{
	struct vm *vm = vm_new(16);
	struct vcpu *v = vcpu_new(vm);
	unsigned int i;

	vcpu_call(v, g_store8, VM_DATA, 100, 16, PAGE);
	for (i = 0; i < 16; i++)
		CHECK_EQ(*(uint64_t *)(vm->data + i * PAGE), 100 + i);
}

CASE(memory_at_512_gib_is_reached)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	uint64_t *page = mem_shared(PAGE);

	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, page, PAGE, 0);
	vcpu_call(v, g_high_store, VM_HIGH, 77);
	CHECK_EQ(page[0], 77);
	CHECK_EQ(vcpu_rax(v), 77);
}

CASE(vcpus_in_threads_run_until_they_are_stopped)
{
	struct vm *vm = vm_new(4);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	uint64_t *word = (uint64_t *)vm->data;

	vcpu_start(a, g_count_forever, VM_DATA, 1);
	vcpu_start(b, g_count_forever, VM_DATA + PAGE, 1);
	CHECK_SOON(__atomic_load_n(&word[0], __ATOMIC_RELAXED) > 1000);
	CHECK_SOON(__atomic_load_n(&word[512], __ATOMIC_RELAXED) > 1000);
	vcpu_stop(a);
	vcpu_stop(b);
}

CASE(the_random_guest_keeps_to_its_lane)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	uint64_t *word = (uint64_t *)vm->data;
	unsigned int i, used = 0;

	vcpu_call(v, g_random, VM_DATA, 4, 12345, 4000, LANE_ODD);
	for (i = 0; i < 4 * 512; i++) {
		CHECK(!word[i] || i % 2 == 1);
		used += !!word[i];
	}
	CHECK(used > 500);
}

CASE(another_process_can_be_the_vmm)
{
	struct vmm *vmm = vmm_fork(4);
	int fd;

	vmm_tell(vmm, VMM_STORE);
	CHECK_EQ(*(uint64_t *)(vmm->data + 3 * PAGE), 4);
	fd = vmm_take_fd(vmm);
	CHECK(fd >= 0);
	vmm_tell(vmm, VMM_START);
	vmm_tell(vmm, VMM_STOP);
	vmm_kill(vmm);
}
