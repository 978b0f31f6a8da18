// SPDX-License-Identifier: GPL-2.0-only
/* What no kernel has. If this compiles, all probes do. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm_wtrack_is_part_of_kvm(kvm);
}
