// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slow.h"
#include "tap.h"

static void take(struct slow *s, void *page, int advice)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)page, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	s->at = page;
	memcpy(s->contents, page, PAGE);
	CHECK_SYS(!madvise(page, PAGE, advice));
	s->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	CHECK_SYS(s->fd >= 0);
	CHECK_SYS(!ioctl(s->fd, UFFDIO_API, &api));
	CHECK_SYS(!ioctl(s->fd, UFFDIO_REGISTER, &reg));
}

void slow_take(struct slow *s, void *page)
{
	take(s, page, MADV_REMOVE);
}

void slow_take_anonymous(struct slow *s, void *page)
{
	take(s, page, MADV_DONTNEED);
}

void slow_wait(struct slow *s)
{
	struct uffd_msg msg;

	CHECK_SYS(read(s->fd, &msg, sizeof(msg)) == sizeof(msg));
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

void slow_give(struct slow *s)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)s->at, .src = (uintptr_t)s->contents,
		.len = PAGE,
	};

	CHECK_SYS(!ioctl(s->fd, UFFDIO_COPY, &copy));
	CHECK_SYS(!close(s->fd));
}
