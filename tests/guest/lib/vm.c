// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"
#include "vm_internal.h"

static void *mem_map(uint64_t bytes, int flags)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_ANONYMOUS | flags, -1, 0);

	CHECK_SYS(mem != MAP_FAILED);
	return mem;
}

void *mem_shared(uint64_t bytes)
{
	return mem_map(bytes, MAP_SHARED);
}

void *mem_sparse(uint64_t bytes)
{
	return mem_map(bytes, MAP_PRIVATE | MAP_NORESERVE);
}

int __vm_slot(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
	      uint64_t bytes, uint32_t flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r) ? errno : 0;
}

void vm_slot(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
	     uint64_t bytes, uint32_t flags)
{
	CHECK_ERRNO(__vm_slot(vm, slot, gpa, mem, bytes, flags), 0);
}

/* Linux since 6.8; not in the headers of Debian 12. */
struct private_memory {
	uint64_t bytes, flags, reserved[6];
};

struct private_slot {
	struct kvm_userspace_memory_region mem;
	uint64_t private_offset;
	uint32_t private_fd, pad1;
	uint64_t pad2[14];
};

#define CREATE_PRIVATE_MEMORY	_IOWR(KVMIO, 0xd4, struct private_memory)
#define SET_PRIVATE_SLOT	_IOW(KVMIO, 0x49, struct private_slot)
#define SLOT_IS_PRIVATE		(1U << 2)

int vm_private_memory(struct vm *vm, uint64_t bytes)
{
	struct private_memory p = { .bytes = bytes };
	int fd = ioctl(vm->fd, CREATE_PRIVATE_MEMORY, &p);

	return fd < 0 ? -errno : fd;
}

int __vm_slot_private(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
		      uint64_t bytes, int private_fd)
{
	struct private_slot s = {
		.mem.slot = slot,
		.mem.flags = SLOT_IS_PRIVATE,
		.mem.guest_phys_addr = gpa,
		.mem.memory_size = bytes,
		.mem.userspace_addr = (uintptr_t)mem,
		.private_fd = private_fd,
	};

	return ioctl(vm->fd, SET_PRIVATE_SLOT, &s) ? errno : 0;
}

int vm_check_extension(struct vm *vm, long cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);
}

static uint64_t *table(struct vm *vm, uint64_t gpa)
{
	return (uint64_t *)(vm->low + gpa);
}

/* One gigabyte in pages of 2 MiB, through the table at pd. */
static void map_gigabyte(struct vm *vm, uint64_t pdpt, uint64_t pd, uint64_t gpa)
{
	uint64_t end = gpa + 512 * LARGE_PAGE;
	unsigned int i;

	table(vm, pdpt)[gpa >> 30 & 511] = pd | PTE_TABLE;
	for (i = 0; gpa < end; i++, gpa += LARGE_PAGE)
		table(vm, pd)[i] = gpa | PTE_LARGE |
				   (gpa < VM_DATA ? 0 : PTE_NX);
}

static void map_identity(struct vm *vm)
{
	unsigned int i;

	table(vm, LOW_PML5)[0] = LOW_PML4 | PTE_TABLE;
	table(vm, LOW_PML4)[0] = LOW_PDPT | PTE_TABLE;
	for (i = 0; i < 4; i++)
		map_gigabyte(vm, LOW_PDPT, LOW_PD + i * PAGE, (uint64_t)i << 30);
	table(vm, LOW_PML4)[VM_HIGH >> 39] = LOW_PDPT_HIGH | PTE_TABLE;
	map_gigabyte(vm, LOW_PDPT_HIGH, LOW_PD_HIGH, VM_HIGH);
}

struct vm *vm_new_bare(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	CHECK(vm);
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	CHECK_SYS(vm->kvm_fd >= 0);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0UL);
	CHECK_SYS(vm->fd >= 0);
	return vm;
}

struct vm *vm_new_with(void *data, uint64_t data_pages)
{
	struct vm *vm = vm_new_bare();

	vm->low = mem_shared(VM_LOW_BYTES);
	vm->data = data;
	vm->data_pages = data_pages;
	map_identity(vm);
	vm_slot(vm, VM_SLOT_LOW, 0, vm->low, VM_LOW_BYTES, 0);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, data, data_pages * PAGE, 0);
	CHECK_SYS(!ioctl(vm->fd, KVM_SET_TSS_ADDR, VM_TSS));
	return vm;
}

struct vm *vm_new(uint64_t data_pages)
{
	return vm_new_with(mem_shared(data_pages * PAGE), data_pages);
}

void vm_close(struct vm *vm)
{
	close(vm->fd);
	close(vm->kvm_fd);
	vm->fd = -1;
	vm->kvm_fd = -1;
}
