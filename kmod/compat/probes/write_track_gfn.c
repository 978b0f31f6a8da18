// SPDX-License-Identifier: GPL-2.0-only
/* Since 6.6 KVM tracks by gfn, and the hooks do not get the vCPU. */
#include <linux/kvm_host.h>
#include <asm/kvm_page_track.h>

int probe(struct kvm *kvm, struct kvm_page_track_notifier_node *node);
int probe(struct kvm *kvm, struct kvm_page_track_notifier_node *node)
{
	node->track_remove_region = NULL;
	return kvm_write_track_add_gfn(kvm, 0);
}
