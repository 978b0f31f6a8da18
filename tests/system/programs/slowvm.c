// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM whose memory is brought in by userfaultfd, as when a snapshot is restored
 * lazily. Its page is gfn 0x10, memory that it has only later. It prints "ready";
 * lines of its standard input:
 *
 *	slot	the memory is there from now on
 *	store	the vCPU stores to the page, which nobody brings yet; it prints
 *		"waits" when the vCPU waits for it
 *	page	the page is brought
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	4096UL
#define GPA	(16 * PAGE)

static int vm, vcpu, uffd;
static unsigned char *code, *page;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned char *one_page(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void add_slot(uint32_t nr, uint64_t gpa, void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = nr, .guest_phys_addr = gpa, .memory_size = PAGE,
		.userspace_addr = (uintptr_t)memory,
	};

	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION");
}

static void bring_nothing_by_yourself(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)page, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range))
		die("userfaultfd");
}

static void make_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	vm = ioctl(kvm, KVM_CREATE_VM, 0UL);
	if (vm < 0)
		die("KVM_CREATE_VM");
	code = one_page();
	page = one_page();
	bring_nothing_by_yourself();
	add_slot(0, 0, code);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		die("KVM_CREATE_VCPU");
}

static void *run(void *arg)
{
	while (ioctl(vcpu, KVM_RUN, 0) && errno == EINTR)
		;
	return arg;
}

static void store(void)
{
	/* mov %ax, (0x10); hlt */
	static const unsigned char text[] = { 0xa3, 0x10, 0x00, 0xf4 };
	struct kvm_regs regs = { .rip = 0, .rflags = 2, .rax = 0x55 };
	struct pollfd fault = { .fd = uffd, .events = POLLIN };
	struct kvm_sregs sregs;
	pthread_t thread;

	memcpy(code, text, sizeof(text));
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = GPA;
	sregs.ds.selector = GPA >> 4;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
	if (pthread_create(&thread, NULL, run, NULL))
		die("thread");
	if (poll(&fault, 1, -1) != 1)
		die("poll");
	puts("waits");
}

static void bring(void)
{
	static unsigned char zero[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page, .src = (uintptr_t)zero, .len = PAGE,
	};

	if (ioctl(uffd, UFFDIO_COPY, &copy))
		perror("UFFDIO_COPY");
}

int main(void)
{
	char line[64];

	make_vm();
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "slot\n"))
			add_slot(1, GPA, page);
		else if (!strcmp(line, "store\n"))
			store();
		else if (!strcmp(line, "page\n"))
			bring();
		printf("did %s", line);
		fflush(stdout);
	}
	return 0;
}
