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

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#endif
