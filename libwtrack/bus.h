/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All calls of the library to the system bus, and so to wtrackd. As with sys.h,
 * the rest of the library runs on any other implementation of these functions
 * as well.
 */
#ifndef WTRACK_BUS_H
#define WTRACK_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* A limit of 0 leaves the choice to wtrackd. */
struct bus_open {
	const char *vm;
	uint64_t max_pages;
	uint32_t max_records;
	bool attach;		/* by wtrackd, also to a VM of the caller's user */
	bool interactive;	/* a user may be asked to authenticate */
};

/* What wtrackd has opened. The descriptors are the caller's. */
struct bus_session {
	int fd;			/* of the session */
	bool attached;		/* to the VM; if not it has to be, to that of: */
	int pidfd;		/* the VMM's process */
	int vm_fd;		/* the VM's descriptor there */
};

/* From malloc(3), or NULL. */
struct bus_error {
	char *name;		/* of the bus, "org.wtrack1.Error.NoSuchVM" */
	char *message;		/* for people */
};

/* A call under way. */
struct bus_call;

/* 0, or a negative errno. Does not wait. */
int wtrack__bus_call_new(const struct bus_open *args, struct bus_call **ret);

/* Readable when wtrack__bus_call_finish() has something to do. */
int wtrack__bus_call_get_fd(const struct bus_call *call);

/*
 * Returns 0 with *ret; -EAGAIN when there is no answer yet; -EREMOTEIO when the
 * answer is the error in ret_error; or another negative errno when there will
 * be no answer. After another result than -EAGAIN, do not call it again unless
 * the call is repeated.
 */
int wtrack__bus_call_finish(struct bus_call *call, struct bus_session *ret,
			    struct bus_error *ret_error);
/* Another call, after an answer, with the same descriptor to poll. */
int wtrack__bus_call_repeat(struct bus_call *call, const struct bus_open *args);
void wtrack__bus_call_free(struct bus_call *call);

/* Closes the call and its connection. */
void wtrack__bus_session_done(struct bus_session *session);

void wtrack__bus_error_done(struct bus_error *error);

#endif
