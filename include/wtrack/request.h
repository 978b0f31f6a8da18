/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request: a session that wtrackd is asked for, without waiting for it. */
#ifndef WTRACK_REQUEST_H
#define WTRACK_REQUEST_H

#include <stddef.h>

#include <wtrack/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opaque; made by wtrack_request_new(), freed by wtrack_request_close(). One
 * thread at a time may use a request.
 */
struct wtrack_request;

/**
 * wtrack_request_new() - begin to ask wtrackd for a session
 * @vm: as in wtrack_session_open_daemon()
 * @wanted: as in wtrack_session_open_daemon_restricted(), or NULL for a session
 *	with the limits that the daemon chooses
 * @size: sizeof(struct wtrack_restriction) as the caller knows it, which does
 *	not matter when @wanted is NULL
 * @flags: 0 or WTRACK_OPEN_INTERACTIVE
 * @ret: where to store the request
 *
 * Does not wait for the daemon, nor for the bus: the request's descriptor says
 * when there is something to do, in any poll loop, for as long as the caller
 * likes, and wtrack_request_close() gives it up. Nothing of the arguments is
 * used after the call. Any thread.
 *
 * Return: 0, or
 *	-E2BIG		@size is more than this library knows, and the rest of
 *			@wanted is not 0
 *	-ECONNREFUSED	there is no system bus
 *	-EINVAL		a flag is not known; @vm cannot be put into a message;
 *			the budget or max_sync_us of @wanted is not 0; @size is
 *			0
 *	-EMFILE, -ENFILE no descriptor is left
 *	-ENOMEM		no memory
 *	-EPROTO		the request cannot be made on this bus
 * Since: 1.0
 */
int wtrack_request_new(const char *vm, const struct wtrack_restriction *wanted,
		       size_t size, unsigned int flags,
		       struct wtrack_request **ret);

/**
 * wtrack_request_get_fd() - the request's descriptor
 * @request: the request
 *
 * For poll loops: it reports POLLIN when wtrack_request_finish() is to be
 * called, which may be several times before there is an answer. It belongs to
 * the request, and is good for nothing else.
 *
 * Return: the descriptor; cannot fail.
 * Since: 1.0
 */
int wtrack_request_get_fd(const struct wtrack_request *request);

/**
 * wtrack_request_finish() - is there an answer?
 * @request: the request
 * @ret: where to store the session
 * @ret_message: as in wtrack_session_open_daemon()
 *
 * Does not wait, except for a VMM of the caller's own user, whose VM it
 * attaches the session to. When the kernel does not permit that, this call asks
 * the daemon once more and returns -EAGAIN. Whatever it returns, the request is
 * still to be closed.
 *
 * Return: 0, or the errors of wtrack_session_open_daemon(), or
 *	-EAGAIN		there is no answer yet
 *	-EALREADY	the answer was handed out before
 *	-ETIMEDOUT	as there: the daemon has half a minute, with
 *			WTRACK_OPEN_INTERACTIVE six
 * Since: 1.0
 */
int wtrack_request_finish(struct wtrack_request *request,
			  struct wtrack_session **ret, char **ret_message);

/**
 * wtrack_request_close() - close a request
 * @request: the request, or NULL, which does nothing
 *
 * A request without an answer is given up: the daemon withdraws the question if
 * it asked a user to authenticate, and a session that the daemon still opens
 * for it is closed. Does not wait. A session that was handed out is not
 * touched.
 * Since: 1.0
 */
void wtrack_request_close(struct wtrack_request *request);

#ifdef __cplusplus
}
#endif

#endif
