// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

#define CR0_PE		(1UL << 0)
#define CR0_PG		(1UL << 31)
#define CR4_PAE		(1UL << 5)
#define EFER_LME	(1UL << 8)
#define EFER_LMA	(1UL << 10)

/* Accessed and dirty from the start: nobody has to write to them later. */
#define PTE_TABLE	0x23ULL
#define PTE_LARGE	0xe3ULL
#define LARGE_BYTES	(2ULL << 20)

enum { MAX_CPUID = 100 };

extern const unsigned char guest_image[], guest_image_end[];

static int sys(int r, const char *what)
{
	if (r < 0)
		err(1, "%s", what);
	return r;
}

static void *map(size_t bytes, int flags, int fd)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void map_identity(unsigned char *memory)
{
	uint64_t *pd = (uint64_t *)(memory + X86_PD);
	unsigned int i;

	*(uint64_t *)(memory + X86_PML4) = X86_PDPT | PTE_TABLE;
	*(uint64_t *)(memory + X86_PDPT) = X86_PD | PTE_TABLE;
	for (i = 0; i < ENTRIES; i++)
		pd[i] = i * LARGE_BYTES | PTE_LARGE;
}

/* All that this host can do. */
static void set_cpuid(struct vcpu *v)
{
	struct kvm_cpuid2 *c;

	c = calloc(1, sizeof(*c) + MAX_CPUID * sizeof(c->entries[0]));
	if (!c)
		err(1, "cpuid");
	c->nent = MAX_CPUID;
	sys(ioctl(v->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, c),
	    "KVM_GET_SUPPORTED_CPUID");
	sys(ioctl(v->fd, KVM_SET_CPUID2, c), "KVM_SET_CPUID2");
	free(c);
}

static void set_registers(struct vcpu *v)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11,
		.present = 1, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_regs r = {
		.rip = GUEST_CODE,
		.rsp = GUEST_STACK(v->index),
		.rdi = v->index,
		.rflags = 2,
	};
	struct kvm_sregs s;

	sys(ioctl(v->fd, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr3 = X86_PML4;
	s.cr0 = CR0_PE | CR0_PG;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LME | EFER_LMA;
	sys(ioctl(v->fd, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
	sys(ioctl(v->fd, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static void add_vcpu(struct vm *vm, unsigned int index)
{
	struct vcpu *v = &vm->vcpus[index];

	v->vm = vm;
	v->index = index;
	v->fd = sys(ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index),
		    "KVM_CREATE_VCPU");
	v->run = map(vm->run_bytes, MAP_SHARED, v->fd);
	set_cpuid(v);
	set_registers(v);
}

struct vm *vm_new(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = GUEST_BYTES };
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned int i;

	if (!vm)
		err(1, "vm");
	vm->kvm_fd = sys(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	vm->fd = sys(ioctl(vm->kvm_fd, KVM_CREATE_VM, 0UL), "KVM_CREATE_VM");
	vm->run_bytes = sys(ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0UL),
			    "KVM_GET_VCPU_MMAP_SIZE");
	vm->memory = map(GUEST_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	slot.userspace_addr = (uintptr_t)vm->memory;
	sys(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot),
	    "KVM_SET_USER_MEMORY_REGION");
	map_identity(vm->memory);
	memcpy(vm->memory + GUEST_CODE, guest_image,
	       guest_image_end - guest_image);
	for (i = 0; i < NR_VCPUS; i++)
		add_vcpu(vm, i);
	return vm;
}

void vm_free(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		munmap(vm->vcpus[i].run, vm->run_bytes);
		close(vm->vcpus[i].fd);
	}
	close(vm->fd);
	close(vm->kvm_fd);
	munmap(vm->memory, GUEST_BYTES);
	free(vm);
}

static void on_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint32_t value;

	if (run->io.port != DOORBELL_PORT || run->io.size != sizeof(value))
		errx(1, "vCPU %u uses port %#x", v->index, run->io.port);
	memcpy(&value, (char *)run + run->io.data_offset, sizeof(value));
	if (value > DOORBELL_ALL)
		errx(1, "vCPU %u rings for region %u", v->index, value);
	v->vm->doorbell(value, v->vm->userdata);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;

	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				continue;
			err(1, "KVM_RUN");
		}
		if (v->run->exit_reason == KVM_EXIT_HLT)
			return NULL;
		if (v->run->exit_reason != KVM_EXIT_IO)
			errx(1, "vCPU %u stopped with exit %u", v->index,
			     v->run->exit_reason);
		on_io(v);
	}
}

void vm_run(struct vm *vm, vm_doorbell_fn doorbell, void *userdata)
{
	unsigned int i;
	int r;

	vm->doorbell = doorbell;
	vm->userdata = userdata;
	for (i = 0; i < NR_VCPUS; i++) {
		r = pthread_create(&vm->vcpus[i].thread, NULL, vcpu_main,
				   &vm->vcpus[i]);
		if (r)
			errx(1, "no thread for vCPU %u", i);
	}
	for (i = 0; i < NR_VCPUS; i++)
		pthread_join(vm->vcpus[i].thread, NULL);
}
