/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way from the reset vector to bare_main(): a firmware for QEMU's -bios
 * that is the whole guest. The ROM ends at 1 MiB, and at 4 GiB where the
 * processor starts. The page tables are the first thing in RAM; it is zeroed.
 */
#define PML4	0x1000
#define PDPT	0x2000
#define PD	0x3000
#define STACK	0x80000
#define PRESENT	0x3		/* and writable */
#define LARGE	0x83
#define EFER	0xc0000080
#define APIC_SPURIOUS	0xfee000f0
#define APIC_LINT0	0xfee00350
#define CODE32	0x08
#define DATA	0x10
#define CODE64	0x18

	.section .text.start, "ax"
	.code16
	.globl	start16
start16:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer - 0xf0000
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CODE32, $start32

	.code32
start32:
	mov	$DATA, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	/* The APIC passes on what the PIC says. */
	movl	$0x1ff, APIC_SPURIOUS
	movl	$0x700, APIC_LINT0
	movl	$(PDPT + PRESENT), PML4
	movl	$(PD + PRESENT), PDPT
	/* The first GiB, in pages of 2 MiB. */
	mov	$LARGE, %eax
	mov	$PD, %edi
1:	mov	%eax, (%edi)
	add	$0x200000, %eax
	add	$8, %edi
	cmp	$(PD + 0x1000), %edi
	jne	1b
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$PML4, %eax
	mov	%eax, %cr3
	mov	$EFER, %ecx
	rdmsr
	or	$0x100, %eax		/* LME */
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax	/* PG */
	mov	%eax, %cr0
	ljmpl	$CODE64, $start64

	.code64
start64:
	mov	$STACK, %esp
	call	bare_main
1:	hlt
	jmp	1b

	.globl	bare_tick
bare_tick:
	push	%rax
	incl	bare_ticks
	mov	$0x20, %al		/* end of interrupt */
	out	%al, $0x20
	pop	%rax
	iretq

	/* Marked as accessed: the processor cannot do it in a ROM. */
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.section .reset, "ax"
	.code16
	ljmp	$0xf000, $(start16 - 0xf0000)
	.balign	16

	.section .note.GNU-stack, "", @progbits
