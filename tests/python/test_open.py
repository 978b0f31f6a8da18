# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions are opened, restricted, closed; what refuses says why."""

from __future__ import annotations

import contextlib
import copy
import errno
import gc
import os
import pickle
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import machine
import wtrack

class Fd:
    """Something with a descriptor."""

    def fileno(self) -> int:
        return machine.VM_FD


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """No other one can be made."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextmanager
def alarms(handler: Callable[[int, object], None]) -> Iterator[None]:
    """A signal comes over and over, until the handler raises."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def unraisable() -> Iterator[list[object]]:
    """What is raised where nobody can catch it."""
    raised: list[object] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda what: raised.append(what.exc_type)
    try:
        yield raised
    finally:
        sys.unraisablehook = before


class Open(machine.Case):
    def test_from_the_descriptor_of_a_vm(self) -> None:
        with wtrack.Session.open_vm_fd(machine.VM_FD) as session:
            self.assertGreaterEqual(session.fileno(), 100)
            self.assertFalse(session.closed)
        self.assertTrue(session.closed)

    def test_from_an_object_with_a_descriptor(self) -> None:
        wtrack.Session.open_vm_fd(Fd()).close()

    def test_without_a_vm_at_first(self) -> None:
        with wtrack.Session.open() as session:
            self.assertFalse(session.get_status().state & wtrack.State.ATTACHED)
            with self.assertRaises(wtrack.Error):
                session.attach(1)
            session.attach(Fd())
            self.assertTrue(session.get_status().state & wtrack.State.ATTACHED)

    def test_from_a_process(self) -> None:
        machine.vmm(5)
        wtrack.Session.open_pid(machine.PID).close()

    def test_from_one_of_several_vms(self) -> None:
        machine.vmm(5, 6)
        with self.assertRaises(wtrack.Error) as raised:
            wtrack.Session.open_pid(machine.PID)
        self.assertEqual(raised.exception.errno, errno.ENOTUNIQ)
        wtrack.Session.open_pid_fd(machine.PID, 6).close()

    def test_from_a_session_that_was_passed_on(self) -> None:
        fd = machine.session_fd(8)
        machine.write(0x1000, b"before")
        with wtrack.Session.open_fd(fd) as session:
            self.assertEqual(session.fileno(), fd)
            self.assertEqual([e.data for e in session.events()], [b"before"])

    def test_what_is_not_taken_over_stays_the_callers(self) -> None:
        fd = machine.session_fd(8)
        with self.assertRaises(wtrack.Error) as raised:
            with no_descriptor_left():
                wtrack.Session.open_fd(fd)
        self.assertEqual(raised.exception.errno, errno.EMFILE)
        wtrack.Session.open_fd(fd).close()

    def test_without_a_descriptor_for_itself(self) -> None:
        with no_descriptor_left(), self.assertRaises(wtrack.Error):
            wtrack.Session.open_daemon_restricted("fred", [(7, 2)])

    def test_from_the_daemon(self) -> None:
        wtrack.Session.open_daemon("fred").close()
        self.assertEqual(machine.daemon().vm, b"fred")

    def test_from_the_daemon_by_process(self) -> None:
        wtrack.Session.open_daemon_pid(machine.PID).close()
        self.assertIn(b"4242", machine.daemon().vm)

    def test_from_the_daemon_restricted(self) -> None:
        session = wtrack.Session.open_daemon_restricted(
            "fred", [(7, 2)], max_pages=11, max_records=64
        )
        session.close()
        asked = machine.daemon()
        self.assertEqual((asked.max_pages, asked.max_records), (11, 64))
        restriction = machine.restriction()
        self.assertEqual(restriction.nr_ranges, 1)
        self.assertEqual(restriction.rights, 2**64 - 1)

    def test_from_the_daemon_with_fewer_rights(self) -> None:
        wtrack.Session.open_daemon_restricted(
            "fred", rights=wtrack.Right.RIP
        ).close()
        self.assertEqual(machine.restriction().rights, wtrack.Right.RIP)

    def test_nobody_is_asked_to_authenticate_unless_wanted(self) -> None:
        for interactive in (False, True):
            for opened in (
                wtrack.Session.open_daemon("fred", interactive=interactive),
                wtrack.Session.open_daemon_pid(
                    machine.PID, interactive=interactive
                ),
                wtrack.Session.open_daemon_restricted(
                    "fred", [(7, 2)], interactive=interactive
                ),
            ):
                opened.close()
                self.assertIs(machine.daemon().interactive, interactive)
        wtrack.Session.open_daemon("fred").close()
        self.assertIs(machine.daemon().interactive, False)

    def test_a_daemon_that_does_not_answer_can_be_interrupted(self) -> None:
        def interrupt(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        all_of_them: list[Callable[[], object]] = [
            lambda: wtrack.Session.open_daemon("fred", interactive=True),
            lambda: wtrack.Session.open_daemon_pid(machine.PID),
            lambda: wtrack.Session.open_daemon_restricted("fred", [(7, 2)]),
        ]
        for opens in all_of_them:
            machine.daemon_delays(1 << 30)
            with self.assertRaises(KeyboardInterrupt), alarms(interrupt):
                opens()

    def test_a_signal_whose_handler_does_nothing_is_not_the_end(self) -> None:
        seen = []

        def notice(number: int, frame: object) -> None:
            seen.append(number)

        machine.daemon_delays(3)
        with alarms(notice):
            wtrack.Session.open_daemon("fred").close()
        self.assertEqual(len(seen), 3)

    def test_a_process_that_is_not_there(self) -> None:
        with self.assertRaises(wtrack.GoneError) as raised:
            wtrack.Session.open_pid(1)
        self.assertIsInstance(raised.exception, ProcessLookupError)
        self.assertEqual(raised.exception.errno, errno.ESRCH)
        self.assertEqual(
            raised.exception.strerror, wtrack.strerror(errno.ESRCH)
        )

    def test_what_the_daemon_answers_is_in_the_error(self) -> None:
        machine.daemon_says("org.wtrack1.Error.NotPermitted", "no, uid 4")
        with self.assertRaises(wtrack.RefusedError) as raised:
            wtrack.Session.open_daemon("fred")
        self.assertIsInstance(raised.exception, PermissionError)
        self.assertEqual(raised.exception.message, "no, uid 4")
        self.assertIn("no, uid 4", str(raised.exception))

    def test_what_is_no_argument(self) -> None:
        for wrong in ("x", None, 1.5, 1 << 40):
            with self.assertRaises((TypeError, OverflowError)):
                wtrack.Session.open_pid(wrong)  # type: ignore[arg-type]
        with self.assertRaises(ValueError):
            wtrack.Session.open_daemon("fr\0ed")

    def test_the_extension_makes_no_objects_of_its_own(self) -> None:
        for kind in (wtrack.Event, wtrack._wtrack.Session):
            with self.assertRaises(TypeError):
                kind()


class Life(machine.Case):
    def test_a_session_can_neither_be_copied_nor_pickled(self) -> None:
        session = self.session()
        for what in (session, session._core):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                with self.assertRaises(TypeError):
                    pickle.dumps(what, protocol)
            with self.assertRaises(TypeError):
                copy.copy(what)
            with self.assertRaises(TypeError):
                copy.deepcopy(what)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with contextlib.suppress(TypeError):
                copy.copy(session)
            gc.collect()
        self.assertFalse(session.closed)
        with self.assertRaises(TypeError):
            copy.copy(iter(session.events()))
        session.close()

    def test_what_else_there_is_can_be_copied_and_pickled(self) -> None:
        session = self.session()
        status = session.get_status()
        error = wtrack.RefusedError(errno.EACCES, "no")
        error.message = "because"
        error.results = [wtrack.Result(1, 1, 2, 3)]
        values = [
            status, wtrack.get_info(), wtrack.Range(1, 2),
            wtrack.GfnInfo(1, wtrack.GfnState.TRACKED),
            wtrack.ResyncRange(1, 2, wtrack.Resync.REMOVED),
            wtrack.Result(1, 2, 3, 4), wtrack.EventType.WRITE,
            wtrack.RingFlag.COALESCE, wtrack.Cause.BUDGET,
        ]
        for value in values:
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                again = pickle.loads(pickle.dumps(value, protocol))
                self.assertEqual(again, value)
                self.assertIs(type(again), type(value))
            self.assertEqual(copy.copy(value), value)
            self.assertEqual(copy.deepcopy(value), value)
        for again in (
            copy.copy(error), copy.deepcopy(error),
            pickle.loads(pickle.dumps(error)),
        ):
            self.assertIs(type(again), wtrack.RefusedError)
            self.assertEqual(again.args, error.args)
            self.assertEqual(again.errno, errno.EACCES)
            self.assertEqual(again.message, "because")
            self.assertEqual(again.results, error.results)
        session.close()

    def test_closing_twice(self) -> None:
        session = self.session()
        session.close()
        session.close()

    def test_after_closing_all_raise_valueerror(self) -> None:
        session = self.session()
        events = iter(session)
        session.close()
        uses: list[Callable[[], object]] = [
            session.fileno, session.next, session.release, session.wait,
            session.fence, session.resync_next, session.get_status,
            session.make_ring, session.read_batch,
            lambda: session.add([(1, 1)]), lambda: session.remove([(1, 1)]),
            lambda: session.remove_fenced([]), lambda: next(events),
            lambda: list(session.query()), lambda: session.query_gfn(1),
            lambda: list(session.resync()), lambda: list(session.events()),
            lambda: session.restrict([(1, 1)]),
            lambda: session.set_budget(1, 1),
        ]
        for use in uses:
            with self.assertRaisesRegex(ValueError, "is closed"):
                use()

    def test_an_event_outlives_its_session(self) -> None:
        session = self.session()
        machine.write(0x1008, b"12345678")
        event = session.next()
        session.close()
        assert event is not None
        del session
        gc.collect()
        self.assertEqual((event.gpa, event.data), (0x1008, b"12345678"))

    def test_a_with_block_closes_when_it_fails(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            with self.session() as session:
                raise ZeroDivisionError
        self.assertTrue(session.closed)

    def test_a_session_that_is_forgotten(self) -> None:
        session = wtrack.Session.open_vm_fd(machine.VM_FD)
        session.make_ring(8)
        with self.assertWarns(ResourceWarning):
            del session
            gc.collect()

    def test_an_iterator_keeps_what_it_needs(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            session = wtrack.Session.open_vm_fd(machine.VM_FD)
            session.make_ring(8)
            events = iter(session)
            del session
        machine.write(0x1000, b"x")
        self.assertEqual(next(events).data, b"x")

    def test_a_forked_child_is_refused(self) -> None:
        session = self.session()
        pid = os.fork()
        if not pid:
            try:
                session.next()
            except ValueError as error:
                session.close()
                del session
                os._exit(0 if "parent" in str(error) else 2)
            os._exit(1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        machine.write(0x1000, b"x")
        self.assertTrue(session.wait(0))

    def test_a_forked_child_may_print_and_forget_it(self) -> None:
        session = wtrack.Session.open_vm_fd(machine.VM_FD)
        pid = os.fork()
        if not pid:
            status = 1
            try:
                what = repr(session)
                with unraisable() as raised, self.assertWarns(ResourceWarning):
                    del session
                status = 0 if "parent" in what and not raised else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        session.close()

    def test_one_that_was_never_opened_is_forgotten_quietly(self) -> None:
        with unraisable() as raised:
            with self.assertRaises(TypeError):
                wtrack.Session()  # type: ignore[call-arg]
            gc.collect()
        self.assertEqual(raised, [])

    def test_its_repr_says_whether_it_is_closed(self) -> None:
        session = self.session()
        self.assertIn(f"fd={session.fileno()}", repr(session))
        session.close()
        self.assertEqual(repr(session), "<wtrack.Session closed>")


class Settings(machine.Case):
    def test_restrict(self) -> None:
        session = self.session(0)
        session.restrict(
            [wtrack.Range(1, 2), (5, 6)],
            max_pages=3, max_records=16, budget=7, period_ms=9,
            max_sync_us=5, rights=wtrack.Right.DATA | wtrack.Right.SYNC,
        )
        asked = machine.restriction()
        self.assertEqual(asked.nr_ranges, 2)
        self.assertEqual((asked.max_pages, asked.max_records), (3, 16))
        self.assertEqual((asked.budget, asked.period_ms), (7, 9))
        self.assertEqual((asked.max_sync_us, asked.rights), (5, 34))

    def test_restrict_keeps_all_rights_but_one_by_default(self) -> None:
        self.session(0).restrict()
        asked = machine.restriction()
        self.assertEqual((asked.max_sync_us, asked.rights), (0, 31))

    def test_the_ring_is_as_it_was_asked_for(self) -> None:
        session = self.session(0)
        session.set_budget(100, 10)
        session.make_ring(
            256, wtrack.RingFlag.COALESCE, watermark=32, latency_us=50
        )
        made = machine.ring()
        self.assertEqual((made.records, made.flags), (256, 1))
        self.assertEqual((made.watermark, made.latency_us), (32, 50))
        self.assertEqual((made.budget, made.period_ms), (100, 10))

    def test_the_ring_is_synchronous(self) -> None:
        session = self.session(0)
        session.set_sync(500)
        session.make_ring(64, wtrack.RingFlag.SYNC)
        made = machine.ring()
        self.assertEqual(made.flags, wtrack.RingFlag.SYNC)
        self.assertEqual(made.sync_us, 500)
        session.set_sync(1)
        self.assertEqual(machine.tune().sync_us, 1)

    def test_a_ring_that_is_refused(self) -> None:
        session = self.session(8)
        with self.assertRaises(wtrack.Error) as raised:
            session.make_ring(8)
        self.assertEqual(raised.exception.errno, errno.EBUSY)

    def test_a_ring_is_tuned(self) -> None:
        session = self.session(8)
        session.set_budget(7, 9)
        self.assertEqual((machine.tune().budget, machine.tune().period_ms),
                         (7, 9))
        session.set_wakeup(3, 500)
        made = machine.tune()
        self.assertEqual((made.flags, made.watermark, made.latency_us),
                         (1, 3, 500))

    def test_numbers_are_not_cut_off(self) -> None:
        session = self.session(0)
        for wrong in (-1, 1 << 32, 1 << 70):
            with self.assertRaises(OverflowError):
                session.make_ring(wrong)
        with self.assertRaises(OverflowError):
            session.restrict([(1 << 64, 1)])
        with self.assertRaises(TypeError):
            session.make_ring(1.0)  # type: ignore[arg-type]

    def test_info(self) -> None:
        info = wtrack.get_info()
        self.assertEqual(info.max_pages, machine.PAGES)
        self.assertEqual((info.min_records, info.max_records), (4, 1024))
        self.assertEqual((info.max_budget, info.max_period_ms), (1000, 100))
        self.assertEqual(info.data_bytes, 24)
        self.assertTrue(info.features & wtrack.Feature.COALESCE)

    def test_status(self) -> None:
        session = self.session(64)
        session.add([(1, 2)])
        for _ in range(3):
            machine.write(0x1000, b"x")
        status = session.get_status()
        self.assertEqual((status.records, status.unread), (64, 3))
        self.assertEqual((status.events, status.vm_id), (3, 7))
        self.assertTrue(status.state & wtrack.State.RING)

    def test_a_status_that_fails(self) -> None:
        session = self.session()
        machine.fail(machine.CALL_STATUS, errno.EPROTO)
        with self.assertRaises(wtrack.Error) as raised:
            session.get_status()
        self.assertEqual(raised.exception.errno, errno.EPROTO)
        session.get_status()

