/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading guest memory: what the two files of READ have in common. */
#ifndef KWT_MEMORY_H
#define KWT_MEMORY_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* So much is read at a time, into a buffer of the caller's. */
#define KWT_PIECE_PAGES		16
#define KWT_PIECE_BYTES		((u32)KWT_PIECE_PAGES << PAGE_SHIFT)

/**
 * struct kwt_piece - bytes of consecutive pages of the VMM
 * @mm: of the VMM, of which the caller is a user
 * @hva: of the first page
 * @offset: of the first byte in it
 * @len: bytes, within KWT_PIECE_PAGES pages
 * @nofault: take only what is there
 * @data: where they go, room for @len
 * @pages: room for KWT_PIECE_PAGES pointers
 */
struct kwt_piece {
	struct mm_struct *mm;
	unsigned long hva;
	u32 offset;
	u32 len;
	bool nofault;
	void *data;
	struct page **pages;
};

/* memory_mm.c */
int kwt_piece_read(const struct kwt_piece *piece);

#endif /* KWT_MEMORY_H */
