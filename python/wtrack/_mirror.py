# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mirror: an exact copy of guest pages, and what changes in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from types import TracebackType

from . import _wtrack
from ._errors import GoneError, make_error
from ._numbers import MirrorState
from ._records import Change, MirrorStatus, Result
from ._session import Ranges, Session

#: Changes that are taken before an event loop has its turn.
_MAX_CHANGES = 1024


class Mirror:
    """Keeps an exact copy of guest pages; a context manager that closes it.

        with Session.open_daemon(vm) as session, Mirror(session) as mirror:
            mirror.add([Range(0x8000)])
            for change in mirror:
                print(change)

    The methods are the library's functions of the same names, wtrack_mirror(3),
    which tells what "exact" means. It is the session's consumer: while there is a
    mirror, the session's own methods of the consumer raise RuntimeError, and so
    do those of the mirror for another thread while one is in a call.
    """

    __slots__ = ("_core", "__weakref__")

    _core: _wtrack.Mirror

    def __init__(
        self,
        session: Session,
        records: int = 0,
        flags: int = 0,
        *,
        watermark: int = 0,
        latency_us: int = 0,
    ) -> None:
        """Make the session's ring, unless it has one: see Session.make_ring().
        With records 0 it has 4096 places, or as many as the session may have.
        """
        self._core = _wtrack.mirror_new(
            session._core, records, flags, watermark, latency_us
        )

    def close(self) -> None:
        """Remove all pages from the session, and free the copies. BufferError
        while there is a memoryview of a page that was not released. The session
        stays open; one that is closed before its mirror ends with it.
        """
        self._core.close()

    @property
    def closed(self) -> bool:
        """Was the mirror closed?"""
        return self._core.closed

    def __enter__(self) -> Mirror:
        """The mirror itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the mirror."""
        self.close()

    def __repr__(self) -> str:
        """How many pages it has."""
        if self.closed:
            return "<wtrack.Mirror closed>"
        try:
            return f"<wtrack.Mirror pages={self.get_status().pages}>"
        except (RuntimeError, ValueError):
            return "<wtrack.Mirror>"

    def fileno(self) -> int:
        """The descriptor to poll, which is the session's. When it is readable,
        take the changes.
        """
        return self._core.fileno()

    # Its pages

    def add(
        self,
        ranges: Ranges,
        *,
        nowait: bool = False,
        skip_holes: bool = False,
    ) -> list[Result]:
        """Track pages and read them: their copy is there when this returns.
        Pages that are refused are not in the mirror, nor are holes that are
        skipped; arguments and errors are as with Session.add().
        """
        err, answer = self._core.add(ranges, nowait, skip_holes)
        results = [Result(*result) for result in answer]
        if err:
            error = make_error(err, _wtrack.strerror(err))
            error.results = results
            raise error
        return results

    def remove(self, ranges: Ranges) -> None:
        """Track pages no more, and free their copies. BufferError, and nothing
        is removed, while there is a memoryview of one that was not released.
        """
        self._core.remove(ranges)

    def reread(self, ranges: Ranges) -> None:
        """Have pages read again by the next update() or sync(): when something
        else than a vCPU has stored to them.
        """
        self._core.reread(ranges)

    def page(self, gfn: int) -> memoryview:
        """The copy of a page: 4096 bytes that cannot be written to, and that
        change with the copy, in update() and sync() alone. LookupError when it is
        not in the mirror.

        Of numpy: numpy.frombuffer(mirror.page(gfn), "<u8").
        """
        view = self._core.page(gfn)
        if view is None:
            raise LookupError(f"page {gfn:#x} is not in the mirror")
        return view

    def get_state(self, gfn: int) -> MirrorState | None:
        """What is known of a page; None when it is not in the mirror."""
        state = self._core.get_state(gfn)
        return None if state is None else MirrorState(state)

    def get_status(self) -> MirrorStatus:
        """The mirror's counters."""
        return MirrorStatus(*self._core.get_status())

    # What changes

    def update(self) -> Iterator[Change]:
        """The changes that there are: with each, the copy is brought forward. Does
        not wait for more. When all was handed out, GoneError if the VM is gone, and
        EndedError if an administrator has ended the session.
        """
        change = self._core.update()
        while change is not None:
            yield Change(*change)
            change = self._core.update()

    def sync(self) -> list[Change]:
        """Bring the copy up to what memory has now, and return what changed: it
        is exact afterwards for all that was stored before the call.
        """
        changes = []
        change = self._core.sync()
        while change is not None:
            changes.append(Change(*change))
            change = self._core.sync()
        return changes

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until update() may have a change, for so many seconds at most,
        or as long as it takes. False when the time is over.
        """
        return self._core.wait(timeout)

    def __iter__(self) -> Iterator[Change]:
        """The changes as they come; ends when the VM is gone. EndedError as in
        update().
        """
        try:
            while True:
                yield from self.update()
                self.wait()
        except GoneError:
            return

    async def changes(self) -> AsyncGenerator[Change, None]:
        """The same in an event loop of asyncio, which keeps running meanwhile. Close
        it (contextlib.aclosing) when it is left before its end.
        """
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self.fileno(), readable.set)
        try:
            while True:
                readable.clear()
                taken = 0
                for change in self.update():
                    yield change
                    taken += 1
                    if taken % _MAX_CHANGES == 0:
                        await asyncio.sleep(0)
                await readable.wait()
        except GoneError:
            return
        finally:
            loop.remove_reader(self.fileno())
