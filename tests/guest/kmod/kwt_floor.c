// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that a tracked store can cost: KVM emulates it and calls a
 * function that returns at once. An open file of the device is one page of one
 * VM; closing it undoes everything. For root, in the emulated host, only.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include <asm/kvm_page_track.h>

#include "kwt_floor.h"

struct floor {
	struct kvm_page_track_notifier_node node;
	struct file *vm_file;
	bool registered;
	u64 gfn;
};

static struct kvm *floor_kvm(const struct floor *floor)
{
	return floor->vm_file->private_data;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static void do_nothing(gpa_t gpa, const u8 *new, int bytes,
		       struct kvm_page_track_notifier_node *node)
{
}

static int do_register(struct floor *floor)
{
	return kvm_page_track_register_notifier(floor_kvm(floor), &floor->node);
}

static int arm(struct floor *floor)
{
	return kvm_write_track_add_gfn(floor_kvm(floor), floor->gfn);
}

static void disarm(struct floor *floor)
{
	kvm_write_track_remove_gfn(floor_kvm(floor), floor->gfn);
}
#else
static void do_nothing(struct kvm_vcpu *vcpu, gpa_t gpa, const u8 *new,
		       int bytes, struct kvm_page_track_notifier_node *node)
{
}

static int do_register(struct floor *floor)
{
	kvm_page_track_register_notifier(floor_kvm(floor), &floor->node);
	return 0;
}

static int change(struct floor *floor,
		  void (*fn)(struct kvm *kvm, struct kvm_memory_slot *slot,
			     gfn_t gfn, enum kvm_page_track_mode mode))
{
	struct kvm *kvm = floor_kvm(floor);
	struct kvm_memory_slot *slot;
	int idx = srcu_read_lock(&kvm->srcu);

	slot = gfn_to_memslot(kvm, floor->gfn);
	if (slot) {
		write_lock(&kvm->mmu_lock);
		fn(kvm, slot, floor->gfn, KVM_PAGE_TRACK_WRITE);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return slot ? 0 : -EINVAL;
}

static int arm(struct floor *floor)
{
	return change(floor, kvm_slot_page_track_add_page);
}

static void disarm(struct floor *floor)
{
	change(floor, kvm_slot_page_track_remove_page);
}
#endif

static void unregister(struct floor *floor)
{
	if (floor->registered)
		kvm_page_track_unregister_notifier(floor_kvm(floor),
						   &floor->node);
	floor->registered = false;
}

static int begin(struct floor *floor, bool notify)
{
	int r = 0;

	floor->node.track_write = do_nothing;
	if (notify) {
		r = do_register(floor);
		floor->registered = !r;
	}
	if (!r)
		r = arm(floor);
	if (r)
		unregister(floor);
	return r;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct floor *floor = file->private_data;
	struct kwt_floor_page page;
	int r;

	if (cmd != KWT_FLOOR_NOTIFY && cmd != KWT_FLOOR_ARM)
		return -ENOTTY;
	if (copy_from_user(&page, (void __user *)arg, sizeof(page)))
		return -EFAULT;
	if (floor->vm_file)
		return -EBUSY;
	floor->vm_file = fget(page.vm_fd);
	if (!floor->vm_file)
		return -EBADF;
	floor->gfn = page.gfn;
	r = -EBADFD;
	if (!strcmp(floor->vm_file->f_path.dentry->d_name.name, "kvm-vm"))
		r = begin(floor, cmd == KWT_FLOOR_NOTIFY);
	if (r) {
		fput(floor->vm_file);
		floor->vm_file = NULL;
	}
	return r;
}

static int floor_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct floor), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;

	if (floor->vm_file) {
		disarm(floor);
		unregister(floor);
		fput(floor->vm_file);
	}
	kfree(floor);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kwt-floor",
	.fops = &fops,
	.mode = 0600,
};
module_misc_device(device);

MODULE_DESCRIPTION("Least cost of a tracked store, for comparison");
MODULE_LICENSE("GPL");
