// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "vm.h"
#include "vmm.h"

#define EXEC_MARK	"GUEST_VMM_AFTER_EXEC"

/* The program that VMM_EXEC becomes is this one again, doing nothing. */
__attribute__((constructor)) static void after_exec(void)
{
	if (!getenv(EXEC_MARK))
		return;
	for (;;)
		pause();
}

static void become_other_program(void)
{
	setenv(EXEC_MARK, "1", 1);
	execl("/proc/self/exe", "vmm", NULL);
	CHECK_SYS(!"execl");
}

static void obey(struct vm *vm, struct vcpu *v, enum vmm_order order)
{
	switch (order) {
	case VMM_STORE:
		vcpu_call(v, g_store8, VM_DATA, 1, vm->data_pages, PAGE);
		break;
	case VMM_START:
		vcpu_start(v, g_store8_forever, VM_DATA, vm->data_pages);
		break;
	case VMM_STOP:
		vcpu_stop(v);
		break;
	case VMM_DELETE:
		vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
		break;
	case VMM_CLOSE:
		vcpu_close(v);
		vm_close(vm);
		break;
	case VMM_EXEC:
		become_other_program();
		break;
	case VMM_EXIT:
		exit(0);
	}
}

static void vmm_main(struct vmm *vmm)
{
	struct vm *vm = vm_new_with(vmm->data, vmm->pages);
	struct vcpu *v = vcpu_new(vm);
	char order;

	CHECK_SYS(write(vmm->sock, &vm->fd, sizeof(vm->fd)) == sizeof(vm->fd));
	while (read(vmm->sock, &order, 1) == 1) {
		obey(vm, v, order);
		byte_send(vmm->sock, order);
	}
	_exit(0);
}

struct vmm *vmm_fork(uint64_t pages)
{
	struct vmm *vmm = calloc(1, sizeof(*vmm));
	int sock[2];

	CHECK(vmm);
	vmm->pages = pages;
	vmm->data = mem_shared(pages * PAGE);
	socket_pair(sock);
	vmm->pid = fork();
	CHECK_SYS(vmm->pid >= 0);
	vmm->sock = sock[!vmm->pid];
	close(sock[!!vmm->pid]);
	if (!vmm->pid)
		vmm_main(vmm);
	vmm->pidfd = pidfd_of(vmm->pid);
	CHECK_SYS(read(vmm->sock, &vmm->vm_fd, sizeof(int)) == sizeof(int));
	return vmm;
}

void vmm_tell(struct vmm *vmm, enum vmm_order order)
{
	byte_send(vmm->sock, order);
	if (order == VMM_EXIT || order == VMM_EXEC)
		return;
	CHECK_EQ(byte_receive(vmm->sock), order);
}

int vmm_take_fd(const struct vmm *vmm)
{
	return pidfd_take(vmm->pidfd, vmm->vm_fd);
}

void vmm_kill(struct vmm *vmm)
{
	CHECK_SYS(!kill(vmm->pid, SIGKILL));
	CHECK_SYS(waitpid(vmm->pid, NULL, 0) == vmm->pid);
}
