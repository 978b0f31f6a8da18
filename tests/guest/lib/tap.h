/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases with TAP output. A case is one claim and runs in a process of its own:
 *
 *	CASE(a_full_ring_closes_behind_one_record)
 *	{
 *		CHECK_EQ(got, want);
 *	}
 *
 * The first check that fails, in the case's process or in any it forked, ends
 * all of them and fails the case. What a case leaves running is killed.
 */
#ifndef GUEST_TAP_H
#define GUEST_TAP_H

#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct tap_case {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
	struct tap_case *next;
};

void tap_register(struct tap_case *c);

/* Time limit in seconds on a stock kernel; slow hosts get more. */
#define CASE_WITHIN(claim, limit)					\
	static void claim(void);					\
	__attribute__((constructor)) static void claim##_register(void)	\
	{								\
		static struct tap_case c = {				\
			.name = #claim, .run = claim, .seconds = limit,	\
		};							\
		tap_register(&c);					\
	}								\
	static void claim(void)

#define CASE(claim) CASE_WITHIN(claim, 30)

/* Called after each case, when its processes are gone; may fail it. */
extern void (*tap_after_case)(void);

/* What is being tried, for the message of a check that fails. */
void tap_trying(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line of diagnostics. */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

__attribute__((noreturn, format(printf, 3, 4)))
void tap_fail(const char *file, int line, const char *fmt, ...);

void tap_check_eq(const char *file, int line, const char *what,
		  uint64_t got, uint64_t want);
void tap_check_errno(const char *file, int line, const char *what,
		     int got, int want);

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			tap_fail(__FILE__, __LINE__, "%s", #cond);	\
	} while (0)

/* As CHECK, for system calls: the message has errno. */
#define CHECK_SYS(cond)							\
	do {								\
		if (!(cond))						\
			tap_fail(__FILE__, __LINE__, "%s: %m", #cond);	\
	} while (0)

#define CHECK_EQ(got, want)						\
	tap_check_eq(__FILE__, __LINE__, #got " == " #want,		\
		     (uint64_t)(got), (uint64_t)(want))

#define CHECK_ERRNO(got, want)						\
	tap_check_errno(__FILE__, __LINE__, #got, got, want)

/* Waits until the condition holds; that it does not in time is a failure. */
#define CHECK_SOON(cond)						\
	do {								\
		uint64_t end_ = clock_ns() + soon_ns();			\
									\
		while (!(cond)) {					\
			if (clock_ns() > end_)				\
				tap_fail(__FILE__, __LINE__,		\
					 "not in time: %s", #cond);	\
			sleep_ms(1);					\
		}							\
	} while (0)

/* CLOCK_MONOTONIC. */
uint64_t clock_ns(void);
/*
 * CLOCK_MONOTONIC_COARSE: what the kernel's timers go by. It moves with the
 * ticks, which a processor that waits for its turn in the emulator gets late.
 */
uint64_t tick_clock_ns(void);
void sleep_ms(unsigned int ms);
uint64_t soon_ns(void);

/* A kernel with lockdep: everything takes several times as long. */
bool host_is_debug(void);

#endif /* GUEST_TAP_H */
