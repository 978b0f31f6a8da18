// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: barevm NUMBER
 *
 * Makes so many VMs, which have neither memory nor vCPUs, and prints their
 * descriptors. Each line of its standard input is one that it closes, "new" for
 * one more VM, "dup" and one that it copies, or "slot", one that it gives memory,
 * and how many GiB, or "user" and who it shall be.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int say(const char *what, int fd)
{
	if (fd < 0) {
		perror(what);
		return 1;
	}
	printf("%d\n", fd);
	fflush(stdout);
	return 0;
}

/* As a VMM that root started does. */
static void become(uid_t uid)
{
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		perror("setresuid");
}

/* Nobody writes to it, so that it takes no memory. */
static void add_slot(int vm, unsigned long gib)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = gib << 30,
	};
	void *memory = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	region.userspace_addr = (uintptr_t)memory;
	if (memory == MAP_FAILED ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		perror("memslot");
	else
		puts("slot");
	fflush(stdout);
}

static int make(int kvm)
{
	return say("KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0));
}

static void allow_many_descriptors(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int n = argc > 1 ? atoi(argv[1]) : 1;
	unsigned long gib;
	char line[32];
	int vm;

	allow_many_descriptors();
	if (kvm < 0) {
		perror("/dev/kvm");
		return 1;
	}
	while (n--)
		if (make(kvm))
			return 1;
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "new", 3))
			make(kvm);
		else if (!strncmp(line, "dup ", 4))
			say("dup", dup(atoi(line + 4)));
		else if (sscanf(line, "user %d", &vm) == 1)
			become((uid_t)vm);
		else if (sscanf(line, "slot %d %lu", &vm, &gib) == 2)
			add_slot(vm, gib);
		else
			close(atoi(line));
	}
	return 0;
}
