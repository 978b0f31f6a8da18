// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session: one open file, from open(2) to the last close(2); the list of
 * sessions that wait for a VM; and the end of a session by an administrator.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "kwt.h"

/*
 * Sessions that were restricted and have no VM yet, by id. A broker hands such
 * a session over, and counts it until it is closed: dumps and notices report
 * these sessions like those with a VM.
 */
static DEFINE_MUTEX(waiting_lock);
static LIST_HEAD(waiting);

/*
 * Runs after a grace period, so that no hook can find a span of the session any
 * more.
 */
static void session_free(struct work_struct *work)
{
	struct kwt_session *session =
		container_of(to_rcu_work(work), struct kwt_session, free);

	kwt_wake_exit(session);
	cancel_work_sync(&session->notice_work);
	kwt_ring_unmake(session);
	mem_cgroup_put(session->payer);
	kwt_limits_exit(&session->limits);
	put_pid(session->opener);
	put_pid(session->vm_pid);
	kfree(session);
}

struct kwt_session *kwt_session_create(void)
{
	struct kwt_session *session = kzalloc(sizeof(*session),
					      GFP_KERNEL_ACCOUNT);

	if (!session)
		return NULL;
	session->opener = get_task_pid(current, PIDTYPE_TGID);
	session->opener_uid = current_uid();
	session->set.ring = &session->ring;
	session->ring.set = &session->set;
	session->set.spans = RB_ROOT;
	refcount_set(&session->refs, 1);
	INIT_LIST_HEAD(&session->in_vm);
	INIT_LIST_HEAD(&session->in_waiting);
	mutex_init(&session->lock);
	mutex_init(&session->read_lock);
	kwt_limits_init(&session->limits);
	kwt_wake_init(session);
	kwt_notice_init(session);
	kwt_sync_init(&session->ring);
	INIT_RCU_WORK(&session->free, session_free);
	return session;
}

/*
 * Put a session that was restricted into the list, unless it has a VM. The
 * caller holds session->lock.
 */
void kwt_session_wait(struct kwt_session *session)
{
	if (session->vm || !list_empty(&session->in_waiting))
		return;
	mutex_lock(&waiting_lock);
	/* Number it under the lock, because the list is sorted by id. */
	kwt_session_number(session);
	list_add_tail(&session->in_waiting, &waiting);
	mutex_unlock(&waiting_lock);
}

/*
 * Returns -ENOENT if the session did not wait, and -ESHUTDOWN if it was ended
 * while it did. The caller holds session->lock, or is the only user of the
 * session.
 */
static int stop_waiting(struct kwt_session *session)
{
	int r;

	if (list_empty(&session->in_waiting))
		return -ENOENT;
	mutex_lock(&waiting_lock);
	r = kwt_session_check(session);
	list_del_init(&session->in_waiting);
	mutex_unlock(&waiting_lock);
	return r;
}

/*
 * A session that has just got its VM still waits for a moment, see
 * kwt_session_attach().
 */
static bool session_waits(struct kwt_session *session)
{
	bool waits;

	mutex_lock(&waiting_lock);
	waits = !list_empty(&session->in_waiting);
	mutex_unlock(&waiting_lock);
	return waits;
}

/*
 * Call @fn for each waiting session with a higher id than *@id, until it
 * returns something else than 0. *@id becomes the id of the last session for
 * which it returned 0. No such session gets a ring or is freed meanwhile.
 */
int kwt_session_each_waiting(u64 *id,
			     int (*fn)(struct kwt_session *session, void *arg),
			     void *arg)
{
	struct kwt_session *session;
	int r = 0;

	mutex_lock(&waiting_lock);
	list_for_each_entry(session, &waiting, in_waiting) {
		if (session->id <= *id)
			continue;
		r = fn(session, arg);
		if (r)
			break;
		*id = session->id;
	}
	mutex_unlock(&waiting_lock);
	return r;
}

static struct kwt_session *find_waiting(u64 id)
{
	struct kwt_session *session;

	list_for_each_entry(session, &waiting, in_waiting)
		if (session->id == id)
			return session;
	return NULL;
}

/*
 * End a waiting session, which tracks nothing and has no ring. It may have its
 * VM by now, but ATTACH checks under waiting_lock before it returns:
 * finish_attach().
 */
static int end_waiting(u64 id)
{
	struct kwt_session *session;
	int r = -ENOENT;

	mutex_lock(&waiting_lock);
	session = find_waiting(id);
	if (session) {
		r = kwt_session_check(session);
		refcount_inc(&session->refs);
		WRITE_ONCE(session->ended, true);
		WRITE_ONCE(session->ring.ended, true);
	}
	mutex_unlock(&waiting_lock);
	if (!session)
		return r;
	if (!r) {
		wake_up_interruptible_poll(&session->waitq, EPOLLHUP);
		kwt_notice_session(session, KVM_WTRACK_EVENT_ENDED);
	}
	kwt_session_put(session);
	return r;
}

/*
 * The file is closed: neither a caller nor a mapping is left. The notice comes when
 * nothing is tracked any more, since its listener lets others have as much then.
 */
void kwt_session_destroy(struct kwt_session *session)
{
	bool known = session->vm;

	/*
	 * Let waiting vCPUs continue: kwt_vm_leave() waits for KVM, and KVM for
	 * them.
	 */
	kwt_sync_close(&session->ring);
	if (session->vm)
		kwt_vm_leave(session);
	else
		known = stop_waiting(session) != -ENOENT;
	if (known)
		kwt_notice_session(session, KVM_WTRACK_EVENT_DETACHED);
	kwt_session_put(session);
}

/*
 * The session has its VM, where a dump that begins now finds it. If it was
 * ended meanwhile, it does not keep the VM. The caller holds session->lock.
 */
static int finish_attach(struct kwt_session *session)
{
	struct kwt_vm *vm = session->vm;

	if (stop_waiting(session) != -ESHUTDOWN)
		return 0;
	mutex_lock(&vm->lock);
	vm->nr_sessions--;
	mutex_unlock(&vm->lock);
	kwt_vm_look(vm);
	return -ESHUTDOWN;
}

int kwt_session_attach(struct kwt_session *session, int vm_fd)
{
	struct file *file;
	int r;

	file = fget(vm_fd);
	if (!file)
		return -EBADF;
	r = -EBADFD;
	if (!kwt_file_is_vm(file))
		goto out_fput;
	r = mutex_lock_interruptible(&session->lock);
	if (r)
		goto out_fput;
	r = session->vm ? -EISCONN : kwt_vm_join(session, file);
	if (!r)
		r = finish_attach(session);
	mutex_unlock(&session->lock);
	if (!r)
		kwt_notice_session(session, KVM_WTRACK_EVENT_ATTACHED);
out_fput:
	fput(file);
	return r;
}

/*
 * Returns the session with a reference, or NULL if it is not on this VM. A
 * session that still waits got its number after end_waiting() had looked for
 * it. The caller holds the VM's lock.
 */
static struct kwt_session *find_on_vm(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;

	list_for_each_entry(session, &vm->sessions, in_vm)
		if (session->id == id && !session_waits(session)) {
			refcount_inc(&session->refs);
			return session;
		}
	return NULL;
}

/*
 * From here on nothing is added to the session, and it gets no ring. The caller
 * holds the VM's lock.
 */
static int begin_end(struct kwt_session *session)
{
	if (session->ended)
		return -ESHUTDOWN;
	WRITE_ONCE(session->ended, true);
	/*
	 * Let waiting vCPUs continue: unregistering from KVM waits for them
	 * later.
	 */
	kwt_sync_close(&session->ring);
	return 0;
}

/*
 * Publish the last record. The VM is not given up before nothing is armed for
 * this session any more.
 */
static void finish_end(struct kwt_vm *vm, struct kwt_session *session)
{
	struct kwt_ring *ring = &session->ring;

	/* Wait for hooks that found a gfn tracked, and so for their records. */
	synchronize_rcu();
	mutex_lock(&vm->lock);
	vm->nr_sessions--;
	if (ring->native)
		WRITE_ONCE(vm->space.natives, vm->space.natives - 1);
	if (ring->synchronous)
		vm->nr_syncs--;
	/* No record follows VM_GONE, if that came first. */
	if (kwt_ring_made(session) && !ring->gone)
		kwt_ring_end(ring, ktime_get_ns());
	else
		WRITE_ONCE(ring->ended, true);
	mutex_unlock(&vm->lock);
	wake_up_interruptible_poll(&session->waitq, EPOLLHUP);
}

static int end_on_vm(struct kwt_vm *vm, u64 id)
{
	struct kwt_session *session;
	int r = -ENOENT;

	mutex_lock(&vm->lock);
	session = find_on_vm(vm, id);
	if (session)
		r = begin_end(session);
	mutex_unlock(&vm->lock);
	if (!session)
		return r;
	if (!r) {
		/*
		 * A store to a removed page gets no record later: publish it
		 * now.
		 */
		kwt_pending_look(vm);
		kwt_range_untrack(session);
		finish_end(vm, session);
		kwt_notice_session(session, KVM_WTRACK_EVENT_ENDED);
		kwt_vm_look(vm);
	}
	kwt_session_put(session);
	return r;
}

/*
 * End a session that any process holds, for an administrator: this module
 * tracks nothing for it any more, and it does not keep the VM. Its reader may
 * still read what is in the ring. When this returns, no page is tracked for the
 * session any more.
 */
int kwt_session_end(u64 id)
{
	struct kwt_vm *vm;
	u64 vm_id = 0;
	int r;

	/* Look here first: a session that has left this list is on its VM. */
	r = end_waiting(id);
	while (r == -ENOENT && (vm = kwt_vm_next(vm_id))) {
		vm_id = vm->id;
		r = end_on_vm(vm, id);
		kwt_vm_put(vm);
	}
	return r;
}
