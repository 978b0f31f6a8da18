// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts that KVM's own interrupt controller delivers to a tracked stack:
 * the guest sends them to itself, one after the other, for as long as it takes.
 */
#include <sys/ioctl.h>

#include "mirror.h"
#include "mode.h"
#include "module.h"
#include "tap.h"

/* In VM_DATA; all of it is tracked. */
enum { IDT, GDT, STACK, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define STACK_TOP	(PAGE_AT(STACK) + 0x800)
#define END_PORT	"0x80"

enum { VECTOR = 0x40 };

/*
 * x2APIC by MSRs: 0x80f spurious, 0x83f self IPI, 0x80b end of interrupt. The
 * handler counts in rbx; rdi is how many.
 */
extern const unsigned char g_self_handler[];
GUEST_CODE(g_self,
	"mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	"mov $0x80f, %ecx\n mov $0x1ff, %eax\n xor %edx, %edx\n wrmsr\n"
	"sti\n"
	"1: mov $0x83f, %ecx\n mov $0x40, %eax\n xor %edx, %edx\n wrmsr\n"
	"push %rdi\n"
	"pop %rsi\n"
	"cmp %rdi, %rbx\n"
	"jb 1b\n"
	"cli\n"
	"2: out %al, $" END_PORT "\n"
	"jmp 2b\n"
	".globl g_self_handler\n"
	"g_self_handler:\n"
	"inc %rbx\n"
	"push %rax\n push %rcx\n push %rdx\n"
	"mov $0x80b, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
	"pop %rdx\n pop %rcx\n pop %rax\n"
	"iretq");

static void fill(struct vcpu *v)
{
	mode_fill_gdt(v->vm, PAGE_AT(GDT), DESC_CODE64);
	mode_set_gate(v->vm, PAGE_AT(IDT), VECTOR,
		      vcpu_code_rip(v) + (g_self_handler - g_self.start), 0);
}

static void load(struct vcpu *v, uint64_t interrupts)
{
	const uint64_t args[6] = { interrupts };
	struct kvm_regs r;

	vcpu_load(v, g_self, args);
	mode_load_gdt(v, PAGE_AT(GDT));
	mode_load_idt(v, PAGE_AT(IDT));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsp = STACK_TOP;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

static void run_all(uint64_t interrupts, struct mirror *m)
{
	struct vm *vm = vm_new(PAGES);
	struct kvm_regs r;
	struct vcpu *v;
	struct wt *wt;

	CHECK_SYS(!ioctl(vm->fd, KVM_CREATE_IRQCHIP));
	v = vcpu_new(vm);
	fill(v);
	if (m) {
		wt = wt_session(vm->fd, 65536, 0);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		mirror_init(m, wt, vm->data, PAGES);
	}
	load(v, interrupts);
	CHECK_EQ(vcpu_run(v), KVM_EXIT_IO);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	CHECK_EQ(r.rbx, interrupts);
	CHECK_EQ(r.rsp, STACK_TOP);
}

CASE(each_of_many_interrupts_arrives_on_a_tracked_stack)
{
	struct mirror m;

	run_all(2000, NULL);
	module_set_param("guard_min_ms", 8);
	module_set_param("guard_max_ms", 8);
	run_all(2000, &m);
	mirror_step(&m);
	CHECK(m.guard[KVM_WTRACK_GUARD_DISARMED][KVM_WTRACK_CAUSE_EVENT] > 1);
	mirror_rearmed(&m);
	CHECK_EQ(mirror_differs(&m), PAGES * PAGE);
	mirror_finish(&m);
	tap_note("class event, tracked stack/self IPI: changed event");
	tap_note("%llu times disarmed, %llu stores recorded",
		 (unsigned long long)mirror_guard(&m, KVM_WTRACK_GUARD_DISARMED),
		 (unsigned long long)m.writes);
}
