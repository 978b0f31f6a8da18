/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of a vCPU: what tells who it is, who runs it, and where it is. */
#ifndef SHIM_LINUX_KVM_HOST_H
#define SHIM_LINUX_KVM_HOST_H

#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/types.h>

struct kvm;

struct mutex {
	atomic_long_t owner;
};

enum { VCPU_REGS_RIP = 16 };

#define HF_GUEST_MASK	(1 << 0)
#define HF_SMM_MASK	(1 << 1)

struct kvm_vcpu {
	struct {
		u64 exits;
	} stat;
	int vcpu_id;
	int vcpu_idx;
	struct mutex mutex;
	struct {
		unsigned long regs[VCPU_REGS_RIP + 1];
		u32 hflags;
	} arch;
};

#endif
