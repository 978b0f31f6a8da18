// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <asm/processor-flags.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpuid.h"
#include "tap.h"
#include "vm.h"
#include "vm_internal.h"

enum { STOP_SIGNAL = SIGUSR1 };

#define CR0_PE		(1UL << 0)
#define CR0_MP		(1UL << 1)
#define CR0_ET		(1UL << 4)
#define CR0_NE		(1UL << 5)
#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)
#define EFER_LME	(1UL << 8)
#define EFER_LMA	(1UL << 10)
#define EFER_NXE	(1UL << 11)

static void set_long_mode(struct vcpu *v, struct kvm_sregs *s)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11,
		.present = 1, .s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->cr3 = v->cr4 & CR4_LA57 ? LOW_PML5 : LOW_PML4;
	s->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | v->cr4;
	s->efer = EFER_LME | EFER_LMA | EFER_NXE;
}

static void set_real_mode(struct kvm_sregs *s, uint64_t code_gpa)
{
	s->cs.base = code_gpa;
	s->cs.selector = code_gpa >> 4;
	s->ds.base = s->es.base = VM_REAL_PAGE;
	s->ds.selector = s->es.selector = VM_REAL_PAGE >> 4;
}

static struct vcpu *vcpu_make(struct vm *vm, unsigned int id, bool real_mode)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	CHECK(v && vm->nr_vcpus < VM_MAX_VCPUS);
	v->vm = vm;
	v->real_mode = real_mode;
	v->index = vm->nr_vcpus++;
	v->id = id;
	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	CHECK_SYS(v->fd >= 0);
	v->run_bytes = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	v->run = mmap(NULL, v->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	CHECK_SYS(v->run != MAP_FAILED);
	cpuid_set(v);
	return v;
}

struct vcpu *vcpu_new(struct vm *vm)
{
	return vcpu_make(vm, vm->nr_vcpus, false);
}

struct vcpu *vcpu_new_id(struct vm *vm, unsigned int id)
{
	return vcpu_make(vm, id, false);
}

struct vcpu *vcpu_new_real(struct vm *vm)
{
	return vcpu_make(vm, vm->nr_vcpus, true);
}

void vcpu_close(struct vcpu *v)
{
	CHECK_SYS(!munmap(v->run, v->run_bytes));
	close(v->fd);
	v->fd = -1;
}

static uint64_t code_gpa(const struct vcpu *v)
{
	return LOW_CODE + v->index * PAGE;
}

uint64_t vcpu_code_rip(const struct vcpu *v)
{
	return v->real_mode ? 0 : code_gpa(v);
}

void vcpu_load(struct vcpu *v, struct guest_code code, const uint64_t args[6])
{
	struct kvm_regs r = {
		.rip = vcpu_code_rip(v),
		.rsp = LOW_STACK + (v->index + 1) * PAGE,
		.rflags = X86_EFLAGS_FIXED,
		.rdi = args[0], .rsi = args[1], .rdx = args[2],
		.rcx = args[3], .r8 = args[4], .r9 = args[5],
	};
	struct kvm_sregs s;

	CHECK((uint64_t)(code.end - code.start) <= PAGE);
	memcpy(v->vm->low + code_gpa(v), code.start, code.end - code.start);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	if (v->real_mode)
		set_real_mode(&s, code_gpa(v));
	else
		set_long_mode(v, &s);
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

unsigned int vcpu_run(struct vcpu *v)
{
	while (ioctl(v->fd, KVM_RUN, 0)) {
		CHECK_SYS(errno == EINTR);
		if (__atomic_load_n(&v->stop, __ATOMIC_SEQ_CST))
			return KVM_EXIT_INTR;
	}
	return v->run->exit_reason;
}

static unsigned int run_and_tell(struct vcpu *v)
{
	unsigned int reason;

	if (v->runs)
		CHECK(!pthread_rwlock_rdlock(v->runs));
	reason = vcpu_run(v);
	if (v->runs)
		CHECK(!pthread_rwlock_unlock(v->runs));
	return reason;
}

void vcpu_finish(struct vcpu *v)
{
	unsigned int reason;

	do {
		reason = run_and_tell(v);
	} while (reason == KVM_EXIT_MMIO && v->ignore_mmio);
	if (reason != KVM_EXIT_HLT && reason != KVM_EXIT_INTR)
		tap_note("exit %u, internal error %u", reason,
			 v->run->internal.suberror);
	CHECK(reason == KVM_EXIT_HLT || reason == KVM_EXIT_INTR);
}

void __vcpu_call(struct vcpu *v, struct guest_code code,
		 const uint64_t args[6])
{
	vcpu_load(v, code, args);
	vcpu_finish(v);
}

static void *thread_main(void *arg)
{
	vcpu_finish(arg);
	return NULL;
}

static void ignore_signal(int sig)
{
	(void)sig;
}

/*
 * There are none, but with interrupts off Bochs does not leave the guest for one
 * of the host's either.
 */
static void allow_interrupts(struct vcpu *v)
{
	struct kvm_regs r;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rflags |= X86_EFLAGS_IF;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

void vcpu_go(struct vcpu *v)
{
	struct sigaction sa = { .sa_handler = ignore_signal };

	sigaction(STOP_SIGNAL, &sa, NULL);
	v->stop = 0;
	v->run->immediate_exit = 0;
	allow_interrupts(v);
	CHECK_EQ(pthread_create(&v->thread, NULL, thread_main, v), 0);
}

void __vcpu_start(struct vcpu *v, struct guest_code code,
		  const uint64_t args[6])
{
	vcpu_load(v, code, args);
	vcpu_go(v);
}

void vcpu_join(struct vcpu *v)
{
	CHECK_EQ(pthread_join(v->thread, NULL), 0);
}

void vcpu_stop(struct vcpu *v)
{
	__atomic_store_n(&v->stop, 1, __ATOMIC_SEQ_CST);
	v->run->immediate_exit = 1;
	pthread_kill(v->thread, STOP_SIGNAL);
	vcpu_join(v);
	v->stop = 0;
	v->run->immediate_exit = 0;
}

uint64_t vcpu_rax(struct vcpu *v)
{
	struct kvm_regs r;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	return r.rax;
}

static struct kvm_msrs *one_msr(uint32_t index, uint64_t value)
{
	struct kvm_msrs *m = calloc(1, sizeof(*m) + sizeof(m->entries[0]));

	CHECK(m);
	m->nmsrs = 1;
	m->entries[0].index = index;
	m->entries[0].data = value;
	return m;
}

uint64_t vcpu_stat(struct vcpu *v, const char *name)
{
	struct {
		struct kvm_stats_desc desc;
		char name[64];
	} d;
	struct kvm_stats_header h;
	uint64_t value = 0;
	unsigned int i;
	int fd = ioctl(v->fd, KVM_GET_STATS_FD, NULL);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(pread(fd, &h, sizeof(h), 0) == sizeof(h));
	CHECK(h.name_size <= sizeof(d.name));
	for (i = 0; i < h.num_desc; i++) {
		const size_t size = sizeof(d.desc) + h.name_size;

		CHECK_SYS(pread(fd, &d, size, h.desc_offset + i * size) ==
			  (ssize_t)size);
		if (!strncmp(d.name, name, h.name_size))
			break;
	}
	CHECK(i < h.num_desc);
	CHECK_SYS(pread(fd, &value, sizeof(value),
			h.data_offset + d.desc.offset) == sizeof(value));
	close(fd);
	return value;
}

uint64_t vcpu_get_msr(struct vcpu *v, uint32_t index)
{
	struct kvm_msrs *m = one_msr(index, 0);
	uint64_t value;

	CHECK_SYS(ioctl(v->fd, KVM_GET_MSRS, m) == 1);
	value = m->entries[0].data;
	free(m);
	return value;
}

void vcpu_set_msr(struct vcpu *v, uint32_t index, uint64_t value)
{
	struct kvm_msrs *m = one_msr(index, value);

	CHECK_SYS(ioctl(v->fd, KVM_SET_MSRS, m) == 1);
	free(m);
}
