/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What newer kernels need and sparse 0.6.4 has not: module.sh --sparse has this
 * read first.
 */
#define __typeof_unqual__ __typeof__
/* Of a string literal, as in MODULE_INFO(), which wants a constant. */
#define __builtin_strlen(s) (sizeof(s) - 1)
