// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading memory of the VMM's, as it would itself: what is not there is fetched,
 * by its page faults. Nothing is held meanwhile but a use of its mm, and, where
 * the kernel holds it for a page fault, its mmap_lock.
 *
 * A page fault on anonymous memory that nobody has written would map a page of
 * zeros, and make page tables for it, which count for the VMM when memory runs
 * out. So such memory is found in the page tables before, and is zeros.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>

#include "compat/gup.h"
#include "memory.h"

static u32 piece_pages(const struct kwt_piece *piece)
{
	return DIV_ROUND_UP(piece->offset + piece->len, PAGE_SIZE);
}

/*
 * Is there no entry for @addr in the page tables of @mm? Under its mmap_lock, as
 * GUP-fast walks: page tables are not freed while interrupts are off here.
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
	/* Not present: on its way to somewhere else. */
	if (pmd_none(pmd) || pmd_leaf(pmd) || !pmd_present(pmd))
		return pmd_none(pmd);
	return pte_none(READ_ONCE(*pte_offset_kernel(&pmd, addr)));
}

/* Is @addr zeros, and how many pages from there have the same answer? */
static bool is_unwritten(const struct kwt_piece *piece, u32 *nr)
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

/* What stands against reading this mapping? */
static int check_mapping(const struct vm_area_struct *vma)
{
	if (!vma)
		return -ENXIO;
	/*
	 * To read a register of a device may change its state; and there may be
	 * no page that keeps what is behind it from going away.
	 */
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EOPNOTSUPP;
	return vma->vm_flags & VM_READ ? 0 : -ENXIO;
}

/* What the kernel says for many reasons, in this interface's words. */
static int gup_error(const struct kwt_piece *piece, long err)
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
 * Get the pages of a piece: as many as one call of the kernel gives, at least
 * one. 0 when the first @nr pages are zeros instead.
 */
static long get_pages_locked(const struct kwt_piece *piece, u32 *nr, int *locked)
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
	/* Whoever handles its faults may have something else for it. */
	if (vma_is_anonymous(vma) && !userfaultfd_missing(vma) &&
	    is_unwritten(piece, nr))
		return 0;
	if (piece->nofault)
		flags |= FOLL_NOFAULT;
	got = kwt_get_pages(piece->mm, piece->hva, *nr, flags, piece->pages,
			    locked);
	return got > 0 ? got : gup_error(piece, got);
}

static long get_pages(const struct kwt_piece *piece, u32 *nr)
{
	int locked = 1;
	long got;

	/* A thread of the VMM may have it for as long as it likes. */
	if (mmap_read_lock_killable(piece->mm))
		return -EINTR;
	got = get_pages_locked(piece, nr, &locked);
	if (locked)
		mmap_read_unlock(piece->mm);
	return got;
}

/* Returns how many bytes were copied before one that the hardware has lost. */
static u32 copy_from_page(void *to, struct page *page, u32 offset, u32 len)
{
	void *from = kmap_local_page(page);
	unsigned long left = copy_mc_to_kernel(to, from + offset, len);

	kunmap_local(from);
	return len - left;
}

/* Copies what it can of @nr pages, and gives all of them back. */
static u32 copy_pages(const struct kwt_piece *piece, u32 nr)
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
 * Read from the beginning of a piece what can be had at once. Returns how many
 * bytes, not 0, or why the first page cannot be read: -EOPNOTSUPP, -ENXIO,
 * -EAGAIN, -EHWPOISON, -ENOMEM; or -EINTR.
 */
int kwt_piece_read(const struct kwt_piece *piece)
{
	u32 nr, len;
	long got;

	got = get_pages(piece, &nr);
	if (got < 0)
		return got;
	if (got)
		return copy_pages(piece, got) ?: -EHWPOISON;
	len = min_t(u32, piece->len, nr * PAGE_SIZE - piece->offset);
	memset(piece->data, 0, len);
	return len;
}
