// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores of general registers: emulated all but a few. */
#include "guard.h"

#define LOAD	"mov $0x1122334455667788, %rax\n mov $3, %ecx\n" \
		"mov $0x99aabbccddeeff00, %rdx\n" \
		"mov %rax, %rbx\n mov $0x1000, %ebp"

#define INT(claim, how, insn, ...)					\
	GUARD_CASE(claim, "integer/" #claim, how, LOAD, insn, __VA_ARGS__)
/* What is compared is what is there. */
#define EQUAL(claim, how, before, insn, ...)				\
	GUARD_CASE(claim, "integer/" #claim, how, LOAD "\n" before, insn, \
		   __VA_ARGS__)
#define STACK(claim, how, insn, ...)					\
	GUARD_CASE(claim, "stack/" #claim, how, LOAD "\n"		\
		   "lea 0x400(%rdi), %rsp", insn, __VA_ARGS__)

INT(mov_8, SEEN_EXACT, "mov %al, 3(%rdi)")
INT(mov_16, SEEN_EXACT, "mov %ax, 3(%rdi)")
INT(mov_32, SEEN_EXACT, "mov %eax, 3(%rdi)")
INT(mov_64, SEEN_EXACT, "mov %rax, 3(%rdi)")
INT(mov_immediate, SEEN_EXACT, "movq $-7, 3(%rdi)")
INT(movnti, SEEN_EXACT, "movnti %rax, 8(%rdi)")
INT(movbe, SEEN_EXACT, "movbe %rax, 8(%rdi)", .feature = CPU_MOVBE)
INT(add, SEEN_EXACT, "add %rax, 8(%rdi)")
INT(lock_add, SEEN_EXACT, "lock add %rax, 8(%rdi)")
INT(sub, SEEN_EXACT, "sub %eax, 8(%rdi)")
INT(and, SEEN_EXACT, "and %ax, 8(%rdi)")
INT(lock_or, SEEN_EXACT, "lock or %eax, 8(%rdi)")
INT(xor, SEEN_EXACT, "xor %al, 8(%rdi)")
INT(inc, SEEN_EXACT, "incq 8(%rdi)")
INT(lock_dec, SEEN_EXACT, "lock decl 8(%rdi)")
INT(neg, SEEN_EXACT, "negq 8(%rdi)")
INT(lock_not, SEEN_EXACT, "lock notq 8(%rdi)")
INT(shl, SEEN_EXACT, "shlq %cl, 8(%rdi)")
INT(shld, SEEN_EXACT, "shldq $5, %rax, 8(%rdi)")
INT(setcc, SEEN_EXACT, "setnz 8(%rdi)")
INT(bts, SEEN_EXACT, "bts %rcx, 8(%rdi)")
INT(lock_btr, SEEN_EXACT, "lock btr %rcx, 8(%rdi)")
INT(xadd, SEEN_EXACT, "xadd %rax, 8(%rdi)")
INT(lock_xadd, SEEN_EXACT, "lock xadd %rax, 8(%rdi)")
INT(xchg, SEEN_EXACT, "xchg %rax, 8(%rdi)")
INT(cmpxchg_fails, SEEN_EXACT, "lock cmpxchg %rdx, 8(%rdi)")
EQUAL(cmpxchg_succeeds, SEEN_EXACT, "mov 8(%rdi), %rax",
      "lock cmpxchg %rdx, 8(%rdi)")
INT(cmpxchg8b_fails, SEEN_EXACT, "lock cmpxchg8b 8(%rdi)")
INT(cmpxchg8b_plain, SEEN_EXACT, "cmpxchg8b 8(%rdi)")
EQUAL(cmpxchg8b_succeeds, SEEN_EXACT, "mov 8(%rdi), %eax\n mov 12(%rdi), %edx",
      "lock cmpxchg8b 8(%rdi)")
INT(cmpxchg16b_fails, SEEN_UNEMULATED, "lock cmpxchg16b 16(%rdi)")
INT(cmpxchg16b_plain, SEEN_UNEMULATED, "cmpxchg16b 16(%rdi)")
EQUAL(cmpxchg16b_succeeds, SEEN_UNEMULATED,
      "mov 16(%rdi), %rax\n mov 24(%rdi), %rdx",
      "lock cmpxchg16b 16(%rdi)")
INT(movdiri, SEEN_UNEMULATED,
    ".byte 0x48, 0x0f, 0x38, 0xf9, 0x47, 0x08",
    .feature = CPU_MOVDIRI, .optional = true)
INT(movdir64b, SEEN_UNEMULATED,
    ".byte 0x66, 0x0f, 0x38, 0xf8, 0x3e",
    .feature = CPU_MOVDIR64B, .optional = true)

INT(stos, SEEN_EXACT, "stosq")
INT(rep_stosb, SEEN_EXACT, "mov $100, %ecx\n rep stosb", .anywhere = true)
INT(rep_stosq, SEEN_EXACT, "mov $100, %ecx\n rep stosq", .anywhere = true)
INT(movs, SEEN_EXACT, "movsq")
INT(rep_movsb, SEEN_EXACT, "mov $2000, %ecx\n rep movsb", .anywhere = true)
INT(rep_movsq_down, SEEN_EXACT,
    "add $1600, %rdi\n add $1600, %rsi\n mov $200, %ecx\n std\n"
    "rep movsq\n cld", .anywhere = true)

STACK(push, SEEN_EXACT, "push %rax")
STACK(push_16, SEEN_EXACT, "pushw %ax")
STACK(push_immediate, SEEN_EXACT, "push $-5")
STACK(push_memory, SEEN_EXACT, "push 8(%rsi)")
STACK(push_segment, SEEN_EXACT, "push %fs")
STACK(pushf, SEEN_EXACT, "pushf")
STACK(pop_to_memory, SEEN_EXACT, "pop 8(%rdi)")
STACK(call, SEEN_EXACT, "call 1f\n hlt\n 1: pop %r8")
STACK(call_indirect, SEEN_EXACT,
      "lea 1f(%rip), %r8\n call *%r8\n hlt\n 1: pop %r9", .anywhere = true)
STACK(enter, SEEN_EXACT, "enter $32, $0")
STACK(enter_nested, SEEN_UNEMULATED, "lea 64(%rsi), %rbp\n enter $32, $2",
      .anywhere = true)
