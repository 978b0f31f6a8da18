// SPDX-License-Identifier: GPL-2.0-or-later
/* A 32-bit caller: the same structs, the same numbers, the same answers. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "abi.h"
#include "tap.h"

enum { IOCTL_32 = 54 };

/* The kernel's entry for 32-bit programs, which a 64-bit one may use, too. */
static int ioctl32(int fd, unsigned long cmd, void *arg)
{
	int r;

	asm volatile("int $0x80"
		     : "=a"(r)
		     : "a"(IOCTL_32), "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static void *low_page(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	CHECK_SYS(p != MAP_FAILED);
	return p;
}

/* The arguments and the array go to the low page. */
static void move_low(struct abi *a, unsigned char *low)
{
	if (a->call->array) {
		memcpy(low + ABI_ARG_BYTES, &a->array, sizeof(a->array));
		*abi_u64(a, a->call->array) = (uintptr_t)low + ABI_ARG_BYTES;
	}
	memcpy(low, a->arg, sizeof(a->arg));
}

CASE(each_call_works_for_a_32_bit_caller)
{
	unsigned char *low = low_page();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		move_low(&a, low);
		CHECK_EQ(ioctl32(a.fd, c->cmd, low), 0);
		abi_exit(&a);
	}
}

CASE(results_are_the_same_for_a_32_bit_caller)
{
	unsigned char *low = low_page();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		/* Once in the life of a session, or with other results then. */
		if (c->state != ABI_READY && c->cmd != KVM_WTRACK_INFO)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		if (c->cmd == KVM_WTRACK_REMOVE)
			a.array.changes[0].gfn++;
		move_low(&a, low);
		CHECK_EQ(ioctl32(a.fd, c->cmd, low), 0);
		CHECK_ERRNO(abi_make(&a, a.arg), 0);
		CHECK(!memcmp(low, a.arg, c->bytes));
		abi_exit(&a);
	}
}

CASE(a_32_bit_caller_gets_the_same_errors)
{
	unsigned char *low = low_page();
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		a.arg[c->reserved[0].offset] = 1;
		move_low(&a, low);
		CHECK_EQ(ioctl32(a.fd, c->cmd, low), -EINVAL);
		CHECK_EQ(ioctl32(a.fd, c->cmd, NULL), -EFAULT);
		CHECK_EQ(ioctl32(a.fd, _IO(KVM_WTRACK_MAGIC, 0x8b), low),
			 -ENOTTY);
		abi_taken(&a);
		abi_exit(&a);
	}
}
