# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session tracks: added, removed, asked for."""

from __future__ import annotations

import errno
import signal
from collections.abc import Iterator

import machine
import wtrack
from wtrack import GfnState, Range, Result

PIECE = 65536  # pages that are changed at a time


class Ranges(machine.Case):
    def test_add_and_query(self) -> None:
        session = self.session()
        results = session.add([Range(1), (5, 3), (6, 4)])
        self.assertEqual(
            results,
            [Result(1, 1, 0, 0), Result(3, 3, 0, 0), Result(4, 2, 0, 0)],
        )
        self.assertEqual(list(session.query()), [Range(1, 1), Range(5, 5)])
        self.assertEqual(list(session.query(7)), [Range(7, 3)])

    def test_many_ranges_of_an_iterator(self) -> None:
        session = self.session()

        def every_other() -> Iterator[tuple[int, int]]:
            for gfn in range(0, machine.PAGES, 2):
                yield gfn, 1

        results = session.add(every_other())
        self.assertEqual(results, [Result(1, 1, 0, 0)] * (machine.PAGES // 2))
        self.assertEqual(list(session.query()), list(every_other()))

    def test_a_page_is_waited_for_or_refused(self) -> None:
        session = self.session()
        machine.refuse(6, errno.EAGAIN)
        with self.assertRaises(wtrack.Error) as raised:
            session.add([(5, 3)], nowait=True)
        self.assertEqual(raised.exception.errno, errno.EAGAIN)
        self.assertEqual(
            raised.exception.results, [Result(2, 2, 6, errno.EAGAIN)]
        )
        self.assertEqual(session.add([(5, 3)]), [Result(3, 1, 0, 0)])

    def test_rearm(self) -> None:
        session = self.session()
        session.add([(5, 3)])
        self.assertEqual(session.rearm([(5, 3)]), [Result(3, 0, 0, 0)])
        machine.refuse(6, errno.EAGAIN)
        with self.assertRaises(wtrack.Error) as raised:
            session.rearm([(5, 4)], nowait=True)
        self.assertEqual(raised.exception.errno, errno.EAGAIN)
        self.assertEqual(
            raised.exception.results, [Result(2, 0, 6, errno.EAGAIN)]
        )
        with self.assertRaises(wtrack.Error) as raised:
            session.rearm([(8, 1)])
        self.assertEqual(raised.exception.errno, errno.ENOENT)
        self.assertEqual(list(session.query()), [Range(5, 3)])

    def test_remove(self) -> None:
        session = self.session()
        session.add([(0, 10)])
        self.assertEqual(session.remove([(2, 3)]), [Result(3, 3, 0, 0)])
        self.assertEqual(list(session.query()), [Range(0, 2), Range(5, 5)])

    def test_remove_fenced(self) -> None:
        session = self.session()
        session.add([(0, 10)])
        machine.write(0x1000, b"x")
        results, seq = session.remove_fenced([(0, 10)])
        self.assertEqual((results, seq), ([Result(10, 10, 0, 0)], 1))

    def test_remove_fenced_has_the_number_also_when_refused(self) -> None:
        session = self.session()
        session.add([(0, 2)])
        machine.write(0x1000, b"x")
        with self.assertRaises(wtrack.Error) as raised:
            session.remove_fenced([(0, 4)])
        self.assertEqual(raised.exception.errno, errno.ENOENT)
        self.assertEqual(raised.exception.results, [Result(2, 2, 2, errno.ENOENT)])
        self.assertEqual(raised.exception.seq, 1)

    def test_remove_fenced_has_no_number_without_a_fence(self) -> None:
        session = self.session()
        session.add([(0, 2)])
        machine.write(0x1000, b"x")
        with self.assertRaises(wtrack.Error) as raised:
            session.remove_fenced([(0, 1), (5, 0)])
        self.assertEqual(raised.exception.errno, errno.EINVAL)
        self.assertIsNone(raised.exception.seq)
        machine.fail(machine.CALL_FENCE, errno.ENOBUFS)
        with self.assertRaises(wtrack.Error) as raised:
            session.remove_fenced([(1, 1)])
        self.assertEqual(raised.exception.errno, errno.ENOBUFS)
        self.assertIsNone(raised.exception.seq)

    def test_holes_are_skipped(self) -> None:
        session = self.session()
        machine.refuse(3, errno.EOPNOTSUPP)
        (result,) = session.add([(0, 3 * PIECE)], skip_holes=True)
        self.assertEqual(
            (result.done, result.skipped, result.error),
            (machine.PAGES - 1, 3 * PIECE - machine.PAGES + 1, 0),
        )
        machine.refuse(3, errno.EPERM)
        with self.assertRaises(wtrack.RefusedError) as raised:
            session.add([(0, 3 * PIECE)], skip_holes=True)
        results = raised.exception.results
        assert results is not None
        self.assertEqual(results[0].error_gfn, 3)

    def test_a_page_that_is_refused_does_not_stop_the_others(self) -> None:
        session = self.session()
        machine.refuse(3, errno.EPERM)
        with self.assertRaises(wtrack.RefusedError) as raised:
            session.add([(0, 6), (10, 1)])
        self.assertEqual(
            raised.exception.results,
            [Result(5, 5, 3, errno.EPERM), Result(1, 1, 0, 0)],
        )
        self.assertIsNone(raised.exception.seq)
        self.assertEqual(
            list(session.query()), [Range(0, 3), Range(4, 2), Range(10, 1)]
        )

    def test_a_range_of_several_pieces_is_one(self) -> None:
        session = self.session()
        machine.refuse(7, errno.EOVERFLOW)
        pages = 3 * PIECE + 5
        with self.assertRaises(wtrack.Error) as raised:
            session.add([(0, pages), (1, 1), (0, 2)])
        self.assertEqual(raised.exception.errno, errno.EOVERFLOW)
        self.assertEqual(
            raised.exception.results,
            [
                Result(machine.PAGES - 1, machine.PAGES - 1, 7, errno.EOVERFLOW),
                Result(1, 0, 0, 0),
                Result(2, 0, 0, 0),
            ],
        )

    def test_a_malformed_range_ends_it(self) -> None:
        session = self.session()
        for wrong in ((1 << 64) - 1, 2), (5, 0):
            with self.assertRaises(wtrack.Error) as raised:
                session.add([(0, 2 * PIECE), wrong, (1, 1), (7, 2 * PIECE)])
            self.assertEqual(raised.exception.errno, errno.EINVAL)
            results = raised.exception.results
            assert results is not None
            self.assertEqual(results[0][2:], (machine.PAGES, errno.ENOENT, 0))
            self.assertEqual(results[2], (0, 0, 1, errno.EINVAL, 0))
            self.assertEqual(results[3], (0, 0, 7, errno.EINVAL, 0))

    def test_without_a_ring(self) -> None:
        session = self.session(0)
        with self.assertRaises(wtrack.Error) as raised:
            session.add([(1, 2), (PIECE, 3 * PIECE)])
        self.assertEqual(raised.exception.errno, errno.ENOBUFS)
        self.assertEqual(
            raised.exception.results,
            [
                Result(0, 0, 1, errno.ENOBUFS),
                Result(0, 0, PIECE, errno.ENOBUFS),
            ],
        )

    def test_nothing_to_add(self) -> None:
        self.assertEqual(self.session().add([]), [])

    def test_what_is_no_range(self) -> None:
        session = self.session()
        for wrong in (3, [3], [(1, 2, 3)], [(1,)], [("a", 1)], [(1.5, 1)]):
            with self.assertRaises(TypeError):
                session.add(wrong)  # type: ignore[arg-type]
        with self.assertRaises(OverflowError):
            session.add([(-1, 1)])
        self.assertEqual(list(session.query()), [])

    def test_query_gfn(self) -> None:
        session = self.session()
        session.add([(9, 1)])
        self.assertEqual(session.query_gfn(9), (1, GfnState.TRACKED))
        self.assertEqual(session.query_gfn(8), (0, 0))
        with self.assertRaises(wtrack.RefusedError):
            session.query_gfn(machine.PAGES)

    def test_a_signal_is_handled_between_the_pieces(self) -> None:
        session = self.session()

        def alarm(number: int, frame: object) -> None:
            raise InterruptedError

        before = signal.signal(signal.SIGPROF, alarm)
        self.addCleanup(signal.signal, signal.SIGPROF, before)
        # Of processor time: it is over in the middle of the call.
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        with self.assertRaises(InterruptedError):
            session.add([(0, 1 << 39)])
        self.assertEqual(list(session.query()), [Range(0, machine.PAGES)])
