# SPDX-License-Identifier: GPL-2.0-or-later
"""What of the examples needs no guest."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import unittest.mock
from pathlib import Path
from types import ModuleType

import machine
import wtrack

EXAMPLES = Path(os.environ["TOP"]) / "examples/python"


def load(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Small(wtrack.Session):
    """With a ring that the machine can make."""

    def make_ring(
        self, records: int = 64, flags: int = 0, *,
        watermark: int = 0, latency_us: int = 0,
    ) -> None:
        super().make_ring(64, flags)


class Batch(machine.Case):
    def test_one_whose_vm_ends_shows_what_it_counted(self) -> None:
        example = load("batch")
        session = Small.open_vm_fd(machine.VM_FD)

        def show(line: str, flush: bool = False) -> None:
            shown.append(line)
            if line == "ready":
                machine.write(0x5000, b"x")
                machine.vm_gone()

        shown: list[str] = []
        with unittest.mock.patch.object(
            example.Session, "open_daemon", return_value=session
        ), unittest.mock.patch("builtins.print", show):
            example.main("fred", 5, 1, 10)
        self.assertEqual(shown[:2], ["ready", "0x5 1"])


class Asyncio(machine.Case):
    def setUp(self) -> None:
        super().setUp()
        self.example = load("asyncio_reader")

    def test_one_that_is_cancelled_leaves_no_reader(self) -> None:
        with unittest.mock.patch("builtins.print") as shown:
            self.assertIs(asyncio.run(self.cancelled(shown)), False)

    async def cancelled(self, shown: unittest.mock.Mock) -> bool:
        """Was the reader left?"""
        session = Small.open_vm_fd(machine.VM_FD)
        fd = session.fileno()
        with unittest.mock.patch.object(
            self.example.Session, "open_daemon", return_value=session
        ):
            task = asyncio.create_task(self.example.main("fred", 1, 0))
            while not task.done() and not shown.called:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
        self.assertTrue(task.cancelled())
        return asyncio.get_running_loop().remove_reader(fd)

    def test_a_guest_that_does_not_stop_leaves_time_for_others(self) -> None:
        session = self.session()
        counter = self.example.Counter(session, 0)
        seen: list[wtrack.Event] = []

        def count(event: wtrack.Event) -> None:
            self.assertLess(len(seen), 100000)
            seen.append(event)
            machine.write(0x1000, b"x")

        machine.write(0x1000, b"x")
        with unittest.mock.patch.object(counter, "count", count):
            counter.readable()
            counter.readable()
        numbers = [event.seq for event in seen]
        self.assertEqual(numbers, list(range(1, len(seen) + 1)))
