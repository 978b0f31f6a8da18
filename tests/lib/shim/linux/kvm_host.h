/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A KVM that gives the vCPU to the write hook. */
#ifndef SHIM_LINUX_KVM_HOST_H
#define SHIM_LINUX_KVM_HOST_H

#include <linux/atomic.h>
#include <linux/types.h>

struct kvm_vcpu {
	int vcpu_idx;
};

#endif
