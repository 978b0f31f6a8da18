// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "stuck_file.h"
#include "tap.h"

#define MOUNTED		"/tmp/stuck"
#define THE_FILE	MOUNTED "/file"

enum { ROOT = 1, FILE_ID = 2 };

struct server {
	int fuse;
	int asked;
};

static void answer(int fuse, const struct fuse_in_header *in, int error,
		   const void *data, size_t bytes)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + bytes, .error = error, .unique = in->unique,
	};
	struct iovec parts[] = {
		{ &out, sizeof(out) }, { (void *)data, bytes },
	};

	/* A request that was interrupted is gone. */
	CHECK_SYS(writev(fuse, parts, 2) == (ssize_t)out.len ||
		  errno == ENOENT);
}

static struct fuse_attr attr_of(uint64_t id)
{
	return (struct fuse_attr){
		.ino = id, .nlink = 1, .blksize = PAGE,
		.size = id == ROOT ? 0 : PAGE,
		.mode = id == ROOT ? S_IFDIR | 0755 : S_IFREG | 0600,
	};
}

static void serve_one(struct server *s, const struct fuse_in_header *in)
{
	/* Without FUSE_ASYNC_READ whoever faults waits for the server itself. */
	const struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = PAGE,
	};
	const struct fuse_entry_out entry = {
		.nodeid = FILE_ID, .attr_valid = 1000, .entry_valid = 1000,
		.attr = attr_of(FILE_ID),
	};
	const struct fuse_attr_out attr = {
		.attr_valid = 1000, .attr = attr_of(in->nodeid),
	};
	const struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		answer(s->fuse, in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(s->fuse, in, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(s->fuse, in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(s->fuse, in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		byte_send(s->asked, 'r');
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(s->fuse, in, -ENOSYS, NULL, 0);
	}
}

static void serve(void *arg)
{
	static _Alignas(8) char request[FUSE_MIN_READ_BUFFER + PAGE];
	struct server *s = arg;
	ssize_t n;

	for (;;) {
		n = read(s->fuse, request, sizeof(request));
		if (n < 0 && errno == ENODEV)
			_exit(0);
		/* The request was interrupted before it was read. */
		if (n < 0 && errno == ENOENT)
			continue;
		CHECK_SYS(n >= (ssize_t)sizeof(struct fuse_in_header));
		serve_one(s, (struct fuse_in_header *)request);
	}
}

static int mount_fuse(void)
{
	char options[128];
	int fuse;

	/* Some kernels have it built in. */
	if (access("/dev/fuse", F_OK)) {
		CHECK_ERRNO(module_load("fuse", ""), 0);
		CHECK_SOON(!access("/dev/fuse", R_OK | W_OK));
	}
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	CHECK_SYS(fuse >= 0);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	CHECK_SYS(!mkdir("/tmp", 0755) || errno == EEXIST);
	CHECK_SYS(!mkdir(MOUNTED, 0755) || errno == EEXIST);
	CHECK_SYS(!mount("stuck", MOUNTED, "fuse", MS_NOSUID | MS_NODEV, options));
	return fuse;
}

void stuck_file_open(struct stuck_file *f)
{
	struct server server = { .fuse = mount_fuse() };
	int file, asked[2];

	CHECK_SYS(!pipe2(asked, O_CLOEXEC));
	server.asked = asked[1];
	f->asked = asked[0];
	f->server = child_fork(serve, &server);
	/* The server's end is the end of the connection. */
	CHECK_SYS(!close(server.fuse));
	CHECK_SYS(!close(asked[1]));
	file = open(THE_FILE, O_RDWR | O_CLOEXEC);
	CHECK_SYS(file >= 0);
	f->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK_SYS(f->page != MAP_FAILED);
	CHECK_SYS(!close(file));
}

void stuck_file_wait(struct stuck_file *f)
{
	CHECK_EQ(byte_receive(f->asked), 'r');
}

void stuck_file_end(struct stuck_file *f)
{
	int status;

	CHECK_SYS(!kill(f->server, SIGKILL));
	CHECK_SYS(waitpid(f->server, &status, 0) == f->server);
	CHECK_SYS(!close(f->asked));
	CHECK_SYS(!munmap(f->page, PAGE));
	CHECK_SYS(!umount2(MOUNTED, MNT_DETACH));
}
