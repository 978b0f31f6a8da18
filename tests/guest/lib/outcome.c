// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "outcome.h"
#include "tap.h"

static void *copy_of(const void *from, uint64_t bytes)
{
	void *to = malloc(bytes);

	CHECK(to);
	return memcpy(to, from, bytes);
}

void outcome_take(struct outcome *o, struct vcpu *v)
{
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &o->regs));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &o->sregs));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_FPU, &o->fpu));
	o->data = copy_of(v->vm->data, v->vm->data_pages * PAGE);
	o->low = copy_of(v->vm->low, VM_LOW_BYTES);
}

static void compare(const char *what, const void *tracked, const void *plain,
		    uint64_t bytes)
{
	const unsigned char *t = tracked, *p = plain;
	uint64_t i;

	for (i = 0; i < bytes; i++)
		if (t[i] != p[i])
			tap_fail(__FILE__, __LINE__, "%s differ at 0x%llx: "
				 "%02x when tracked, else %02x", what,
				 (unsigned long long)i, t[i], p[i]);
}

void outcome_compare(const struct outcome *tracked,
		     const struct outcome *plain, uint64_t data_pages)
{
	compare("registers", &tracked->regs, &plain->regs,
		sizeof(plain->regs));
	compare("system registers", &tracked->sregs, &plain->sregs,
		sizeof(plain->sregs));
	compare("FPU registers", &tracked->fpu, &plain->fpu,
		sizeof(plain->fpu));
	compare("data pages", tracked->data, plain->data, data_pages * PAGE);
	compare("low pages", tracked->low, plain->low, VM_LOW_BYTES);
}
