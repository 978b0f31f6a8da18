# SPDX-License-Identifier: GPL-2.0-or-later
"""All is done a thousand times, and nothing may be left: no memory, and no
reference to what stays.
"""

from __future__ import annotations

import errno
import gc
import sys
import tracemalloc
from collections.abc import Callable

import machine
import wtrack

TIMES = 1000
#: Less than a byte for each time.
NOISE = 900

LASTING = (
    None, True, False, 0, "", b"", wtrack.Event, wtrack._wtrack.Session,
    wtrack.Session, wtrack.Error, wtrack.Range, wtrack.Result,
)


def left(use: Callable[[], None]) -> tuple[int, int]:
    """Bytes and references that are left when it was done a thousand times."""
    for _ in range(10):
        use()
    gc.collect()
    references = [sys.getrefcount(thing) for thing in LASTING]
    memory = tracemalloc.get_traced_memory()[0]
    for _ in range(TIMES):
        use()
    gc.collect()
    memory = tracemalloc.get_traced_memory()[0] - memory
    more = [
        sys.getrefcount(thing) - count
        for thing, count in zip(LASTING, references)
    ]
    return memory, max(abs(count) for count in more)


class Leaks(machine.Case):
    def setUp(self) -> None:
        super().setUp()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)

    def none_left(self, use: Callable[[], None]) -> None:
        memory, references = left(use)
        self.assertLess(memory, NOISE)
        self.assertLess(references, TIMES // 2)

    def test_a_leak_would_be_found(self) -> None:
        kept: list[object] = []
        memory, references = left(lambda: kept.append(bytearray(b"x")))
        self.assertGreater(memory, NOISE)
        memory, references = left(lambda: kept.append(None))
        self.assertGreater(references, TIMES // 2)

    def test_opening(self) -> None:
        self.none_left(lambda: wtrack.Session.open_vm_fd(machine.VM_FD).close())

    def test_opening_restricted(self) -> None:
        self.none_left(
            lambda: wtrack.Session.open_daemon_restricted(
                "fred", [(7, 2)] * 3
            ).close()
        )

    def test_an_opening_that_fails(self) -> None:
        machine.daemon_says("org.wtrack1.Error.NotPermitted", "no")

        def use() -> None:
            try:
                wtrack.Session.open_daemon("fred")
            except wtrack.RefusedError:
                pass

        self.none_left(use)

    def test_reading(self) -> None:
        session = self.session()
        events = iter(session)

        def use() -> None:
            machine.write(0x1000, b"12345678" * 4)
            event = next(events)
            (event.data, event.gpa, event.rip, event.vcpu, repr(event))
            session.next()
            session.next()
            session.release()
            machine.write(0x1000, b"x")
            session.read_batch()
            session.read_batch(1)
            list(session.events())
            session.wait(0)
            session.fence()
            session.get_status()

        self.none_left(use)

    def test_a_resync(self) -> None:
        session = self.session(8)

        def use() -> None:
            for gfn in range(10):
                machine.write(gfn << 12, b"x")
            list(session.events())
            list(session.resync())

        self.none_left(use)

    def test_ranges(self) -> None:
        session = self.session()

        def use() -> None:
            # Not constants of this function.
            session.add([wtrack.Range(1, 2), wtrack.Range(8, 1)])
            list(session.query())
            session.query_gfn(1)
            session.remove([(1, 2)])
            session.remove_fenced([(8, 1)])

        self.none_left(use)

    def test_errors(self) -> None:
        session = self.session()
        machine.refuse(3, errno.EPERM)
        wrong: list[Callable[[], object]] = [
            lambda: session.add([(3, 1)]),
            lambda: session.add([(3, "x")]),  # type: ignore[list-item]
            lambda: session.add(5),  # type: ignore[arg-type]
            lambda: session.make_ring(8),
            lambda: session.make_ring(-1),
            lambda: session.restrict([(1, 1), (2, "x")]),  # type: ignore[list-item]
            lambda: session.query_gfn(machine.PAGES),
            lambda: session.wait(-1),
        ]

        def use() -> None:
            for call in wrong:
                try:
                    call()
                except (OSError, TypeError, ValueError, OverflowError):
                    continue
                raise AssertionError("did not fail")

        self.none_left(use)

    def test_a_session_that_is_closed_by_collection(self) -> None:
        def use() -> None:
            session = wtrack._wtrack.open_vm_fd(machine.VM_FD)
            session.make_ring(8, 0, 0, 0)
            del session
            self.fresh()

        self.none_left(use)
