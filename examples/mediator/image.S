/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's image as a part of the VMM. */
	.section .rodata
	.globl guest_image, guest_image_end
guest_image:
	.incbin IMAGE
guest_image_end:
	.section .note.GNU-stack, "", @progbits
