/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine made through /dev/kvm, small enough to know all of it.
 *
 *	gpa 0		256 KiB: page tables, code and stack of the vCPUs
 *	VM_DATA		first page of the slot that the tests write to
 *
 * vCPUs run in 64-bit mode at CPL 0, paging maps the first 4 GiB and the
 * gigabyte at VM_HIGH to themselves. Guest code is position independent and
 * ends with HLT. Arguments come in rdi, rsi, rdx, rcx, r8, r9.
 *
 * All protection that the processor has is on, as in the guests of today:
 * CR0.WP, EFER.NXE with nothing to execute from VM_DATA on, and in v->cr4 SMEP,
 * SMAP, UMIP, PKE and LA57, with which there are five levels of tables. A test
 * of a guest that goes without takes bits out of v->cr4 before vcpu_load().
 */
#ifndef GUEST_VM_H
#define GUEST_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE		4096ULL
#define VM_LOW_BYTES	0x40000ULL
/* A page of the low memory that real-mode code reaches and nothing uses. */
#define VM_REAL_PAGE	0x3f000ULL
#define VM_DATA		0x200000ULL
#define VM_DATA_GFN	(VM_DATA / PAGE)
#define VM_HIGH		(1ULL << 39)
/* KVM's own three pages: real mode on Intel without nested paging needs them. */
#define VM_TSS		0xfffbd000ULL

enum { VM_SLOT_LOW, VM_SLOT_DATA, VM_SLOT_EXTRA };
enum { VM_MAX_VCPUS = 8 };

/*
 * GUEST_CODE(store8, "mov %rsi, (%rdi)\n hlt") is an object to pass to
 * vcpu_call(). The text is 64-bit code unless it says .code16.
 */
struct guest_code {
	const unsigned char *start, *end;
};

#define CR4_PAE		(1ULL << 5)
#define CR4_OSFXSR	(1ULL << 9)
#define CR4_OSXMMEXCPT	(1ULL << 10)
#define CR4_UMIP	(1ULL << 11)
#define CR4_LA57	(1ULL << 12)
#define CR4_OSXSAVE	(1ULL << 18)
#define CR4_SMEP	(1ULL << 20)
#define CR4_SMAP	(1ULL << 21)
#define CR4_PKE		(1ULL << 22)

#define GUEST_CODE(name, text)						\
	extern const unsigned char name##_start[], name##_end[];	\
	asm(".pushsection .rodata.guest, \"a\"\n"			\
	    ".globl " #name "_start, " #name "_end\n"			\
	    #name "_start:\n"						\
	    text "\n"							\
	    ".code64\n"							\
	    #name "_end:\n"						\
	    ".popsection");						\
	const struct guest_code name = { name##_start, name##_end }

/* What Linux has since 6.8 and the headers of Debian 12 lack. */
#ifndef KVM_CAP_GUEST_MEMFD
#define KVM_CAP_GUEST_MEMFD	234
#define KVM_CAP_VM_TYPES	235
#endif
#ifndef KVM_X86_SW_PROTECTED_VM
#define KVM_X86_SW_PROTECTED_VM	1
#endif

struct vm {
	int fd;
	int kvm_fd;
	unsigned char *low;
	unsigned char *data;
	uint64_t data_pages;
	unsigned int nr_vcpus;
};

struct vcpu {
	struct vm *vm;
	int fd;
	unsigned int index;	/* by which it has its places in memory */
	unsigned int id;	/* as KVM knows it */
	bool real_mode;
	uint64_t cr4;		/* what its code switches on, see below */
	bool ignore_mmio;	/* go on when memory is not there */
	pthread_rwlock_t *runs;	/* if given: held while the guest runs */
	struct kvm_run *run;
	int run_bytes;
	pthread_t thread;
	int stop;
};

/* A VM with that many pages at VM_DATA. */
struct vm *vm_new(uint64_t data_pages);
/* As vm_new(), the memory at VM_DATA being the caller's. */
struct vm *vm_new_with(void *data, uint64_t data_pages);
/* A VM without any memory. */
struct vm *vm_new_bare(void);
/* Closes the VM's own descriptors and frees nothing else. */
void vm_close(struct vm *vm);

/* Zeroed memory that is shared with children. */
void *mem_shared(uint64_t bytes);
/* Address space without memory until it is touched. */
void *mem_sparse(uint64_t bytes);

/* Set a memslot; bytes == 0 deletes it. __vm_slot() returns the errno. */
int __vm_slot(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
	      uint64_t bytes, uint32_t flags);
void vm_slot(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
	     uint64_t bytes, uint32_t flags);
/* Memory that no process can map (guest_memfd): its descriptor, or -errno. */
int vm_private_memory(struct vm *vm, uint64_t bytes);
/* A memslot with such memory besides mem: the errno. */
int __vm_slot_private(struct vm *vm, uint32_t slot, uint64_t gpa, void *mem,
		      uint64_t bytes, int private_fd);
int vm_check_extension(struct vm *vm, long cap);

struct vcpu *vcpu_new(struct vm *vm);
/* With an id that is not the vCPU's number in the VM. */
struct vcpu *vcpu_new_id(struct vm *vm, unsigned int id);
/* In real mode, with ds at 16-byte paragraph VM_REAL_PAGE / 16. */
struct vcpu *vcpu_new_real(struct vm *vm);
void vcpu_close(struct vcpu *v);

void vcpu_load(struct vcpu *v, struct guest_code code, const uint64_t args[6]);
/* Where rip is at the start of the code. */
uint64_t vcpu_code_rip(const struct vcpu *v);
/* KVM_RUN until an exit that is no signal: the exit reason. */
unsigned int vcpu_run(struct vcpu *v);
/* To the HLT. */
void vcpu_finish(struct vcpu *v);
/* Loads and runs code to its HLT. */
void __vcpu_call(struct vcpu *v, struct guest_code code,
		 const uint64_t args[6]);
#define vcpu_call(v, code, ...) \
	__vcpu_call(v, code, (const uint64_t[6]){ __VA_ARGS__ })

/* The same in a thread: to the HLT, or until vcpu_stop(). */
void __vcpu_start(struct vcpu *v, struct guest_code code,
		  const uint64_t args[6]);
#define vcpu_start(v, code, ...) \
	__vcpu_start(v, code, (const uint64_t[6]){ __VA_ARGS__ })
/* The same for what vcpu_load() has loaded. */
void vcpu_go(struct vcpu *v);
void vcpu_join(struct vcpu *v);
void vcpu_stop(struct vcpu *v);

uint64_t vcpu_rax(struct vcpu *v);
/* One of KVM's counters of this vCPU, by name. */
uint64_t vcpu_stat(struct vcpu *v, const char *name);
uint64_t vcpu_get_msr(struct vcpu *v, uint32_t index);
void vcpu_set_msr(struct vcpu *v, uint32_t index, uint64_t value);

#endif /* GUEST_VM_H */
