// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's life with us: found or made when the first session attaches, given up
 * when the last one leaves or when the VM turns out to be gone.
 *
 * Gone it is when the VMM's mm is (it exited, was killed, or called exec), or
 * when nobody but us holds a reference to it (the VMM closed all of its
 * descriptors). Both have to be looked for; that the VMM's process has ended is
 * told as well. Either way the sessions are told and our references are dropped,
 * so that KVM can destroy the VM; the sessions live on, without a VM.
 *
 * Nothing here takes the mmap_lock of the VMM, which a thread of it may hold for
 * as long as it likes, in a page fault on a file of its own file system; an mmu
 * notifier would. What has to run in the VMM's mm does so in a worker if the
 * VMM is another process, and who attaches waits for it interruptibly.
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
#include "guard.h"
#include "kwt.h"
#include "payer.h"
#include "vcpu.h"

/*
 * Is this descriptor a KVM VM? What follows is a cast of its private_data, so
 * nothing that user space can influence may count.
 *
 * Where KVM exports file_is_kvm() to everybody, it decides. Otherwise, and in
 * addition, what only the kernel sets: the file is an anonymous inode, of the
 * name that KVM gives to VMs, and the function that the kernel will call to
 * release it is KVM's own.
 */

static bool released_by_kvm(const struct file *file)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)file->f_op->release);
	/* Without the module's name when KVM is built in. */
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

/* References to the VM that are ours while we are registered. */
#define OWN_KVM_REFS	(1 + KWT_NODE_KVM_REFS)

/* In the way of a process' end, with locks held: nothing may be waited for. */
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

/* In the VMM's mm, which has a user. Under attach_lock. */
static int vm_start(struct kwt_vm *vm)
{
	int r;

	if (READ_ONCE(vm->kvm->vm_dead))
		return -ESRCH;
	r = kwt_probe_add(vm);
	if (r)
		return r;
	/* Faults are seen from here on, of those that have a place. */
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
 * A worker has no mm of its own and may borrow the VMM's, of which *@mm becomes
 * a user, or NULL. Under attach_lock.
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

/* Has a reference to the VM, and one to the module. */
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
	/* If the VMM has ended, its files may be long about their end. */
	if (mm)
		kwt_mmput_later(mm);
	/* The module is not unloaded before its work queue is empty. */
	module_put(THIS_MODULE);
}

/* Once for all who wait for it. Under attach_lock. */
static void vm_start_from_outside(struct kwt_vm *vm)
{
	if (vm->starting)
		return;
	refcount_inc(&vm->refs);
	__module_get(THIS_MODULE);
	WRITE_ONCE(vm->starting, true);
	queue_work(kwt_wq, &vm->start);
}

/* Under attach_lock. No gfn is armed any more, or the VM is gone. */
static void vm_stop(struct kwt_vm *vm)
{
	if (vm->pid)
		remove_wait_queue(&vm->pid->wait_pidfd, &vm->exit);
	kwt_probe_remove(vm);
	kwt_source_unregister(vm);
	vm->started = false;
}

/* The VM may be destroyed in here, with the vendor module's help. */
static void vm_release_kvm(struct kwt_vm *vm)
{
	vm->held = false;
	kvm_put_kvm(vm->kvm);
	module_put(vm->vendor);
}

/*
 * Let go of a VM that was stopped, or have @watch do it: KVM's srcu must not be
 * destroyed before the grace periods that we have begun are over. That is soon,
 * unless a vCPU sleeps in a page fault, and then it has a reference as well.
 * Under attach_lock, or nobody else knows the VM. Returns false when it is left
 * to @watch.
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
 * Tell the sessions and let go of the VM. Their sets stay until they are
 * closed: what is in a resync set may be worth a look at memory that is left.
 */
static void vm_give_up(struct kwt_vm *vm)
{
	struct kwt_session *session;

	mutex_lock(&vm->lock);
	kwt_pending_tell(&vm->space);
	vm->gone = true;
	list_for_each_entry(session, &vm->sessions, in_vm) {
		/* This guest goes on, and KVM with its counts. */
		if (READ_ONCE(vm->space.forbidden))
			kwt_set_disarm(&session->set);
		/* Its last record is another one, see end.c. */
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
	 * Who attaches to the same guest from here on makes another struct kwt_vm,
	 * and does not meet this one in the probes. Once KVM is let go of, its
	 * address may come to another VM.
	 */
	vm_set_stale(vm);
	vm_let_go(vm);
}

static bool vm_is_gone(struct kwt_vm *vm)
{
	return READ_ONCE(vm->space.forbidden) ||
	       kwt_mm_is_gone(vm) ||
	       refcount_read(&vm->kvm->users_count) == OWN_KVM_REFS;
}

/*
 * All sessions that are left were ended. Under attach_lock: none comes. A READ of
 * one of them may still be under way, and its use of the VMM's mm be known here
 * alone: see kwt_mm_is_gone().
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
		/* While the VM is paused, nobody else may come by. */
		kwt_pending_look(vm);
		kwt_absent_notice(vm);
		queue_delayed_work(kwt_wq, &vm->watch,
				   msecs_to_jiffies(READ_ONCE(kwt_poll_ms)));
	} else if (vm->gone) {
		vm_let_go(vm);
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

static void vm_free(struct kwt_vm *vm)
{
	kwt_space_exit(&vm->space);
	put_pid(vm->pid);
	kfree(vm);
}

/* Instead of watch_work(), when no session is left. */
static void let_go_work(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(to_delayed_work(work), struct kwt_vm,
					 watch);

	if (!vm_let_go(vm))
		return;
	vm_free(vm);
	/* As above. */
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
	/* Nobody can queue it any more; if it runs it finds us not started. */
	cancel_delayed_work_sync(&vm->watch);
	kwt_rearm_exit(vm);
	kwt_vcpus_free(&vm->space);

	INIT_DELAYED_WORK(&vm->watch, let_go_work);
	__module_get(THIS_MODULE);
	/* If not, the worker may have freed it already. */
	if (!vm_let_go(vm))
		return;
	vm_free(vm);
	module_put(THIS_MODULE);
}

/* Under session->lock. */
void kwt_session_number(struct kwt_session *session)
{
	if (!session->id)
		WRITE_ONCE(session->id, atomic64_inc_return(&last_session_id));
}

/* By id, which a session that was restricted before has had for a while. */
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
 * -EINPROGRESS: wait until @start is done, then again. -EAGAIN: take another struct
 * kwt_vm. Under attach_lock.
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
		/* It was given up just now, and is not found any more. */
	} while (r == -EAGAIN);
	return r;
}

/* The last thing a session does with its VM. */
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
