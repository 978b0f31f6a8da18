/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An assertion for C99 and C++ alike, outside of functions. */
#ifndef PIN_H
#define PIN_H

#define PIN_NAME2(line, n)	pin_ ## line ## _ ## n
#define PIN_NAME(line, n)	PIN_NAME2(line, n)
#define PIN(value, expected) \
	extern char PIN_NAME(__LINE__, __COUNTER__) \
		[(value) == (expected) ? 1 : -1]

#endif
