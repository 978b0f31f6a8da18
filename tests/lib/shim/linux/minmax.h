/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#define min_t(type, a, b)						\
({									\
	type shim_a = (a), shim_b = (b);				\
									\
	shim_a < shim_b ? shim_a : shim_b;				\
})

#define max_t(type, a, b)						\
({									\
	type shim_a = (a), shim_b = (b);				\
									\
	shim_a > shim_b ? shim_a : shim_b;				\
})

/* Like the kernel's, only for two of one type. */
#define min(a, b)							\
({									\
	_Static_assert(__builtin_types_compatible_p(__typeof__((a) + 0), \
						    __typeof__((b) + 0)), \
		       "min() of two types");				\
	min_t(__typeof__((a) + 0), a, b);				\
})

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#endif
