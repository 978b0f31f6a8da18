/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kwt_stage.ko: situations that a test cannot bring about by itself. */
#ifndef GUEST_STAGE_H
#define GUEST_STAGE_H

/* Loads the module if it is not there: a descriptor of its device. */
int stage_open(void);
/* A thread of the caller holds its mmap_lock from here on. */
void stage_stall(int stage);
/* A thread is in the read side of the VM's srcu, without a reference to it. */
void stage_read(int stage, int vm_fd);
void stage_release(int stage);
/* The VM looks as one does after KVM_SEV_INIT. */
void stage_make_sev(int stage, int vm_fd);

#endif /* GUEST_STAGE_H */
