// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: its parameters, its device /dev/kvm-wtrack, its loading and
 * unloading.
 */
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/poll.h>

#include "guard.h"
#include "kwt.h"
#include "operand.h"

/*
 * Module parameters: limits that root may change at any time. The bounds hold
 * for every value that is written. A new value does not affect what is in use
 * already.
 */

/* The bounds of a parameter, for bounded_set(). */
struct bounds {
	unsigned int *value;
	unsigned int min;
	unsigned int max;
	bool power_of_2;
};

static int bounded_set(const char *text, const struct kernel_param *kp)
{
	const struct bounds *bounds = kp->arg;
	unsigned int value;
	int r = kstrtouint(text, 0, &value);

	if (r)
		return r;
	if (value < bounds->min || value > bounds->max)
		return -ERANGE;
	if (bounds->power_of_2 && !is_power_of_2(value))
		return -EINVAL;
	WRITE_ONCE(*bounds->value, value);
	return 0;
}

static int bounded_get(char *text, const struct kernel_param *kp)
{
	const struct bounds *bounds = kp->arg;

	return sysfs_emit(text, "%u\n", READ_ONCE(*bounds->value));
}

static const struct kernel_param_ops bounded_ops = {
	.set = bounded_set,
	.get = bounded_get,
};

#define BOUNDED(name, min_, max_, power_of_2_, text)			\
	static struct bounds name##_bounds = {				\
		&kwt_##name, (min_), (max_), (power_of_2_)		\
	};								\
	module_param_cb(name, &bounded_ops, &name##_bounds, 0644);	\
	MODULE_PARM_DESC(name, text)

/*
 * A vCPU visits all sessions that have a span in a chunk with preemption
 * disabled, and publishes a record for each session that tracks the gfn. The
 * limits on sessions and users bound this time.
 */
unsigned int kwt_max_sessions = 1024;
BOUNDED(max_sessions, 1, 1024, false,
	"sessions on one VM (1 to 1024)");
unsigned int kwt_max_users = 1024;
BOUNDED(max_users, 1, 1024, false,
	"sessions that track one gfn (1 to 1024)");
unsigned int kwt_max_records = 65536;
BOUNDED(max_records, KWT_MIN_RECORDS, KWT_MAX_RECORDS, true,
	"records in one ring (a power of two, 64 to 1048576)");
unsigned int kwt_max_pages = 1U << 22;
BOUNDED(max_pages, 1, UINT_MAX, false,
	"pages that one session tracks (1 to 4294967295)");
unsigned int kwt_guard_min_ms = 16;
BOUNDED(guard_min_ms, 8, 4000, false,
	"how long the guard leaves a page alone at first, in ms (8 to 4000)");
unsigned int kwt_guard_max_ms = 1024;
BOUNDED(guard_max_ms, 8, 4000, false,
	"how long the guard leaves a page alone at most, in ms (8 to 4000)");
unsigned int kwt_read_mib_per_s = 1024;
BOUNDED(read_mib_per_s, 1, 1048576, false,
	"guest memory that one session reads in a second, in MiB (1 to 1048576)");
unsigned int kwt_poll_ms = 200;
BOUNDED(poll_ms, 10, 60000, false,
	"how often to look for VMs that were closed, in ms (10 to 60000)");

/* The device: each open file is a session. */

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

/* Unbound: no work here needs a particular CPU, and some of it takes long. */
struct workqueue_struct *kwt_wq;

static int __init kwt_init(void)
{
	int r;

	BUILD_BUG_ON(PAGE_SIZE != KWT_PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct kvm_wtrack_record) != 64);
	/* vCPU ids fit the record's field vcpu. */
	BUILD_BUG_ON((KVM_MAX_VCPU_IDS - 1) >> 16);

	if (!kwt_track_exists()) {
		pr_err(KWT_NO_OPTION);
		return -EOPNOTSUPP;
	}
	kwt_operand_init();
	r = kwt_kvm_tp_find();
	if (r)
		return r;
	kwt_wq = alloc_workqueue("kvm-wtrack", WQ_UNBOUND, 0);
	if (!kwt_wq)
		return -ENOMEM;
	r = kwt_caches_create();
	if (r)
		goto err_wq;
	r = kwt_netlink_register();
	if (r)
		goto err_caches;
	r = misc_register(&device);
	if (r)
		goto err_netlink;
	return 0;

err_netlink:
	kwt_netlink_unregister();
err_caches:
	kwt_caches_destroy();
err_wq:
	destroy_workqueue(kwt_wq);
	return r;
}

/* No session is open, but closed sessions may still wait to be freed. */
static void __exit kwt_exit(void)
{
	misc_deregister(&device);
	kwt_probe_exit();
	/*
	 * Wait for their grace period, then for the work that it queued, which
	 * includes notices.
	 */
	rcu_barrier();
	destroy_workqueue(kwt_wq);
	kwt_netlink_unregister();
	kwt_caches_destroy();
}

module_init(kwt_init);
module_exit(kwt_exit);
MODULE_DESCRIPTION("Guest writes to chosen pages of a KVM guest, in user space");
MODULE_AUTHOR("The kvm-wtrack authors");
MODULE_LICENSE("GPL");
