/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VM: as little as a guest in 64-bit mode needs. */
#ifndef MEDIATOR_VM_H
#define MEDIATOR_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>

#include "layout.h"

/* Called in the thread of the vCPU, which waits for the return. */
typedef void (*vm_doorbell_fn)(uint32_t value, void *userdata);

struct vcpu {
	struct vm *vm;
	int fd;
	unsigned int index;
	struct kvm_run *run;
	pthread_t thread;
};

struct vm {
	int kvm_fd;
	int fd;
	int run_bytes;
	unsigned char *memory;
	struct vcpu vcpus[NR_VCPUS];
	vm_doorbell_fn doorbell;
	void *userdata;
};

struct vm *vm_new(void);
void vm_free(struct vm *vm);
/* Runs the guest until all its vCPUs halt. */
void vm_run(struct vm *vm, vm_doorbell_fn doorbell, void *userdata);

#endif /* MEDIATOR_VM_H */
