# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's memory: read, and what there is of it."""

from __future__ import annotations

import array
import errno
import signal
import threading
import time

import machine
import wtrack
from wtrack import ReadResult, Region, RegionFlag

PAGE = 4096
#: No two places look the same.
TRUTH = bytes((i * 7 + i // 251) % 256 for i in range(8 * PAGE))


class Memory(machine.Case):
    def setUp(self) -> None:
        super().setUp()
        machine.memory_write(0, TRUTH)

    def test_read(self) -> None:
        session = self.session(0)
        for gpa, length in ((0, 1), (PAGE - 3, 7), (100, 3 * PAGE), (5, 0)):
            self.assertEqual(
                session.read(gpa, length), TRUTH[gpa : gpa + length]
            )
        self.assertEqual(session.read(0, len(TRUTH)), TRUTH)

    def test_read_into_anything_that_can_be_written(self) -> None:
        session = self.session(0)
        data = bytearray(b"\xee" * 100)
        words = array.array("Q", [0] * 64)
        result = session.read_into(50, memoryview(data)[10:20])
        self.assertEqual(result, ReadResult(10, 0, session.get_status().generation))
        self.assertEqual(data[10:20], TRUTH[50:60])
        self.assertEqual(data[:10] + data[20:], b"\xee" * 90)
        session.read_into(512, words)
        self.assertEqual(words.tobytes(), TRUTH[512:1024])

    def test_what_cannot_be_written_is_refused(self) -> None:
        session = self.session(0)
        for target in (b"1234", "text", 4, None):
            with self.assertRaises((TypeError, BufferError)):
                session.read_into(0, target)  # type: ignore[arg-type]
        with self.assertRaises((TypeError, BufferError)):
            session.read_into(0, memoryview(bytearray(8))[::2])
        with self.assertRaises(ValueError):
            session.read(0, -1)
        with self.assertRaises(OverflowError):
            session.read(-1, 1)

    def test_what_was_read_before_an_error_is_there(self) -> None:
        session = self.session(0)
        machine.unreadable(5, errno.ENXIO)
        data = bytearray(8 * PAGE)
        with self.assertRaises(wtrack.Error) as raised:
            session.read_into(10, data)
        done = 5 * PAGE - 10
        self.assertEqual(raised.exception.errno, errno.ENXIO)
        assert raised.exception.read
        self.assertEqual(raised.exception.read.done, done)
        self.assertEqual(data[:done], TRUTH[10 : 10 + done])
        self.assertEqual(data[done:], bytes(len(data) - done))
        machine.unreadable(5, errno.EPERM)
        with self.assertRaises(wtrack.RefusedError):
            session.read(5 * PAGE, 1)
        machine.vm_gone()
        with self.assertRaises(wtrack.GoneError):
            session.read(0, 1)
        with self.assertRaises(wtrack.GoneError):
            session.regions()

    def test_nofault(self) -> None:
        session = self.session(0)
        machine.unreadable(1, errno.EAGAIN)
        with self.assertRaises(wtrack.Error) as raised:
            session.read(0, 2 * PAGE, nofault=True)
        self.assertEqual(raised.exception.errno, errno.EAGAIN)
        self.assertEqual(session.read(0, 2 * PAGE), TRUTH[: 2 * PAGE])

    def test_a_read_tells_which_events_it_contains(self) -> None:
        session = self.session()
        session.add([(1, 1)])
        machine.store(PAGE, b"first")
        machine.store(PAGE, b"again")
        data = bytearray(5)
        result = session.read_into(PAGE, data)
        self.assertEqual(bytes(data), b"again")
        machine.store(PAGE, b"third")
        self.assertEqual(
            [event.data for event in session.events() if event.seq > result.seq],
            [b"third"],
        )

    def test_a_closed_session(self) -> None:
        session = self.session(0)
        session.close()
        with self.assertRaises(ValueError):
            session.read(0, 1)
        with self.assertRaises(ValueError):
            session.regions()

    def test_a_handler_that_raises_ends_it(self) -> None:
        session = self.session(0)

        def handler(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        old = signal.signal(signal.SIGUSR1, handler)
        self.addCleanup(signal.signal, signal.SIGUSR1, old)
        machine.fail(machine.CALL_READ, errno.EINTR)
        timer = threading.Timer(
            0, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1)
        )
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            while True:
                session.read(0, len(TRUTH))
                time.sleep(0)

    def test_an_interrupted_read_goes_on(self) -> None:
        session = self.session(0)
        machine.fail(machine.CALL_READ, errno.EINTR)
        self.assertEqual(session.read(0, len(TRUTH)), TRUTH)

    def test_regions(self) -> None:
        session = self.session(0)
        self.assertEqual(session.regions(), [Region(0, machine.PAGES, 0)])
        before = session.get_status().generation
        machine.region_removed(10, 10)
        machine.region_added(15, 1, RegionFlag.READONLY | RegionFlag.DIRTY_LOG)
        self.assertNotEqual(session.get_status().generation, before)
        self.assertEqual(
            session.regions(),
            [
                Region(0, 10, 0),
                Region(15, 1, 3),
                Region(20, machine.PAGES - 20, 0),
            ],
        )
        machine.region_removed(0, machine.PAGES)
        self.assertEqual(session.regions(), [])

    def test_regions_are_of_one_moment(self) -> None:
        session = self.session(0)
        machine.region_removed(10, 10)
        machine.change_regions(5)
        self.assertEqual(len(session.regions()), 2)
        machine.change_regions(1 << 30)
        with self.assertRaises(wtrack.Error) as raised:
            session.regions()
        self.assertEqual(raised.exception.errno, errno.EBUSY)
