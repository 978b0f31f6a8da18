// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's life with us: found or made when the first session attaches, given up
 * when the last one leaves or when the VM turns out to be gone.
 *
 * Gone it is when the VMM's mm is (it exited, was killed, or called exec), or
 * when nobody but us holds a reference to it (the VMM closed all of its
 * descriptors). The first is told by an mmu notifier, the second has to be
 * looked for. Either way the sessions are told and our references are dropped,
 * so that KVM can destroy the VM; the sessions live on, without a VM.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "guard.h"
#include "kwt.h"
#include "payer.h"
#include "vcpu.h"

static DEFINE_MUTEX(kwt_vms_lock);
static LIST_HEAD(vms);		/* by id; kwt_vms_lock */
static u64 last_id;		/* kwt_vms_lock */
static atomic64_t last_session_id;

/* References to the VM that are ours while we are registered. */
#define OWN_KVM_REFS	(1 + KWT_NODE_KVM_REFS)

/* In the way of the mm's end: nothing may be waited for here. */
static void on_mm_release(struct mmu_notifier *death, struct mm_struct *mm)
{
	struct kwt_vm *vm = container_of(death, struct kwt_vm, death);

	WRITE_ONCE(vm->mm_gone, true);
	mod_delayed_work(kwt_wq, &vm->watch, 0);
}

static const struct mmu_notifier_ops death_ops = {
	.release = on_mm_release,
};

/* The process of the VMM, which is often not the one that attaches. */
static struct pid *mm_pid(struct mm_struct *mm)
{
	struct pid *pid = NULL;
#ifdef CONFIG_MEMCG
	struct task_struct *owner;
#endif

	if (current->mm == mm)
		return get_task_pid(current, PIDTYPE_TGID);
#ifdef CONFIG_MEMCG
	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	if (owner)
		pid = get_pid(task_tgid(owner));
	rcu_read_unlock();
#endif
	return pid;
}

/* Under attach_lock. */
static int vm_start(struct kwt_vm *vm)
{
	struct mm_struct *mm = vm->kvm->mm;
	int r = -ESRCH;

	if (!mmget_not_zero(mm))
		return r;
	if (READ_ONCE(vm->kvm->vm_dead))
		goto out_mmput;
	r = kwt_probe_add(vm);
	if (r)
		goto out_mmput;
	r = kwt_source_register(vm);
	if (r)
		goto err_probe;
	r = mmu_notifier_register(&vm->death, mm);
	if (r)
		goto err_source;
	vm->pid = mm_pid(mm);
	vm->started = true;
	queue_delayed_work(kwt_wq, &vm->watch,
			   msecs_to_jiffies(READ_ONCE(kwt_poll_ms)));
	mmput(mm);
	return 0;

err_source:
	kwt_source_unregister(vm);
err_probe:
	kwt_probe_remove(vm);
out_mmput:
	mmput(mm);
	return r;
}

/* Under attach_lock. No gfn is armed any more, or the VM is gone. */
static void vm_stop(struct kwt_vm *vm)
{
	mmu_notifier_unregister(&vm->death, vm->kvm->mm);
	kwt_probe_remove(vm);
	kwt_source_unregister(vm);
	vm->started = false;
}

/* The VM may be destroyed in here, with the vendor module's help. */
static void vm_release_kvm(struct kwt_vm *vm)
{
	kvm_put_kvm(vm->kvm);
	module_put(vm->vendor);
}

static void vm_set_stale(struct kwt_vm *vm)
{
	mutex_lock(&kwt_vms_lock);
	vm->stale = true;
	mutex_unlock(&kwt_vms_lock);
}

/*
 * Tell the sessions and let go of the VM. Their sets stay until they are
 * closed: what is in a resync set may be worth a look at memory that is left.
 */
static void vm_give_up(struct kwt_vm *vm)
{
	struct kwt_session *session;

	/* From here on the address of this struct kvm may come to another VM. */
	vm_set_stale(vm);

	mutex_lock(&vm->lock);
	vm->gone = true;
	list_for_each_entry(session, &vm->sessions, in_vm) {
		if (kwt_ring_made(session))
			kwt_ring_gone(&session->ring, ktime_get_ns());
		else
			WRITE_ONCE(session->ring.gone, true);
		kwt_notice_session(session, KVM_WTRACK_EVENT_VM_GONE);
	}
	mutex_unlock(&vm->lock);

	vm_stop(vm);
	vm_release_kvm(vm);
}

static bool vm_is_gone(const struct kwt_vm *vm)
{
	return READ_ONCE(vm->mm_gone) ||
	       refcount_read(&vm->kvm->users_count) == OWN_KVM_REFS;
}

static void watch(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(to_delayed_work(work), struct kwt_vm,
					 watch);

	mutex_lock(&vm->attach_lock);
	if (vm->started) {
		if (vm_is_gone(vm))
			vm_give_up(vm);
		else
			queue_delayed_work(kwt_wq, &vm->watch,
				msecs_to_jiffies(READ_ONCE(kwt_poll_ms)));
	}
	mutex_unlock(&vm->attach_lock);
}

/* @file keeps @kvm until we have a reference of our own. */
static struct kwt_vm *vm_create(struct kvm *kvm, struct file *file)
{
	struct kwt_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	if (kwt_space_init(&vm->space))
		goto err_free;
	/*
	 * A reference to the VM does not keep kvm_amd or kvm_intel, whose code
	 * it takes to destroy the VM. The open file has them; take our own.
	 */
	vm->vendor = file->f_op->owner;
	if (!try_module_get(vm->vendor))
		goto err_space;
	kvm_get_kvm(kvm);
	vm->kvm = kvm;
	vm->death.ops = &death_ops;
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->attach_lock);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->sessions);
	INIT_DELAYED_WORK(&vm->watch, watch);
	kwt_rearm_init(vm);
	return vm;

err_space:
	kwt_space_exit(&vm->space);
err_free:
	kfree(vm);
	return NULL;
}

/* It was in no list, so that nobody but the caller knows it. */
static void vm_discard(struct kwt_vm *vm)
{
	vm_release_kvm(vm);
	kwt_space_exit(&vm->space);
	kfree(vm);
}

/* With a reference, or NULL. Under kwt_vms_lock. */
static struct kwt_vm *vm_find(struct kvm *kvm)
{
	struct kwt_vm *vm;

	list_for_each_entry(vm, &vms, in_vms)
		if (vm->kvm == kvm && !vm->stale) {
			refcount_inc(&vm->refs);
			return vm;
		}
	return NULL;
}

/*
 * Find or make. The caller may be made to reclaim memory for it: the list is
 * not locked meanwhile, and whoever was faster has put the VM in.
 */
static struct kwt_vm *vm_get(struct kvm *kvm, struct file *file)
{
	struct kwt_vm *vm, *new;
	struct kwt_payer payer;

	mutex_lock(&kwt_vms_lock);
	vm = vm_find(kvm);
	mutex_unlock(&kwt_vms_lock);
	if (vm)
		return vm;
	kwt_payer_begin(&payer, kvm);
	new = vm_create(kvm, file);
	kwt_payer_end(&payer);
	if (!new)
		return NULL;
	mutex_lock(&kwt_vms_lock);
	vm = vm_find(kvm);
	if (!vm) {
		new->id = ++last_id;
		new->space.id = new->id;
		list_add_tail(&new->in_vms, &vms);
	}
	mutex_unlock(&kwt_vms_lock);
	if (!vm)
		return new;
	vm_discard(new);
	return vm;
}

/* The first VM with a higher id, with a reference. */
struct kwt_vm *kwt_vm_next(u64 id)
{
	struct kwt_vm *vm;

	mutex_lock(&kwt_vms_lock);
	list_for_each_entry(vm, &vms, in_vms)
		if (vm->id > id) {
			refcount_inc(&vm->refs);
			goto out;
		}
	vm = NULL;
out:
	mutex_unlock(&kwt_vms_lock);
	return vm;
}

void kwt_vm_put(struct kwt_vm *vm)
{
	if (!refcount_dec_and_mutex_lock(&vm->refs, &kwt_vms_lock))
		return;
	list_del(&vm->in_vms);
	mutex_unlock(&kwt_vms_lock);

	mutex_lock(&vm->attach_lock);
	if (vm->started)
		vm_stop(vm);
	mutex_unlock(&vm->attach_lock);
	/* Nobody can queue it any more; if it runs it finds us not started. */
	cancel_delayed_work_sync(&vm->watch);
	kwt_rearm_exit(vm);
	kwt_vcpus_free(&vm->space);
	if (!vm->gone)
		vm_release_kvm(vm);
	kwt_space_exit(&vm->space);
	put_pid(vm->pid);
	kfree(vm);
}

static int vm_add_session(struct kwt_vm *vm, struct kwt_session *session)
{
	int r = -EUSERS;

	mutex_lock(&vm->lock);
	if (vm->nr_sessions < READ_ONCE(kwt_max_sessions)) {
		session->set.space = &vm->space;
		session->id = atomic64_inc_return(&last_session_id);
		session->ring.id = session->id;
		session->ring.vm = vm->id;
		session->vm_id = vm->id;
		session->vm_pid = get_pid(vm->pid);
		vm->nr_sessions++;
		list_add_tail(&session->in_vm, &vm->sessions);
		/* Pairs with the acquire in kwt_session_vm(). */
		smp_store_release(&session->vm, vm);
		r = 0;
	}
	mutex_unlock(&vm->lock);
	return r;
}

/* Attach @session, which is not attached, to the VM of @file. */
int kwt_vm_join(struct kwt_session *session, struct file *file)
{
	struct kvm *kvm = file->private_data;
	struct kwt_vm *vm;
	int r;

	if (kwt_kvm_is_confidential(kvm))
		return -EOPNOTSUPP;
	vm = vm_get(kvm, file);
	if (!vm)
		return -ENOMEM;
	r = mutex_lock_killable(&vm->attach_lock);
	if (r)
		goto err_put;
	if (vm->gone)
		r = -ESRCH;
	else if (!vm->started)
		r = vm_start(vm);
	if (!r)
		r = vm_add_session(vm, session);
	mutex_unlock(&vm->attach_lock);
err_put:
	if (r)
		kwt_vm_put(vm);
	return r;
}

/* The last thing a session does with its VM. */
void kwt_vm_leave(struct kwt_session *session)
{
	struct kwt_vm *vm = session->vm;

	kwt_range_drop(session);
	mutex_lock(&vm->lock);
	list_del(&session->in_vm);
	vm->nr_sessions--;
	if (session->ring.native)
		WRITE_ONCE(vm->space.natives, vm->space.natives - 1);
	mutex_unlock(&vm->lock);
	kwt_vm_put(vm);
}
