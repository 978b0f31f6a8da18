// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ: guest memory for the holder of a session, in pieces.
 *
 * A memslot says at which address the VMM has a gfn. It may go away while its
 * pages are read, and the VMM may then use that address for something else. So
 * READ copies the bytes into a buffer first, and hands them to the caller only
 * if the memslots are still the same. Writing to the caller's memory may take
 * without a limit, so READ holds nothing of the VM then.
 *
 * READ holds the VM's lock for a look at the memslots, before and after. It
 * holds a use of the VMM's mm while it fetches the pages, which may take as
 * long as the VMM likes. These uses are counted, so that the module still
 * notices the end of the VMM.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "compat/gup.h"
#include "compat/mm.h"
#include "ioctl.h"

/* How often a piece is read again because the memslots changed meanwhile. */
#define MAX_TRIES	32
/* After so many tries, sleep for a tick before each. */
#define BUSY_TRIES	4

/* After a pause, a session may read so much above its rate. */
#define BURST_NS	(100 * NSEC_PER_MSEC)

/* How much is read at a time, into a buffer of the kernel. */
#define PIECE_PAGES	16
#define PIECE_BYTES	((u32)PIECE_PAGES << PAGE_SHIFT)

/**
 * struct piece - bytes of consecutive pages of the VMM
 * @mm: the VMM's, of which the caller holds a use
 * @hva: of the first page
 * @offset: of the first byte in it
 * @len: bytes, within PIECE_PAGES pages
 * @nofault: read only what is present
 * @data: where the bytes go, room for @len
 * @pages: room for PIECE_PAGES pointers
 */
struct piece {
	struct mm_struct *mm;
	unsigned long hva;
	u32 offset;
	u32 len;
	bool nofault;
	void *data;
	struct page **pages;
};

/*
 * Read memory of the VMM as it would itself: pages that are not present are
 * fetched, by page faults. Meanwhile READ holds a use of the mm and, as far as
 * the kernel holds it in a page fault, its mmap_lock, and nothing else.
 *
 * A page fault on anonymous memory that was never written would map a page of
 * zeros, and allocate page tables for it, which count for the VMM when memory
 * runs out. So the functions below look in the page tables first, and return
 * zeros for such memory.
 */

static u32 piece_pages(const struct piece *piece)
{
	return DIV_ROUND_UP(piece->offset + piece->len, PAGE_SIZE);
}

/*
 * Is there no entry for @addr in the page tables of @mm? The walk is that of
 * GUP-fast: page tables are not freed while interrupts are disabled here. The
 * caller holds mmap_lock.
 */
static bool has_no_entry(struct mm_struct *mm, unsigned long addr)
{
	pgd_t pgd = READ_ONCE(*pgd_offset(mm, addr));
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	if (pgd_none(pgd))
		return true;
	p4d = READ_ONCE(*p4d_offset(&pgd, addr));
	if (p4d_none(p4d))
		return true;
	pud = READ_ONCE(*pud_offset(&p4d, addr));
	if (pud_none(pud) || pud_leaf(pud))
		return pud_none(pud);
	pmd = READ_ONCE(*pmd_offset(&pud, addr));
	/* An entry that is not present is being migrated. */
	if (pmd_none(pmd) || pmd_leaf(pmd) || !pmd_present(pmd))
		return pmd_none(pmd);
	return pte_none(READ_ONCE(*pte_offset_kernel(&pmd, addr)));
}

/* Is @addr zeros, and how many pages from there have the same answer? */
static bool is_unwritten(const struct piece *piece, u32 *nr)
{
	u32 all = *nr;
	bool empty;

	local_irq_disable();
	empty = has_no_entry(piece->mm, piece->hva);
	for (*nr = 1; *nr < all; (*nr)++)
		if (has_no_entry(piece->mm, piece->hva + *nr * PAGE_SIZE) !=
		    empty)
			break;
	local_irq_enable();
	return empty;
}

/* May this mapping be read? Returns 0 or an error. */
static int check_mapping(const struct vm_area_struct *vma)
{
	if (!vma)
		return -ENXIO;
	/*
	 * Reading a register of a device may change its state, and there may be
	 * no page whose reference keeps the memory.
	 */
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EOPNOTSUPP;
	return vma->vm_flags & VM_READ ? 0 : -ENXIO;
}

/* Map the errors of get_user_pages to those of READ. */
static int gup_error(const struct piece *piece, long err)
{
	switch (err) {
	case -EINTR:
	case -ENOMEM:
	case -EHWPOISON:
		return err;
	default:
		return piece->nofault ? -EAGAIN : -ENXIO;
	}
}

/*
 * Get the pages of a piece: as many as one call of the kernel returns, at least
 * one. Returns 0 when the first @nr pages were never written and read as zeros.
 */
static long get_piece_pages_locked(const struct piece *piece, u32 *nr,
				   int *locked)
{
	struct vm_area_struct *vma = vma_lookup(piece->mm, piece->hva);
	unsigned int flags = FOLL_HWPOISON;
	long got;
	int r;

	r = check_mapping(vma);
	if (r)
		return r;
	*nr = min_t(unsigned long, piece_pages(piece),
		    (vma->vm_end - piece->hva) >> PAGE_SHIFT);
	/*
	 * A handler of its missing faults (userfaultfd) may provide other
	 * contents.
	 */
	if (vma_is_anonymous(vma) && !userfaultfd_missing(vma) &&
	    is_unwritten(piece, nr))
		return 0;
	if (piece->nofault)
		flags |= FOLL_NOFAULT;
	got = kwt_get_pages(piece->mm, piece->hva, *nr, flags, piece->pages,
			    locked);
	return got > 0 ? got : gup_error(piece, got);
}

static long get_piece_pages(const struct piece *piece, u32 *nr)
{
	int locked = 1;
	long got;

	/* A thread of the VMM may hold this lock without a time limit. */
	if (mmap_read_lock_killable(piece->mm))
		return -EINTR;
	got = get_piece_pages_locked(piece, nr, &locked);
	if (locked)
		mmap_read_unlock(piece->mm);
	return got;
}

/*
 * Returns how many bytes were copied before the first one that the hardware has
 * lost.
 */
static u32 copy_from_page(void *to, struct page *page, u32 offset, u32 len)
{
	void *from = kmap_local_page(page);
	unsigned long left = copy_mc_to_kernel(to, from + offset, len);

	kunmap_local(from);
	return len - left;
}

/* Copy what can be read of @nr pages, and put all of them. */
static u32 copy_piece_pages(const struct piece *piece, u32 nr)
{
	u32 i, part, offset = piece->offset, done = 0;
	bool ok = true;

	for (i = 0; i < nr; i++) {
		part = min_t(u32, PAGE_SIZE - offset, piece->len - done);
		if (ok) {
			u32 copied = copy_from_page(piece->data + done,
						    piece->pages[i], offset,
						    part);

			done += copied;
			ok = copied == part;
		}
		put_page(piece->pages[i]);
		offset = 0;
	}
	return done;
}

/*
 * Read the beginning of a piece, as much as one call of the kernel gets.
 * Returns the number of bytes, which is not 0, or why the first page cannot be
 * read: -EOPNOTSUPP, -ENXIO, -EAGAIN, -EHWPOISON, -ENOMEM; or -EINTR.
 */
static int piece_read(const struct piece *piece)
{
	u32 nr, len;
	long got;

	got = get_piece_pages(piece, &nr);
	if (got < 0)
		return got;
	if (got)
		return copy_piece_pages(piece, got) ?: -EHWPOISON;
	len = min_t(u32, piece->len, nr * PAGE_SIZE - piece->offset);
	memset(piece->data, 0, len);
	return len;
}

/* Has the VMM ended? Then only READ uses its mm. */
bool kwt_mm_is_gone(struct kwt_vm *vm)
{
	bool gone;

	spin_lock(&vm->mm_lock);
	gone = atomic_read(&vm->kvm->mm->mm_users) == vm->mm_uses;
	spin_unlock(&vm->mm_lock);
	return gone;
}

/*
 * Take a use of the VMM's mm. Returns NULL when the mm has ended. The VM is not
 * gone, and the caller holds its lock.
 */
static struct mm_struct *use_vmm_mm(struct kwt_vm *vm)
{
	struct mm_struct *mm = vm->kvm->mm;

	spin_lock(&vm->mm_lock);
	if (mmget_not_zero(mm))
		vm->mm_uses++;
	else
		mm = NULL;
	spin_unlock(&vm->mm_lock);
	return mm;
}

/*
 * Drop a use. The VM may be gone. If it is the last use, a worker ends the mm,
 * and not this process.
 */
static void unuse_vmm_mm(struct kwt_vm *vm, struct mm_struct *mm)
{
	bool last;

	spin_lock(&vm->mm_lock);
	vm->mm_uses--;
	last = !atomic_add_unless(&mm->mm_users, -1, 1);
	spin_unlock(&vm->mm_lock);
	if (last)
		kwt_mmput_later(mm);
}

static int sleep_until(u64 time_ns)
{
	ktime_t expires = ns_to_ktime(time_ns);

	set_current_state(TASK_INTERRUPTIBLE);
	if (!signal_pending(current))
		schedule_hrtimeout(&expires, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
	return signal_pending(current) ? -EINTR : 0;
}

/*
 * Wait until the session may read so many bytes. session->read_due is the time
 * at which it may read again; each READ advances it.
 */
static int wait_for_turn(struct kwt_session *session, u64 bytes)
{
	u64 cost = div64_u64(bytes * NSEC_PER_SEC, kwt_read_bytes_per_s());
	s64 due = atomic64_read(&session->read_due);
	u64 now;
	int r;

	for (;;) {
		now = ktime_get_ns();
		if (due > (s64)now) {
			r = sleep_until(due);
			if (r)
				return r;
			due = atomic64_read(&session->read_due);
		} else if (atomic64_try_cmpxchg(&session->read_due, &due,
						max_t(s64, due, now - BURST_NS) +
						cost)) {
			return 0;
		}
	}
}

/* Where the VMM has the next gfns. */
struct place {
	unsigned long hva;
	u64 nr_pages;
	u64 generation;
	struct mm_struct *mm;
};

static int find_place_in_slot(struct kvm *kvm, u64 gfn, struct place *place)
{
	const struct kvm_memory_slot *slot;
	int idx, r = 0;

	idx = srcu_read_lock(&kvm->srcu);
	place->generation = kwt_slots_generation(kvm);
	slot = kwt_slot_at(kvm, gfn, gfn + 1);
	if (!slot || slot->flags & KVM_MEMSLOT_INVALID) {
		r = -ENOENT;
	} else if (kwt_slot_is_private(slot)) {
		r = -EOPNOTSUPP;
	} else {
		place->hva = __gfn_to_hva_memslot(slot, gfn);
		place->nr_pages = min(place->nr_pages,
				      slot->base_gfn + slot->npages - gfn);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

static bool may_read(const struct kwt_session *session)
{
	return READ_ONCE(session->limits.rights) & KVM_WTRACK_RIGHT_MEMORY;
}

/* The caller holds the VM's lock. */
static int find_place_locked(struct kwt_session *session, u64 gfn,
			     struct place *place)
{
	struct kwt_vm *vm = session->vm;
	u64 end;
	int r;

	if (session->ended)
		return -ESHUTDOWN;
	if (vm->gone)
		return -ESRCH;
	if (kwt_kvm_is_confidential(vm->kvm)) {
		kwt_vm_forbid(vm);
		return -EOPNOTSUPP;
	}
	if (!may_read(session))
		return -EPERM;
	end = kwt_restrict_end(session, gfn, gfn + place->nr_pages);
	if (end == gfn)
		return -EPERM;
	place->nr_pages = end - gfn;
	r = find_place_in_slot(vm->kvm, gfn, place);
	if (r)
		return r;
	place->mm = use_vmm_mm(vm);
	return place->mm ? 0 : -ESRCH;
}

/* Find the address of @gfn. On success the caller holds a use of the mm. */
static int find_place(struct kwt_session *session, u64 gfn, struct place *place)
{
	struct kwt_vm *vm = session->vm;
	int r;

	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	r = find_place_locked(session, gfn, place);
	mutex_unlock(&vm->lock);
	return r;
}

/*
 * Are the memslots still those of @place, and may the session still read it?
 * READ returns nothing that RESTRICT forbids after RESTRICT has returned, and
 * nothing after the session was ended.
 */
static int check_place(struct kwt_session *session, u64 gfn,
		       const struct place *place)
{
	const u64 end = gfn + place->nr_pages;
	struct kwt_vm *vm = session->vm;
	int idx, r = -ESRCH;

	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	if (session->ended) {
		r = -ESHUTDOWN;
	} else if (!may_read(session) ||
		   kwt_restrict_end(session, gfn, end) != end) {
		r = -EPERM;
	} else if (!vm->gone) {
		idx = srcu_read_lock(&vm->kvm->srcu);
		r = kwt_slots_generation(vm->kvm) == place->generation ?
		    0 : -EBUSY;
		srcu_read_unlock(&vm->kvm->srcu, idx);
	}
	mutex_unlock(&vm->lock);
	return r;
}

/*
 * Read the next bytes into the buffer once. Returns how many, or -EBUSY when
 * they may not be the guest's.
 */
static int try_piece(struct kwt_session *session, u64 gpa, u32 len,
		     struct piece *piece, u64 *generation)
{
	struct place place = { };
	u32 done;
	int r;

	piece->offset = offset_in_page(gpa);
	len = min_t(u32, len, PIECE_BYTES - piece->offset);
	place.nr_pages = DIV_ROUND_UP(piece->offset + len, PAGE_SIZE);
	r = wait_for_turn(session, place.nr_pages << PAGE_SHIFT);
	if (!r)
		r = find_place(session, gpa >> PAGE_SHIFT, &place);
	*generation = place.generation;
	if (r)
		return r;
	piece->len = min_t(u64, len,
			   (place.nr_pages << PAGE_SHIFT) - piece->offset);
	piece->mm = place.mm;
	piece->hva = place.hva;
	r = piece_read(piece);
	unuse_vmm_mm(session->vm, place.mm);
	if (r <= 0)
		return r;
	done = r;
	r = check_place(session, gpa >> PAGE_SHIFT, &place);
	return r ?: done;
}

static int read_piece(struct kwt_session *session, u64 gpa, u32 len,
		      struct piece *piece, u64 *generation)
{
	int r, tries = 0;

	do {
		if (tries > BUSY_TRIES)
			schedule_timeout_interruptible(1);
		else
			cond_resched();
		r = try_piece(session, gpa, len, piece, generation);
	} while (r == -EBUSY && ++tries < MAX_TRIES);
	return r;
}

/* Does the error concern one page? Other errors concern the whole call. */
static bool is_of_page(int err)
{
	switch (err) {
	case -EAGAIN:
	case -EBUSY:
	case -EHWPOISON:
	case -ENOENT:
	case -ENOMEM:
	case -ENXIO:
	case -EOPNOTSUPP:
	case -EPERM:
		return true;
	default:
		return false;
	}
}

/*
 * Read one piece and copy it to the caller. Nothing of the VM is held during
 * the copy.
 */
static int read_next_piece(struct kwt_session *session,
			   struct kvm_wtrack_read *read, u32 len,
			   struct piece *piece)
{
	u64 generation;
	u32 left;
	int r;

	r = read_piece(session, read->gpa + read->out_done, len, piece,
		       &generation);
	if (!read->out_generation)
		read->out_generation = generation;
	if (r < 0) {
		if (!is_of_page(r))
			return r;
		read->out_error = -r;
		return 0;
	}
	left = copy_to_user(u64_to_user_ptr(read->buffer + read->out_done),
			    piece->data, r);
	read->out_done += r - left;
	return left ? -EFAULT : 0;
}

/* Is it an address and a length that a guest may have? */
static bool bytes_are_valid(u64 gpa, u64 len)
{
	const u64 limit = 1ULL << KWT_GPA_BITS;

	return len && gpa < limit && len <= limit - gpa;
}

int kwt_ioctl_read(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_read *read = &arg->read;
	struct piece piece = {
		.nofault = read->flags & KVM_WTRACK_READ_F_NOFAULT,
	};
	u32 len;
	int r = 0;

	read->out_done = 0;
	read->out_seq = 0;
	read->out_generation = 0;
	read->out_error = 0;
	if (read->__reserved0 || !bytes_are_valid(read->gpa, read->len))
		return -EINVAL;
	if (!may_read(session))
		return -EPERM;
	/*
	 * Take this number before the memory is read: a store is in memory
	 * before its record is published.
	 */
	if (kwt_ring_made(session))
		read->out_seq = kwt_ring_head(&session->ring);
	len = min_t(u64, read->len, KWT_MAX_READ_BYTES);
	piece.pages = kmalloc_array(PIECE_PAGES, sizeof(*piece.pages),
				    GFP_KERNEL_ACCOUNT);
	piece.data = kvmalloc(min(len, PIECE_BYTES), GFP_KERNEL_ACCOUNT);
	if (!piece.pages || !piece.data)
		r = -ENOMEM;
	while (!r && !read->out_error && read->out_done < len)
		r = read_next_piece(session, read, len - read->out_done, &piece);
	kvfree(piece.data);
	kfree(piece.pages);
	return r;
}
