// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

GUEST_CODE(g_store8,
	"1: mov %rsi, (%rdi)\n"
	"inc %rsi\n"
	"add %rcx, %rdi\n"
	"dec %rdx\n"
	"jnz 1b\n"
	"hlt");

GUEST_CODE(g_store8_forever,
	"1: mov %rdi, %rbx\n"
	"mov %rsi, %rcx\n"
	"2: inc %rax\n"
	"mov %rax, (%rbx)\n"
	"add $4096, %rbx\n"
	"dec %rcx\n"
	"jnz 2b\n"
	"jmp 1b");

GUEST_CODE(g_count_forever,
	"1: mov %rsi, (%rdi)\n"
	"inc %rsi\n"
	"jmp 1b");

/* The next number, in rdx, r9 and rax. */
#define XORSHIFT			\
	"mov %rdx, %rax\n"		\
	"shl $13, %rax\n"		\
	"xor %rax, %rdx\n"		\
	"mov %rdx, %rax\n"		\
	"shr $7, %rax\n"		\
	"xor %rax, %rdx\n"		\
	"mov %rdx, %rax\n"		\
	"shl $17, %rax\n"		\
	"xor %rax, %rdx\n"		\
	"mov %rdx, %r9\n"		\
	"mov %rdx, %rax\n"

/*
 * xorshift in r8's place: rdx is the generator's state, rsi the number of
 * pages, r10 the page, r11 the word. Count 0 wraps and so takes for ever.
 */
GUEST_CODE(g_random,
	"1:\n"
	XORSHIFT
	"shr $9, %rax\n"
	"mov %rax, %r11\n"
	"shr $9, %rax\n"
	"xor %edx, %edx\n"
	"div %rsi\n"
	"mov %rdx, %r10\n"
	"mov %r9, %rdx\n"
	"shl $12, %r10\n"
	"cmp $2, %r8\n"
	"je 2f\n"
	"and $0x1fe, %r11\n"
	"or %r8, %r11\n"
	"jmp 3f\n"
	"2: and $0x3f, %r11\n"
	"3: lea (%r10, %r11, 8), %r11\n"
	"mov %rdx, (%rdi, %r11)\n"
	"dec %rcx\n"
	"jnz 1b\n"
	"hlt");

GUEST_CODE(g_fstp,
	"fninit\n"
	"1: fldpi\n"
	"fstpl (%rdi)\n"
	"add %rsi, %rdi\n"
	"dec %rdx\n"
	"jnz 1b\n"
	"hlt");

GUEST_CODE(g_random_fstp,
	"fninit\n"
	"1:\n"
	XORSHIFT
	"shr $18, %rax\n"
	"xor %edx, %edx\n"
	"div %rsi\n"
	"mov %rdx, %r10\n"
	"mov %r9, %rdx\n"
	"shl $12, %r10\n"
	"add %rdi, %r10\n"
	"mov %r9, %r11\n"
	"shr $9, %r11\n"
	"and $0x1fe, %r11\n"
	"test $0x1f, %r9b\n"
	"jz 2f\n"
	"mov %rdx, (%r10, %r11, 8)\n"
	"3: dec %rcx\n"
	"jnz 1b\n"
	"hlt\n"
	"2: fildl (%rdi)\n"
	"fstpl 8(%r10, %r11, 8)\n"
	"jmp 3b");

GUEST_CODE(g_idle,
	"1: pause\n"
	"jmp 1b");
