// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: barevm NUMBER
 *
 * Makes so many VMs, which have neither memory nor vCPUs, and prints their
 * descriptors. Each line of its standard input is one that it closes, "new" for
 * one more VM, or "dup" and one that it copies.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

static int make(int kvm)
{
	return say("KVM_CREATE_VM", ioctl(kvm, KVM_CREATE_VM, 0));
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int n = argc > 1 ? atoi(argv[1]) : 1;
	char line[32];

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
		else
			close(atoi(line));
	}
	return 0;
}
