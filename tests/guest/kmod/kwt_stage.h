/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/* What kwt_stage.ko does for a test. */
#ifndef KWT_STAGE_H
#define KWT_STAGE_H

#include <linux/ioctl.h>

#define KWT_STAGE_DEVICE	"/dev/kwt-stage"

/* Hold the caller's mmap_lock until the file is closed or the caller killed. */
#define KWT_STAGE_STALL		_IO(0xBB, 0)
/* How many stall by this file just now. */
#define KWT_STAGE_STALLED	_IO(0xBB, 1)
/* Let them go on. */
#define KWT_STAGE_RELEASE	_IO(0xBB, 2)
/* Have the VM of this descriptor look as after KVM_SEV_INIT; the errno. */
#define KWT_STAGE_SEV		_IO(0xBB, 3)
/* Be in the read side of that VM's srcu until released, without a reference. */
#define KWT_STAGE_READ		_IO(0xBB, 4)

#endif
