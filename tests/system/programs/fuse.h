/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system in user space with one file, as any user may have it without
 * privileges: a user namespace of one's own may mount FUSE. Its server answers what
 * the program wants it to answer.
 */
#ifndef SYSTEM_FUSE_H
#define SYSTEM_FUSE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void become_root_of_a_namespace(void)
{
	char map[2][64];

	snprintf(map[0], sizeof(map[0]), "0 %u 1", getuid());
	snprintf(map[1], sizeof(map[1]), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map[0]);
	write_file("/proc/self/gid_map", map[1]);
}

static void fuse_reply(int fuse, uint64_t unique, int error, const void *data,
		  size_t size)
{
	char buffer[512];
	struct fuse_out_header *head = (void *)buffer;

	head->len = sizeof(*head) + size;
	head->error = error;
	head->unique = unique;
	if (size)
		memcpy(head + 1, data, size);
	if (write(fuse, buffer, head->len) < 0)
		perror("fuse");
}

static struct fuse_attr fuse_attributes(uint64_t node)
{
	return (struct fuse_attr) {
		.ino = node,
		.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = 1,
		.size = node == 1 ? 0 : 4096,
		.blksize = 4096,
	};
}

/* The descriptor of the server. */
static int fuse_mount(const char *directory)
{
	char options[128];
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fuse < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("test", directory, "fuse", MS_NOSUID | MS_NODEV, options))
		die("mount");
	return fuse;
}

static int fuse_open_file(const char *directory)
{
	char path[512];
	int file;

	snprintf(path, sizeof(path), "%s/file", directory);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		die(path);
	return file;
}

/*
 * One request. True when it is of the kind that the program answers itself, or not at
 * all; *ret is its header.
 */
static bool fuse_serve(int fuse, uint32_t kind, struct fuse_in_header *ret)
{
	static char buffer[1 << 17];
	struct fuse_in_header *in = (void *)buffer;
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	struct fuse_entry_out entry = {
		.nodeid = 2, .entry_valid = 1000, .attr_valid = 1000,
		.attr = fuse_attributes(2),
	};
	struct fuse_attr_out attr = { .attr_valid = 1000 };
	struct fuse_open_out opened = { 0 };

	if (read(fuse, buffer, sizeof(buffer)) < 0)
		return false;
	*ret = *in;
	if (in->opcode == kind)
		return true;
	switch (in->opcode) {
	case FUSE_INIT:
		fuse_reply(fuse, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		fuse_reply(fuse, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attr.attr = fuse_attributes(in->nodeid);
		fuse_reply(fuse, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		fuse_reply(fuse, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		fuse_reply(fuse, in->unique, -ENOSYS, NULL, 0);
	}
	return false;
}

#endif
