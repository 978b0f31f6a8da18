// SPDX-License-Identifier: GPL-2.0-only
/* The module's life: a ladder up, the same ladder down. */
#include <linux/module.h>

#include "guard.h"
#include "kwt.h"
#include "operand.h"

/* Unbound: nothing here is tied to a CPU, and some of it takes its time. */
struct workqueue_struct *kwt_wq;

static int __init kwt_init(void)
{
	int r;

	BUILD_BUG_ON(PAGE_SIZE != KWT_PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct kvm_wtrack_record) != 64);
	/* They fit the record. */
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
	r = kwt_chardev_register();
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

/* No session is open. Those that were closed may not be freed yet. */
static void __exit kwt_exit(void)
{
	kwt_chardev_unregister();
	kwt_probe_exit();
	/* Their grace period, then the work that it queued, notices included. */
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
