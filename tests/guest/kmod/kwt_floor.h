/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* What the cost of a tracked store is compared with. */
#ifndef KWT_FLOOR_H
#define KWT_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KWT_FLOOR_DEVICE	"/dev/kwt-floor"

struct kwt_floor_page {
	__u64 gfn;
	__s32 vm_fd;
	__u32 __reserved;
};

/* A notifier that does nothing, and a page whose stores are reported to it. */
#define KWT_FLOOR_NOTIFY	_IOW('K', 0x70, struct kwt_floor_page)
/*
 * Only the page: stores to it are emulated and reported to whoever else is
 * registered. Somebody must be, or KVM ends the VM.
 */
#define KWT_FLOOR_ARM		_IOW('K', 0x71, struct kwt_floor_page)

#endif /* KWT_FLOOR_H */
