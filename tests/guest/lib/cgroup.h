/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A memory control group for the calling process. */
#ifndef GUEST_CGROUP_H
#define GUEST_CGROUP_H

/* Makes a group and moves the caller there; what it had stays charged. */
void cgroup_enter(void);
/* Bytes charged to it. */
long long cgroup_bytes(void);
/* Of these, what the kernel allocated in small pieces: exact. */
long long cgroup_slab_bytes(void);
/* By another process, when nobody is in it any more. */
void cgroup_remove(void);

#endif /* GUEST_CGROUP_H */
