// SPDX-License-Identifier: GPL-2.0-only
/*
 * Situations that a test cannot bring about by itself: a VMM with a thread that
 * holds its mmap_lock, as one does that has a page fault on a file of a file
 * system which does not answer; and a guest that turns confidential, on a
 * processor that has none. For root, in the emulated host, only.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/wait.h>

#include "kwt_stage.h"

struct stage {
	wait_queue_head_t wait;
	atomic_t stalled;
	bool released;
};

static int on_open(struct inode *inode, struct file *file)
{
	struct stage *stage = kzalloc(sizeof(*stage), GFP_KERNEL);

	if (!stage)
		return -ENOMEM;
	init_waitqueue_head(&stage->wait);
	file->private_data = stage;
	return 0;
}

static int on_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static int stall(struct stage *stage)
{
	int r;

	mmap_read_lock(current->mm);
	atomic_inc(&stage->stalled);
	r = wait_event_killable(stage->wait, READ_ONCE(stage->released));
	atomic_dec(&stage->stalled);
	mmap_read_unlock(current->mm);
	return r;
}

/* As a vCPU that sleeps in a page fault; but that one keeps the VM. */
static int stay_in_srcu(struct stage *stage, int fd)
{
	struct file *file = fget(fd);
	struct kvm *kvm;
	int idx, r;

	if (!file)
		return -EBADF;
	kvm = file->private_data;
	idx = srcu_read_lock(&kvm->srcu);
	fput(file);
	atomic_inc(&stage->stalled);
	r = wait_event_killable(stage->wait, READ_ONCE(stage->released));
	atomic_dec(&stage->stalled);
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

static int look_like_sev(int fd)
{
	struct file *file = fget(fd);
	struct kvm *kvm;

	if (!file)
		return -EBADF;
	kvm = file->private_data;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	WRITE_ONCE(kvm->arch.has_protected_state, true);
#else
	set_bit(APICV_INHIBIT_REASON_SEV, &kvm->arch.apicv_inhibit_reasons);
#endif
	fput(file);
	return 0;
}

static long on_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct stage *stage = file->private_data;

	switch (cmd) {
	case KWT_STAGE_STALL:
		return stall(stage);
	case KWT_STAGE_STALLED:
		return atomic_read(&stage->stalled);
	case KWT_STAGE_RELEASE:
		WRITE_ONCE(stage->released, true);
		wake_up_all(&stage->wait);
		return 0;
	case KWT_STAGE_READ:
		return stay_in_srcu(stage, arg);
	case KWT_STAGE_SEV:
		return look_like_sev(arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = on_open,
	.release = on_release,
	.unlocked_ioctl = on_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kwt-stage",
	.fops = &fops,
	.mode = 0600,
};

module_misc_device(device);
MODULE_DESCRIPTION("Situations for kvm-wtrack's tests");
MODULE_LICENSE("GPL");
