/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwtrack: every guest write to chosen pages of a KVM guest.
 *
 * The life of a session
 * ---------------------
 *	open -> [restrict] -> [set_budget] -> make_ring -> add ->
 *		wait, next, release ... close
 *
 * A session watches one VM. It is opened from the VM's descriptor, from the
 * VMM's process id, by wtrackd for callers that may do neither, or from a
 * session descriptor that another process passed on (session.h, request.h). It
 * gets one ring (ring.h), tracks ranges of guest page frames (range.h), and
 * hands out one event for each write to them (event.h). When the ring overflows
 * nothing is lost: the pages that were written to are listed instead
 * (resync.h). It also reads the guest's memory (memory.h). Where a write cannot
 * be reported an event says so ("The guard" in event.h).
 *
 * A mirror (mirror.h) does all of that for callers that want a copy of the
 * pages instead of the stream of events:
 *
 *	open -> [restrict] -> [set_budget] -> mirror_new -> mirror_add ->
 *		mirror_wait, mirror_update ... mirror_close -> close
 *
 * What is not seen
 * ----------------
 * Events are of stores that vCPUs make. What others put into the guest's memory
 * has none, and nothing else tells of it: DMA, vhost, the VMM's own stores, a
 * snapshot that the VMM loads (QEMU's loadvm) or what it puts in place at a
 * reset, and what KVM writes itself. A reader that keeps a copy of a page reads
 * it again when the VMM has done that.
 *
 * Errors
 * ------
 * A function that returns int returns a negative errno when it fails, and
 * nothing else tells of the failure: errno itself keeps its value, and what a
 * result pointer points to is not touched. Each errno has one meaning in the
 * whole library; wtrack_strerror() says it, and what to do next. Passing a
 * null pointer where none is allowed is a mistake in the program and is not
 * checked for.
 *
 * Signals
 * -------
 * A call that a signal interrupts is taken up again by the library. Those that
 * wait for others do otherwise: wtrack_session_wait() and the functions that ask
 * wtrackd for a session return -EINTR, and the calls on ranges do when
 * WTRACK_CHANGE_INTR is given, and wtrack_session_read() with WTRACK_READ_INTR.
 *
 * Threads
 * -------
 * Different sessions are independent of each other. Of one session,
 *
 *	- wait, next, release and resync_next are for one thread at a time, the
 *	  consumer. So are set_budget and make_ring, which must have returned
 *	  before another thread becomes the consumer, and all calls of a mirror.
 *	- close needs the session for itself: no other call may be under way,
 *	  and none may follow.
 *	- everything else may be called by any thread at any time.
 *
 * An event may be read by any thread until the consumer releases it. A child of
 * fork(2) does not inherit the ring: it must not use the session, nor close it.
 */
#ifndef WTRACK_WTRACK_H
#define WTRACK_WTRACK_H

#include <wtrack/error.h>
#include <wtrack/event.h>
#include <wtrack/info.h>
#include <wtrack/memory.h>
#include <wtrack/mirror.h>
#include <wtrack/range.h>
#include <wtrack/request.h>
#include <wtrack/resync.h>
#include <wtrack/ring.h>
#include <wtrack/session.h>
#include <wtrack/status.h>

#endif
