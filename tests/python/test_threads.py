# SPDX-License-Identifier: GPL-2.0-or-later
"""Sleeping, signals, other threads, asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

import machine
import wtrack


class Waiter(threading.Thread):
    """Calls something that sleeps, and keeps what became of it."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.call = call
        self.value: object = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.value = self.call()
        except Exception as error:
            self.error = error


class Sleeping(machine.Case):
    def sleeper(self, session: wtrack.Session, call: Callable[[], object]) -> Waiter:
        """A thread that sleeps in the call."""
        waiter = Waiter(call)
        while True:
            try:
                session.release()
            except RuntimeError:
                return waiter
            time.sleep(0.001)

    def test_wait_ends_with_its_time(self) -> None:
        session = self.session()
        start = time.monotonic()
        self.assertIs(session.wait(0.05), False)
        self.assertGreaterEqual(time.monotonic() - start, 0.05)

    def test_what_is_no_timeout(self) -> None:
        session = self.session()
        for wrong in (-1, -0.5, float("nan")):
            with self.assertRaises(ValueError):
                session.wait(wrong)
        with self.assertRaises(TypeError):
            session.wait("soon")  # type: ignore[arg-type]

    def test_wait_sees_what_was_there_before(self) -> None:
        session = self.session()
        machine.write(0x1000, b"x")
        for timeout in (0, 1.0, None, float("inf"), 1e18):
            self.assertIs(session.wait(timeout), True)

    def test_others_run_meanwhile_and_an_event_wakes_it(self) -> None:
        session = self.session()
        waiter = self.sleeper(session, session.wait)
        machine.write(0x1000, b"x")
        waiter.join()
        self.assertIs(waiter.value, True)

    def test_closing_wakes_who_waits(self) -> None:
        session = self.session()
        waiter = self.sleeper(session, session.wait)
        session.close()
        waiter.join()
        self.assertIsInstance(waiter.error, ValueError)

    def test_closing_wakes_who_iterates(self) -> None:
        session = self.session()
        waiter = self.sleeper(session, lambda: list(session))
        session.close()
        waiter.join()
        self.assertIsInstance(waiter.error, ValueError)

    def test_two_consumers_are_refused(self) -> None:
        session = self.session()
        waiter = self.sleeper(session, session.wait)
        uses: list[Callable[[], object]] = [
            session.next, session.wait, session.read_batch,
            session.resync_next, session.make_ring,
            lambda: next(iter(session)),
        ]
        for use in uses:
            with self.assertRaisesRegex(RuntimeError, "another thread"):
                use()
        session.add([(1, 1)])
        session.fence()
        session.get_status()
        session.close()
        waiter.join()

    def test_closing_while_others_are_busy(self) -> None:
        for _ in range(30):
            session = self.session_of_its_own()
            threads = [
                Waiter(lambda: self.use_until_closed(session))
                for _ in range(3)
            ]
            threads.append(Waiter(lambda: list(session)))
            time.sleep(0.002)
            session.close()
            for thread in threads:
                thread.join()
                self.assertIn(type(thread.error), (ValueError, RuntimeError))
            self.fresh()

    @staticmethod
    def use_until_closed(session: wtrack.Session) -> None:
        while True:
            session.add([(1, 100)])
            session.get_status()
            session.fence()

    def session_of_its_own(self) -> wtrack.Session:
        session = wtrack.Session.open_vm_fd(machine.VM_FD)
        session.make_ring(8)
        return session

    def test_a_signal_does_not_end_it(self) -> None:
        session = self.session()
        seen = []

        def alarm(number: int, frame: object) -> None:
            seen.append(number)

        self.handle(alarm)
        start = time.monotonic()
        self.assertIs(session.wait(0.2), False)
        self.assertGreaterEqual(time.monotonic() - start, 0.2)
        self.assertEqual(seen, [signal.SIGALRM])

    def test_a_signal_whose_handler_raises_does(self) -> None:
        session = self.session()

        def alarm(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        uses: list[Callable[[], object]] = [
            session.wait, lambda: next(iter(session)),
        ]
        for use in uses:
            with self.assertRaises(KeyboardInterrupt):
                self.handle(alarm)
                use()
        machine.write(0x1000, b"x")
        self.assertIs(session.wait(), True)

    def test_a_handler_that_closes_it(self) -> None:
        session = self.session()

        def alarm(number: int, frame: object) -> None:
            session.close()

        with self.assertRaises(ValueError):
            self.handle(alarm)
            session.wait()

    def test_a_handler_that_forks(self) -> None:
        session = self.session()
        parent = os.getpid()

        def alarm(number: int, frame: object) -> None:
            pid = os.fork()
            if pid:
                raise ChildProcessError(pid)

        uses: list[Callable[[], object]] = [
            lambda: session.wait(0.2), lambda: next(iter(session)),
            lambda: session.add([(0, 1 << 39)]),
        ]
        for use in uses:
            try:
                self.handle(alarm)
                use()
            except ChildProcessError as error:
                self.assertEqual(os.waitpid(error.args[0], 0)[1], 0)
            except ValueError as error:
                os._exit(0 if "parent" in str(error) else 2)
            if os.getpid() != parent:
                os._exit(1)

    def handle(self, handler: Callable[[int, object], None]) -> None:
        """Calls it, a little later."""
        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.05)


class Asyncio(machine.Case):
    def test_a_reader_gets_all_events(self) -> None:
        session = self.session()
        self.assertEqual(asyncio.run(self.read(session, 50)),
                         [bytes([i]) for i in range(50)])

    @staticmethod
    async def read(session: wtrack.Session, nr: int) -> list[bytes]:
        seen: list[bytes] = []
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def readable() -> None:
            seen.extend(event.data for event in session.events())
            if len(seen) == nr:
                done.set()

        loop.add_reader(session, readable)
        for i in range(nr):
            machine.write(0x1000, bytes([i]))
            await asyncio.sleep(0)
        await done.wait()
        loop.remove_reader(session)
        return seen

    def test_a_session_leaves_no_descriptor(self) -> None:
        def descriptors() -> set[str]:
            return set(os.listdir("/proc/self/fd"))

        before = descriptors()
        with wtrack.Session.open_vm_fd(machine.VM_FD):
            self.assertEqual(len(descriptors()), len(before) + 1)
        self.assertEqual(descriptors(), before)
