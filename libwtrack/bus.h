/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that the library asks of the system bus, and so of wtrackd. As with
 * sys.h, everything above runs on any other implementation as well.
 */
#ifndef WTRACK_BUS_H
#define WTRACK_BUS_H

#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* 0 where wtrackd is to choose. */
struct bus_open {
	const char *vm;
	const struct wtrack_range *ranges;
	size_t nr_ranges;
	uint64_t max_pages;
	uint32_t max_records;
};

/* From malloc(3), or NULL. */
struct bus_error {
	char *name;		/* of the bus, "org.wtrack1.Error.NoSuchVM" */
	char *message;		/* for people */
};

/*
 * A descriptor of a session. Otherwise a negative errno, and *ret_error filled
 * in, when there was no answer; -EREMOTEIO when there was one and ret_error
 * says what. May take as long as somebody needs to type a password.
 */
int wtrack__bus_open_session(const struct bus_open *args,
			     struct bus_error *ret_error);
void wtrack__bus_error_done(struct bus_error *error);

#endif
