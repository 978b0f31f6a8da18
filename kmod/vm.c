// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a struct kwt_vm: made when the first session attaches to a VM,
 * given up when the last session leaves or when the VM is gone.
 *
 * A VM is gone when the VMM's mm has ended (the VMM exited, was killed, or
 * called exec), or when only this module holds a reference to it (the VMM
 * closed all of its descriptors). The watch polls for both; the end of the
 * VMM's process also wakes it. The watch then publishes VM_GONE to the sessions
 * and drops the module's references, so that KVM can destroy the VM. The
 * sessions continue without a VM.
 *
 * Nothing here takes the mmap_lock of the VMM, because one of its threads may
 * hold it without a time limit, in a page fault on a file of its own file
 * system. An mmu notifier would take it. What has to run in the VMM's mm runs
 * in a worker if the VMM is another process, and the caller of ATTACH waits for
 * it interruptibly.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat/mm.h"
#include "compat/users.h"
#include "guard.h"
#include "kwt.h"
#include "payer.h"
#include "vcpu.h"

/*
 * Is this descriptor a KVM VM? The caller casts its private_data next, so the
 * answer must not depend on anything that user space can influence.
 *
 * Where KVM exports file_is_kvm(), that decides. In addition, and where KVM
 * does not, these functions check what only the kernel sets: the file is an
 * anonymous inode with the name that KVM gives to VMs, and the function that
 * releases it is KVM's.
 */

static bool released_by_kvm(const struct file *file)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)file->f_op->release);
	/* There is no module's name when KVM is built in. */
	return !strcmp(name, "kvm_vm_release [kvm]") ||
	       !strcmp(name, "kvm_vm_release");
}

static bool looks_like_vm(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "kvm-vm") &&
	       released_by_kvm(file);
}

bool kwt_file_is_vm(struct file *file)
{
#ifdef KWT_HAVE_FILE_IS_KVM
	if (!file_is_kvm(file))
		return false;
#endif
	return looks_like_vm(file);
}

static DEFINE_MUTEX(kwt_vms_lock);
static LIST_HEAD(vms);		/* by id; kwt_vms_lock */
static u64 last_id;		/* kwt_vms_lock */
static atomic64_t last_session_id;

/* References to the VM that this module holds while it is registered. */
#define OWN_KVM_REFS	(1 + KWT_NODE_KVM_REFS)

/* Runs at the end of the VMM's process, with locks held: must not sleep. */
static int on_vmm_exit(wait_queue_entry_t *exit, unsigned int mode, int flags,
		   void *key)
{
	struct kwt_vm *vm = container_of(exit, struct kwt_vm, exit);

	mod_delayed_work(kwt_wq, &vm->watch, 0);
	return 0;
}

/* The process of the VMM, which is often not the one that attaches. */
static struct pid *mm_pid(struct mm_struct *mm)
{
	struct pid *pid = NULL;
#ifdef CONFIG_MEMCG
	struct task_struct *owner;
#endif

	if (current->mm == mm && !(current->flags & PF_KTHREAD))
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

/* Runs in the VMM's mm, which has a user. The caller holds attach_lock. */
static int vm_start(struct kwt_vm *vm)
{
	int r;

	if (READ_ONCE(vm->kvm->vm_dead))
		return -ESRCH;
	r = kwt_probe_add(vm);
	if (r)
		return r;
	/* From here on the guard sees faults of vCPUs that have a place. */
	mutex_lock(&vm->lock);
	r = kwt_vcpus_update(&vm->space, vm->kvm);
	mutex_unlock(&vm->lock);
	if (!r)
		r = kwt_source_register(vm);
	if (r) {
		kwt_probe_remove(vm);
		return r;
	}
	vm->pid = mm_pid(vm->kvm->mm);
	if (vm->pid)
		add_wait_queue(&vm->pid->wait_pidfd, &vm->exit);
	vm->started = true;
	queue_delayed_work(kwt_wq, &vm->watch,
			   msecs_to_jiffies(READ_ONCE(kwt_poll_ms)));
	return 0;
}

/*
 * Start in a worker, which has no mm of its own and borrows the VMM's. *@mm
 * becomes the mm, with a use that the caller drops, or NULL. The caller holds
 * attach_lock.
 */
static int vm_start_in_worker(struct kwt_vm *vm, struct mm_struct **mm)
{
	int r;

	*mm = NULL;
	if (vm->started)
		return 0;
	if (vm->gone || !mmget_not_zero(vm->kvm->mm))
		return -ESRCH;
	*mm = vm->kvm->mm;
	kthread_use_mm(*mm);
	r = vm_start(vm);
	kthread_unuse_mm(*mm);
	return r;
}

/* The work holds a reference to the VM, and one to the module. */
static void start_work(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(work, struct kwt_vm, start);
	struct mm_struct *mm;

	mutex_lock(&vm->attach_lock);
	vm->start_error = vm_start_in_worker(vm, &mm);
	WRITE_ONCE(vm->starting, false);
	mutex_unlock(&vm->attach_lock);
	wake_up_all(&vm->start_wait);
	kwt_vm_put(vm);
	/*
	 * If the VMM has ended, dropping the last use closes its files, which
	 * may take long.
	 */
	if (mm)
		kwt_mmput_later(mm);
	/*
	 * kwt_exit() waits for the work queue, so the code stays until this
	 * returns.
	 */
	module_put(THIS_MODULE);
}

/*
 * Queue @start once for all callers that wait for it. The caller holds
 * attach_lock.
 */
static void vm_start_from_outside(struct kwt_vm *vm)
{
	if (vm->starting)
		return;
	refcount_inc(&vm->refs);
	__module_get(THIS_MODULE);
	WRITE_ONCE(vm->starting, true);
	queue_work(kwt_wq, &vm->start);
}

/* No gfn is armed any more, or the VM is gone. The caller holds attach_lock. */
static void vm_stop(struct kwt_vm *vm)
{
	if (vm->pid)
		remove_wait_queue(&vm->pid->wait_pidfd, &vm->exit);
	kwt_probe_remove(vm);
	kwt_source_unregister(vm);
	vm->started = false;
}

/* KVM may destroy the VM in here, for which it needs the vendor module. */
static void vm_release_kvm(struct kwt_vm *vm)
{
	vm->held = false;
	kvm_put_kvm(vm->kvm);
	module_put(vm->vendor);
}

/*
 * Release a VM that was stopped, or leave it to @watch: KVM must not destroy
 * its srcu before the grace periods that this module began are over. They are
 * over soon, unless a vCPU sleeps in a page fault, and then the vCPU's file
 * holds a reference as well. The caller holds attach_lock, or the VM is in no
 * list. Returns false when it is left to @watch.
 */
static bool vm_let_go(struct kwt_vm *vm)
{
	if (vm->held && !kwt_grace_is_over(&vm->space)) {
		queue_delayed_work(kwt_wq, &vm->watch, 1);
		return false;
	}
	if (vm->held)
		vm_release_kvm(vm);
	return true;
}

static void vm_set_stale(struct kwt_vm *vm)
{
	mutex_lock(&kwt_vms_lock);
	vm->stale = true;
	mutex_unlock(&kwt_vms_lock);
}

/*
 * Publish VM_GONE to the sessions and release the VM. Their sets stay until
 * they are closed: their readers may still fetch the resync sets.
 */
static void vm_give_up(struct kwt_vm *vm)
{
	struct kwt_session *session;

	mutex_lock(&vm->lock);
	kwt_pending_tell(&vm->space);
	vm->gone = true;
	list_for_each_entry(session, &vm->sessions, in_vm) {
		/* This guest keeps running, and KVM keeps its counts. */
		if (READ_ONCE(vm->space.forbidden))
			kwt_set_disarm(&session->set);
		/* Its last record is ENDED, see finish_end() in session.c. */
		if (session->ended)
			continue;
		if (kwt_ring_made(session))
			kwt_ring_gone(&session->ring, ktime_get_ns());
		else
			WRITE_ONCE(session->ring.gone, true);
		kwt_sync_close(&session->ring);
		kwt_notice_session(session, KVM_WTRACK_EVENT_VM_GONE);
	}
	mutex_unlock(&vm->lock);

	vm_stop(vm);
	/*
	 * A caller that attaches to the same guest from here on makes another
	 * struct kwt_vm, and the probes do not find this one. Once struct kvm
	 * is released, another VM may get its address.
	 */
	vm_set_stale(vm);
	vm_let_go(vm);
}

static bool vm_is_gone(struct kwt_vm *vm)
{
	return READ_ONCE(vm->space.forbidden) ||
	       kwt_mm_is_gone(vm) ||
	       kwt_kvm_users(vm->kvm) == OWN_KVM_REFS;
}

/*
 * Were all remaining sessions ended? The caller holds attach_lock, so that no
 * session is added. A READ of one of them may still be under way; its use of
 * the VMM's mm must stay counted in this struct: see kwt_mm_is_gone().
 */
static bool vm_is_deserted(struct kwt_vm *vm)
{
	mutex_lock(&vm->lock);
	vm->deserted = !list_empty(&vm->sessions) && !vm->nr_sessions &&
		       !READ_ONCE(vm->mm_uses);
	mutex_unlock(&vm->lock);
	return vm->deserted;
}

static void watch_work(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(to_delayed_work(work), struct kwt_vm,
					 watch);

	mutex_lock(&vm->attach_lock);
	if (vm->started && (vm_is_deserted(vm) || vm_is_gone(vm))) {
		vm_give_up(vm);
	} else if (vm->started) {
		/* Nothing else looks while the VM is paused. */
		kwt_pending_look(vm);
		kwt_absent_notice(vm);
		queue_delayed_work(kwt_wq, &vm->watch,
				   msecs_to_jiffies(READ_ONCE(kwt_poll_ms)));
	} else if (vm->gone) {
		vm_let_go(vm);
	}
	mutex_unlock(&vm->attach_lock);
}

/* @file keeps @kvm until this function has taken a reference. */
static struct kwt_vm *vm_create(struct kvm *kvm, struct file *file)
{
	struct kwt_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	if (kwt_space_init(&vm->space))
		goto err_free;
	/*
	 * A reference to the VM does not keep kvm_amd or kvm_intel, whose code
	 * KVM needs to destroy the VM. The open file has a reference to it;
	 * take another.
	 */
	vm->vendor = file->f_op->owner;
	if (!try_module_get(vm->vendor))
		goto err_space;
	kvm_get_kvm(kvm);
	vm->kvm = kvm;
	vm->held = true;
	init_waitqueue_func_entry(&vm->exit, on_vmm_exit);
	init_waitqueue_head(&vm->start_wait);
	INIT_WORK(&vm->start, start_work);
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->attach_lock);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->mm_lock);
	INIT_LIST_HEAD(&vm->sessions);
	INIT_DELAYED_WORK(&vm->watch, watch_work);
	kwt_rearm_init(vm);
	return vm;

err_space:
	kwt_space_exit(&vm->space);
err_free:
	kfree(vm);
	return NULL;
}

/* Free a VM that was in no list, so that only the caller has it. */
static void vm_discard(struct kwt_vm *vm)
{
	vm_release_kvm(vm);
	kwt_space_exit(&vm->space);
	kfree(vm);
}

/* Returns the VM with a reference, or NULL. The caller holds kwt_vms_lock. */
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
 * Find or make the VM. The allocation may reclaim memory, so the list is not
 * locked meanwhile, and another caller may have added the VM by then.
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

/* Returns the first VM with a higher id, with a reference, or NULL. */
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

static void vm_free(struct kwt_vm *vm)
{
	kwt_space_exit(&vm->space);
	put_pid(vm->pid);
	kfree(vm);
}

/* Runs instead of watch_work() when no session is left. */
static void let_go_work(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(to_delayed_work(work), struct kwt_vm,
					 watch);

	if (!vm_let_go(vm))
		return;
	vm_free(vm);
	/* kwt_exit() waits for the work queue, see start_work(). */
	module_put(THIS_MODULE);
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
	/*
	 * Nothing queues it any more; if it runs, it finds the VM not started.
	 */
	cancel_delayed_work_sync(&vm->watch);
	kwt_rearm_exit(vm);
	kwt_vcpus_free(&vm->space);

	INIT_DELAYED_WORK(&vm->watch, let_go_work);
	__module_get(THIS_MODULE);
	/* If it returned false, let_go_work() may have freed the VM already. */
	if (!vm_let_go(vm))
		return;
	vm_free(vm);
	module_put(THIS_MODULE);
}

/* The caller holds session->lock. */
void kwt_session_number(struct kwt_session *session)
{
	if (!session->id)
		WRITE_ONCE(session->id, atomic64_inc_return(&last_session_id));
}

/*
 * The place in the list, which is sorted by id. A session that was restricted
 * before may have a lower id than the last one.
 */
static struct list_head *session_place(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;

	list_for_each_entry_reverse(session, &vm->sessions, in_vm)
		if (session->id < id)
			return &session->in_vm;
	return &vm->sessions;
}

static int vm_add_session(struct kwt_vm *vm, struct kwt_session *session)
{
	int r = -EUSERS;

	mutex_lock(&vm->lock);
	if (vm->nr_sessions < READ_ONCE(kwt_max_sessions)) {
		session->set.space = &vm->space;
		kwt_session_number(session);
		session->ring.id = session->id;
		session->ring.vm = vm->id;
		session->vm_id = vm->id;
		session->vm_pid = get_pid(vm->pid);
		vm->nr_sessions++;
		list_add(&session->in_vm, session_place(vm, session->id));
		/* Pairs with the acquire in kwt_session_vm(). */
		smp_store_release(&session->vm, vm);
		r = 0;
	}
	mutex_unlock(&vm->lock);
	return r;
}

/*
 * Returns -EINPROGRESS when the caller has to wait until @start is done and try
 * again, and -EAGAIN when it has to take another struct kwt_vm. The caller
 * holds attach_lock.
 */
static int vm_join_locked(struct kwt_vm *vm, struct kwt_session *session,
			  bool waited)
{
	int r = 0;

	if (vm->gone)
		return vm->deserted ? -EAGAIN : -ESRCH;
	if (!vm->started && current->mm == vm->kvm->mm) {
		r = vm_start(vm);
	} else if (!vm->started) {
		if (waited && !vm->starting)
			return vm->start_error;
		vm_start_from_outside(vm);
		return -EINPROGRESS;
	}
	return r ?: vm_add_session(vm, session);
}

static int vm_join(struct kwt_vm *vm, struct kwt_session *session)
{
	bool waited = false;
	int r;

	for (;; waited = true) {
		r = mutex_lock_interruptible(&vm->attach_lock);
		if (r)
			return r;
		r = vm_join_locked(vm, session, waited);
		mutex_unlock(&vm->attach_lock);
		if (r != -EINPROGRESS)
			return r;
		if (wait_event_interruptible(vm->start_wait,
					     !READ_ONCE(vm->starting)))
			return -EINTR;
	}
}

/* Attach @session, which is not attached, to the VM of @file. */
int kwt_vm_join(struct kwt_session *session, struct file *file)
{
	struct kvm *kvm = file->private_data;
	struct kwt_vm *vm;
	int r;

	if (kwt_kvm_is_confidential(kvm))
		return -EOPNOTSUPP;
	do {
		vm = vm_get(kvm, file);
		if (!vm)
			return -ENOMEM;
		r = vm_join(vm, session);
		if (r)
			kwt_vm_put(vm);
		/*
		 * It was given up just now, and vm_find() does not find it any
		 * more.
		 */
	} while (r == -EAGAIN);
	return r;
}

/* Detach the session from its VM. Nothing uses session->vm afterwards. */
void kwt_vm_leave(struct kwt_session *session)
{
	struct kwt_vm *vm = session->vm;

	kwt_range_drop(session);
	mutex_lock(&vm->lock);
	list_del(&session->in_vm);
	if (!session->ended)
		vm->nr_sessions--;
	if (session->ring.native && !session->ended)
		WRITE_ONCE(vm->space.natives, vm->space.natives - 1);
	if (session->ring.synchronous && !session->ended)
		vm->nr_syncs--;
	mutex_unlock(&vm->lock);
	kwt_vm_put(vm);
}
