# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session: one open descriptor of kvm-wtrack on one VM."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    NoReturn,
    Protocol,
    SupportsIndex,
    TypeAlias,
)

from . import _wtrack
from ._errors import make_error
from ._numbers import Right
from ._records import (
    GfnInfo,
    Range,
    ReadResult,
    Region,
    Result,
    ResyncRange,
    Status,
)
from ._wtrack import Event

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Behind all pages.
_GFN_END = (1 << 64) - 1
#: How often regions() begins again.
_REGIONS_TRIES = 100


class HasFileno(Protocol):
    """A file, a socket, or another object with a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


#: Ranges are pairs of a page's number and a number of pages.
Ranges: TypeAlias = Iterable[tuple[int, int]]


def _results(answer: list[tuple[int, int, int, int, int]]) -> list[Result]:
    return [Result(*result) for result in answer]


class Session:
    """Opened by one of the functions open_*; a context manager that closes it.

    It gets one ring, tracks ranges of pages, and hands out an event for each
    write to them:

        with wtrack.Session.open_pid(pid) as session:
            session.make_ring(1024)
            session.add([wtrack.Range(0x8000)])
            for event in session:
                print(event.gpa, event.data)

    The methods are the library's functions of the same names. All raise Error
    when these fail, and ValueError when the session is closed.

    The methods set_budget, make_ring, wait, next, release, events, read_batch,
    resync_next, resync, and iterating, are for one thread at a time, the
    consumer: another one gets a RuntimeError meanwhile. All others may be
    called by any thread at any time. A child of fork(2) cannot use the
    session: it gets a ValueError.
    """

    __slots__ = ("_core", "__weakref__")

    _core: _wtrack.Session

    def __init__(self, core: _wtrack.Session) -> None:
        """Is for the functions open_*."""
        self._core = core

    # Opening

    @classmethod
    def open_pid(cls, pid: int) -> Session:
        """Open a session on the VM of a running VMM, whose process one may
        trace. ENOTUNIQ when it has several VMs.
        """
        return cls(_wtrack.open_pid(pid))

    @classmethod
    def open_pid_fd(cls, pid: int, fd: int) -> Session:
        """Open a session on one of the VMs of a running VMM: fd is the number
        of the VM's descriptor in that process.
        """
        return cls(_wtrack.open_pid_fd(pid, fd))

    @classmethod
    def open(cls) -> Session:
        """Open a session that has no VM yet. A broker restricts it and passes
        it on to a process that may not open the device, which attaches it.
        """
        return cls(_wtrack.open())

    @classmethod
    def open_vm_fd(cls, vm_fd: int | HasFileno) -> Session:
        """Open a session on a VM of which one has the descriptor, from
        KVM_CREATE_VM or a socket. It stays the caller's.
        """
        fd = vm_fd if isinstance(vm_fd, int) else vm_fd.fileno()
        return cls(_wtrack.open_vm_fd(fd))

    @classmethod
    def open_fd(cls, session_fd: int) -> Session:
        """Take over a session that another process passed on: session_fd is the
        result of fileno() there, as it came out of a socket. On success it
        belongs to the session. If there is a ring, its next event is the first; read
        the contents of all tracked pages before.
        """
        return cls(_wtrack.open_fd(session_fd))

    @classmethod
    def open_daemon(cls, vm: str, *, interactive: bool = False) -> Session:
        """Have wtrackd open a session: vm is the VMM's process id, the name of
        the machine, QEMU's -name, or "PID:FD". Needs no privilege; the
        daemon's policy decides. If it is interactive the user may be asked to
        authenticate, which may take minutes. An exception that a signal's
        handler raises, such as KeyboardInterrupt, gives the request up. The
        session is restricted to the daemon's limits.
        """
        return cls(_wtrack.open_daemon(vm, interactive))

    @classmethod
    def open_daemon_pid(
        cls, pid: int, *, interactive: bool = False
    ) -> Session:
        """Have wtrackd open a session on the VM of a running VMM."""
        return cls(_wtrack.open_daemon_pid(pid, interactive))

    @classmethod
    def open_daemon_restricted(
        cls,
        vm: str,
        ranges: Ranges = (),
        *,
        max_pages: int = 0,
        max_records: int = 0,
        rights: int = 0,
        interactive: bool = False,
    ) -> Session:
        """Have wtrackd open a session that is restricted to what is wanted,
        which is also what is taken from the user's limits. For a number that
        is 0 the daemon chooses, and with rights 0 the session has those that
        the daemon grants.
        """
        limits = (ranges, max_pages, max_records, 0, 0, 0, rights)
        return cls(_wtrack.open_daemon_restricted(vm, limits, interactive))

    # Its life

    def close(self) -> None:
        """Close the session: its ring is unmapped, and the pages that it tracked
        are untracked, unless another process holds the descriptor as well.
        Closing it again does nothing.

        What other threads have under way on it ends first; a thread that
        sleeps for events is woken and gets a ValueError.
        """
        self._core.close()

    @property
    def closed(self) -> bool:
        """Was the session closed?"""
        return self._core.closed

    def __enter__(self) -> Session:
        """The session itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the session."""
        self.close()

    def __del__(self) -> None:
        """Warn of a session that was not closed."""
        # There is no core when __init__() was called wrongly.
        if hasattr(self, "_core") and not self.closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """A session is one descriptor: it can neither be copied nor pickled."""
        raise TypeError(
            "cannot copy or pickle a session: pass its descriptor on, and "
            "take it over with Session.open_fd()"
        )

    def __repr__(self) -> str:
        """The descriptor, or why there is none."""
        try:
            what = f"fd={self.fileno()}"
        except ValueError:
            what = "closed" if self.closed else "of the parent process"
        return f"<wtrack.Session {what}>"

    def fileno(self) -> int:
        """The session's descriptor, for poll loops (asyncio's add_reader) and
        for passing the session on. It belongs to the session.

        It is readable while there are events that were not released, as the
        ring's watermark and latency want, and when the VM is gone. Then take
        all events, or it is readable at once again. Have the event loop forget
        it before the session is closed.
        """
        return self._core.fileno()

    # What it may do, and its ring

    def attach(self, vm_fd: int | HasFileno) -> None:
        """Give a session of open() its VM, whose descriptor the caller has."""
        fd = vm_fd if isinstance(vm_fd, int) else vm_fd.fileno()
        self._core.attach(fd)

    def restrict(
        self,
        ranges: Ranges = (),
        *,
        max_pages: int = 0,
        max_records: int = 0,
        budget: int = 0,
        period_ms: int = 0,
        max_sync_us: int = 0,
        rights: int = (
            Right.MEMORY | Right.DATA | Right.RIP | Right.OTHERS | Right.CHANGE
        ),
    ) -> None:
        """Limit the session for good, before it is passed on to a process that
        is trusted less: the only pages that may be tracked, how many at a time,
        the largest ring, and the largest budget with its shortest period. An
        argument that is empty or 0 does not limit. The session keeps those of
        its rights that are named. A vCPU may wait for the reader for at most
        max_sync_us, and 0 forbids it.

        The call is possible any number of times: the session may do what all
        calls allow.
        """
        self._core.restrict(
            ranges, max_pages, max_records, budget, period_ms, max_sync_us,
            rights,
        )

    def set_budget(self, budget: int, period_ms: int) -> None:
        """How many stores to each page are reported in each period; a page
        with more is disarmed for the rest of it. For the ring that is made
        next, or for the one that there is. 0 and 0, the default, do not limit.
        """
        self._core.set_budget(budget, period_ms)

    def set_wakeup(self, watermark: int, latency_us: int) -> None:
        """Change the watermark and the latency of the ring that there is: see
        make_ring(). Who sleeps is woken, to sleep by the new values.
        """
        self._core.set_wakeup(watermark, latency_us)

    def set_sync(self, timeout_us: int) -> None:
        """How long a vCPU waits at most until its event is released. For the ring
        that is made next, with RingFlag.SYNC, or from now on for the one there is.
        """
        self._core.set_sync(timeout_us)

    def make_ring(
        self,
        records: int = 1024,
        flags: int = 0,
        *,
        watermark: int = 0,
        latency_us: int = 0,
    ) -> None:
        """Make the session's ring, once: room for so many events, a power of
        two. With a watermark, sleeping readers are woken when that many events
        are unread, or the oldest is older than the latency.
        """
        self._core.make_ring(records, flags, watermark, latency_us)

    # What it tracks

    def add(
        self,
        ranges: Ranges,
        *,
        nowait: bool = False,
        skip_holes: bool = False,
    ) -> list[Result]:
        """Track pages. When this returns, no write of a vCPU to them goes
        unnoticed: add first, then read the pages' contents. Pages that are
        tracked already are armed again, if the guard had disarmed them.

        A page that is refused does not stop the others. If there is one, Error
        is raised with the first reason, and has all results.

        A page cannot be armed while KVM handles a fault of the guest on it, which
        lasts as long as the VMM takes to provide the page. add() waits for that;
        with nowait it refuses the page with errno.EAGAIN. With skip_holes what the
        guest has no memory for is no error, so that all of its memory is one
        range: (0, 1 << 40).

        The handler of a signal runs after 65536 pages at the latest; when it
        raises, query() tells how far it came.
        """
        err, answer, _ = self._core.add(ranges, nowait, skip_holes)
        return self._changed(err, _results(answer), None)

    def rearm(self, ranges: Ranges, *, nowait: bool = False) -> list[Result]:
        """Observe pages again that the session tracks and does not observe: those
        that were stored to in a session with RingFlag.ONCE, and those that the
        guard has disarmed. When this returns, no write of a vCPU to them goes
        unnoticed: arm them first, then read them. It adds no pages. The rest is
        as with add().
        """
        err, answer, _ = self._core.rearm(ranges, nowait)
        return self._changed(err, _results(answer), None)

    def remove(self, ranges: Ranges) -> list[Result]:
        """Stop tracking pages. Their events may still appear for a moment.
        Errors and signals are as with add().
        """
        err, answer, _ = self._core.remove(ranges, False)
        return self._changed(err, _results(answer), None)

    def remove_fenced(self, ranges: Ranges) -> tuple[list[Result], int]:
        """Stop tracking pages, and know when the last event of them was seen:
        none has a higher sequence number than the one that is returned, which
        Error has as well if only pages were refused. The rest is as with
        remove().
        """
        err, answer, seq = self._core.remove(ranges, True)
        results = self._changed(err, _results(answer), seq)
        assert seq is not None
        return results, seq

    @staticmethod
    def _changed(
        err: int, results: list[Result], seq: int | None
    ) -> list[Result]:
        if err:
            error = make_error(err, _wtrack.strerror(err))
            error.results = results
            error.seq = seq
            raise error
        return results

    def query(self, gfn: int = 0) -> Iterator[Range]:
        """Which pages the session tracks, in ascending order, from a page on.
        What other threads add and remove meanwhile may or may not be seen.
        """
        ranges, gfn = self._core.query(gfn)
        while ranges:
            for found in ranges:
                yield Range(*found)
            ranges, gfn = self._core.query(gfn)

    def query_gfn(self, gfn: int) -> GfnInfo:
        """Ask about one page."""
        return GfnInfo(*self._core.query_gfn(gfn))

    # The guest's memory

    def read(self, gpa: int, length: int, *, nofault: bool = False) -> bytes:
        """The guest's memory from a guest physical address on. It needs no ring,
        and the pages need not be tracked.

        Error is raised for the first byte that cannot be read, and has in its
        read how far it came. With nofault, what is not in memory now is not
        fetched and not waited for: errno.EAGAIN.
        """
        data = bytearray(length)
        self.read_into(gpa, data, nofault=nofault)
        return bytes(data)

    def read_into(
        self, gpa: int, buffer: WriteableBuffer, *, nofault: bool = False
    ) -> ReadResult:
        """The same into a bytearray, a memoryview, an array of numpy: as many
        bytes as it has. What it returns tells which events the bytes contain.
        """
        err, *answer = self._core.read(gpa, buffer, nofault)
        result = ReadResult(*answer)
        if err:
            error = make_error(err, _wtrack.strerror(err))
            error.read = result
            raise error
        return result

    def regions(self) -> list[Region]:
        """The regions of the guest's memory, as they are at one moment, in
        ascending order; in a restricted session, what it may have of them.

        get_status() has a generation that changes whenever a region does. EBUSY
        when the regions change all the time.
        """
        for _ in range(_REGIONS_TRIES):
            found, at_once = self._regions()
            if at_once:
                return found
        raise make_error(errno.EBUSY, _wtrack.strerror(errno.EBUSY))

    def _regions(self) -> tuple[list[Region], bool]:
        found, generations, gfn = [], set(), 0
        while gfn != _GFN_END:
            region, gfn, generation = self._core.regions_next(gfn)
            generations.add(generation)
            if region is not None:
                found.append(Region(*region))
        return found, len(generations) == 1

    # Reading

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until an event can be read, for at most so many seconds: is
        there one? With 0 it does not sleep, with None it never ends.

        A signal whose handler does not raise does not end it. EBUSY when
        nothing can come, as events are not released or a resync is not
        finished; GoneError when the VM is gone and all events were taken.
        """
        return self._core.wait(timeout)

    def next(self) -> Event | None:
        """The next event, or None when there is none now. It takes up room in
        the ring until release(), but is valid for ever.

        After an event of type RESYNC, VM_GONE is the only event that comes
        before resync() has been iterated to its end.
        """
        return self._core.next()

    def release(self) -> None:
        """Give back the room of all events taken so far. What is read from
        guest memory afterwards is at least as new as all writes that were not
        reported separately because these events were unread.
        """
        self._core.release()

    def __iter__(self) -> Iterator[Event]:
        """The events as they come, each released when it is handed out. Sleeps
        as wait() does, and ends when the VM is gone.

        After an event of type RESYNC iterate resync() to its end.
        """
        return self._core

    def events(self) -> Iterator[Event]:
        """The events until there is none, each released when it is handed out.
        Does not sleep. While the guest writes as fast as they are taken it does
        not end: where others wait for their turn, take a part with
        itertools.islice().
        """
        while (event := self._core.next()) is not None:
            self._core.release()
            yield event

    def read_batch(self, max_events: int = 4096) -> bytes:
        """The events that are there now as records of RECORD_FORMAT, of which
        numpy.frombuffer() with RECORD_DTYPE makes an array; b"" when there is
        none. They are released. Does not sleep.

        Behind an event of type RESYNC the batch has nothing but VM_GONE, if
        that: iterate resync() to its end after each batch. It does nothing
        without such an event.
        """
        return self._core.read_batch(max_events)

    def get_waiters(self) -> tuple[int, int]:
        """How many vCPUs wait for an event that is not released, in a session
        with RingFlag.SYNC; and in the threads of how many of them a signal is
        pending, which each takes when it continues, before the guest's next
        instruction.
        """
        return self._core.get_waiters()

    def fence(self) -> int:
        """Wait for notifications that are under way: every write that was
        notified before the call has at most the sequence number returned, or
        is in the resync set.
        """
        return self._core.fence()

    def resync_next(self) -> ResyncRange | None:
        """The next range to re-read after an overflow, None when there are no
        more. Releases the events taken so far.
        """
        answer = self._core.resync_next()
        return None if answer is None else ResyncRange(*answer)

    def resync(self) -> Iterator[ResyncRange]:
        """All ranges to re-read after an overflow, that is, after an event of
        type RESYNC. Iterate it to its end: until then no other events come.
        """
        while (found := self.resync_next()) is not None:
            yield found

    def get_status(self) -> Status:
        """The session's state and counters. Works also when the VM is gone."""
        return Status(*self._core.get_status())
