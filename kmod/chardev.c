// SPDX-License-Identifier: GPL-2.0-only
/* /dev/kvm-wtrack: an open file is a session. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>

#include "kwt.h"

static int on_open(struct inode *inode, struct file *file)
{
	struct kwt_session *session = kwt_session_create();

	if (!session)
		return -ENOMEM;
	file->private_data = session;
	return stream_open(inode, file);
}

static int on_release(struct inode *inode, struct file *file)
{
	kwt_session_destroy(file->private_data);
	return 0;
}

static long on_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return kwt_ioctl(file->private_data, cmd, (void __user *)arg);
}

static ssize_t on_read(struct file *file, char __user *buf, size_t count,
		       loff_t *pos)
{
	return kwt_read(file->private_data, buf, count,
			file->f_flags & O_NONBLOCK);
}

static int on_mmap(struct file *file, struct vm_area_struct *vma)
{
	return kwt_ring_mmap(file->private_data, vma);
}

static __poll_t on_poll(struct file *file, struct poll_table_struct *table)
{
	struct kwt_session *session = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &session->waitq, table);
	if (kwt_ring_is_over(&session->ring))
		mask |= EPOLLHUP;
	if (!kwt_ring_made(session))
		return mask | EPOLLERR;
	if (kwt_wake_arm(session))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static void on_fdinfo(struct seq_file *m, struct file *file)
{
	kwt_fdinfo(m, file->private_data);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = on_open,
	.release = on_release,
	.unlocked_ioctl = on_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = on_read,
	.mmap = on_mmap,
	.poll = on_poll,
	.show_fdinfo = on_fdinfo,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvm-wtrack",
	.fops = &fops,
	.mode = 0600,
};

int kwt_chardev_register(void)
{
	return misc_register(&device);
}

void kwt_chardev_unregister(void)
{
	misc_deregister(&device);
}
