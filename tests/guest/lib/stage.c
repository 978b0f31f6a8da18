// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kmod/kwt_stage.h"
#include "module.h"
#include "stage.h"
#include "tap.h"

int stage_open(void)
{
	int fd = open(KWT_STAGE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		CHECK_ERRNO(module_load("kwt_stage", ""), 0);
		fd = open(KWT_STAGE_DEVICE, O_RDWR | O_CLOEXEC);
	}
	CHECK_SYS(fd >= 0);
	return fd;
}

static void *hold_mmap_lock(void *arg)
{
	CHECK_SYS(!ioctl((intptr_t)arg, KWT_STAGE_STALL));
	return NULL;
}

/* The thread's stack is there before, which takes the same lock. */
void stage_stall(int stage)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, hold_mmap_lock,
			      (void *)(intptr_t)stage));
	CHECK_SOON(ioctl(stage, KWT_STAGE_STALLED) == 1);
}

static struct {
	int stage;
	int vm_fd;
} reader;

static void *read_srcu(void *arg)
{
	(void)arg;
	CHECK_SYS(!ioctl(reader.stage, KWT_STAGE_READ, (long)reader.vm_fd));
	return NULL;
}

void stage_read(int stage, int vm_fd)
{
	pthread_t thread;

	reader.stage = stage;
	reader.vm_fd = vm_fd;
	CHECK(!pthread_create(&thread, NULL, read_srcu, NULL));
	CHECK_SOON(ioctl(stage, KWT_STAGE_STALLED) == 1);
}

void stage_release(int stage)
{
	CHECK_SYS(!ioctl(stage, KWT_STAGE_RELEASE));
}

void stage_make_sev(int stage, int vm_fd)
{
	CHECK_SYS(!ioctl(stage, KWT_STAGE_SEV, (long)vm_fd));
}
