# SPDX-License-Identifier: GPL-2.0-or-later
"""A mirror: the copy, what changes in it, and views of its pages."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import threading
import unittest

import machine
import wtrack
from wtrack import Changed, Mirror, MirrorState, Range

PAGE = 4096


def word(value: int) -> bytes:
    """As a vCPU stores it."""
    return value.to_bytes(8, "little")


class Case(machine.Case):
    def mirror(self, *gfns: int, records: int = 64) -> Mirror:
        """Of these pages."""
        self.owner = wtrack.Session.open_vm_fd(machine.VM_FD)
        self.addCleanup(self.owner.close)
        mirror = Mirror(self.owner, records)
        self.addCleanup(mirror.close)
        mirror.add([Range(gfn) for gfn in gfns])
        return mirror


class Changes(Case):
    def test_a_store_is_a_change_with_both_bytes(self) -> None:
        mirror = self.mirror(5)
        machine.store(5 * PAGE + 16, word(7))
        self.assertTrue(mirror.wait(10))
        change, = mirror.update()
        self.assertEqual(change.what, Changed.WRITE)
        self.assertEqual(change.state, MirrorState.LIVE)
        self.assertEqual((change.gpa, change.len), (5 * PAGE + 16, 8))
        self.assertEqual((change.old_bytes, change.new_bytes),
                         (word(0), word(7)))
        self.assertIsInstance(change.event, wtrack.Event)
        assert change.event
        self.assertEqual(change.event.gpa, change.gpa)
        self.assertFalse(mirror.wait(0))
        self.assertEqual(list(mirror.update()), [])

    def test_what_is_read_again_has_no_event(self) -> None:
        mirror = self.mirror(5)
        machine.memory_write(5 * PAGE, word(7))
        mirror.reread([Range(5)])
        change, = mirror.sync()
        self.assertEqual(change[:4], (Changed.REREAD, MirrorState.LIVE,
                                      5 * PAGE, 1))
        self.assertEqual(change[4:], (b"\0", b"\7", None))

    def test_states_are_changes(self) -> None:
        mirror = self.mirror(5, 6)
        machine.region_removed(5, 2)
        machine.refuse(5, errno.ENOENT)
        machine.refuse(6, errno.ENOENT)
        change, = mirror.update()
        self.assertEqual(change, (Changed.STATE, MirrorState.ABSENT, 5 * PAGE,
                                  2 * PAGE, None, None, None))
        self.assertIs(mirror.get_state(5), MirrorState.ABSENT)
        machine.region_added(5, 2)
        machine.refuse(5, 0)
        machine.refuse(6, 0)
        self.assertTrue(mirror.wait())
        list(mirror.update())
        self.assertIs(mirror.get_state(5), MirrorState.LIVE)
        self.assertIsNone(mirror.get_state(7))

    def test_pages_outlive_their_memory(self) -> None:
        machine.add_features(wtrack.Feature.STICKY | wtrack.Feature.ONCE)
        mirror = self.mirror(5, 6)
        machine.region_removed(5, 2)
        self.assertEqual([change.state for change in mirror.update()],
                         [MirrorState.ABSENT])
        self.assertEqual(self.owner.query_gfn(5).state,
                         wtrack.GfnState.TRACKED | wtrack.GfnState.ABSENT)
        self.assertEqual(self.owner.get_status().absent, 2)
        machine.memory_write(5 * PAGE, word(7))
        machine.region_added(5, 2)
        self.assertTrue(mirror.wait(0))
        self.assertEqual([change.new_bytes for change in mirror.update()],
                         [None, None, b"\7"])
        self.assertIs(mirror.get_state(5), MirrorState.LIVE)
        self.assertEqual(self.owner.get_status().absent, 0)

    def test_iterating_ends_with_the_vm(self) -> None:
        mirror = self.mirror(5)
        machine.store(5 * PAGE, word(1))
        machine.vm_gone()
        self.assertEqual([change.new_bytes for change in mirror], [word(1)])
        with self.assertRaises(wtrack.GoneError):
            list(mirror.update())
        with self.assertRaises(wtrack.GoneError):
            mirror.wait()
        self.assertEqual(bytes(mirror.page(5)[:8]), word(1))

    def test_the_end_of_the_session_is_told(self) -> None:
        mirror = self.mirror(5)
        machine.store(5 * PAGE, word(1))
        machine.end()
        changes = iter(mirror)
        self.assertEqual(next(changes).new_bytes, word(1))
        change = next(changes)
        self.assertEqual((change.what, change.state),
                         (Changed.STATE, MirrorState.REMOVED))
        with self.assertRaises(wtrack.EndedError) as raised:
            next(changes)
        self.assertEqual(raised.exception.errno, errno.ESHUTDOWN)
        self.assertIsInstance(raised.exception, BrokenPipeError)
        with self.assertRaises(wtrack.EndedError):
            mirror.sync()
        with self.assertRaises(wtrack.EndedError):
            mirror.wait()

        async def main() -> None:
            async for _ in mirror.changes():
                self.fail("nothing changes any more")

        with self.assertRaises(wtrack.EndedError):
            asyncio.run(main())
        self.assertEqual(bytes(mirror.page(5)[:8]), word(1))

    def test_holes_are_skipped(self) -> None:
        mirror = self.mirror()
        machine.refuse(3, errno.EOPNOTSUPP)
        (result,) = mirror.add([(0, machine.PAGES + 9)], skip_holes=True)
        self.assertEqual((result.done, result.skipped),
                         (machine.PAGES - 1, 10))
        self.assertEqual(mirror.get_status().pages, machine.PAGES - 1)
        self.assertIsNone(mirror.get_state(3))

    def test_asyncio(self) -> None:
        mirror = self.mirror(5)

        async def main() -> list[bytes | None]:
            found = []
            machine.store(5 * PAGE, word(1))
            async with contextlib.aclosing(mirror.changes()) as changes:
                async for change in changes:
                    found.append(change.new_bytes)
                    if len(found) == 1:
                        asyncio.get_running_loop().call_soon(
                            machine.store, 5 * PAGE, word(2)
                        )
                    else:
                        break
            machine.store(5 * PAGE, word(3))
            machine.vm_gone()
            async for change in mirror.changes():
                if change.what == Changed.WRITE:
                    found.append(change.new_bytes)
            return found

        self.assertEqual(asyncio.run(main()), [word(1), word(2), word(3)])


class Pages(Case):
    def test_what_is_refused_is_told(self) -> None:
        mirror = self.mirror()
        machine.refuse(6, errno.ENOENT)
        with self.assertRaises(wtrack.Error) as caught:
            mirror.add([Range(5, 3)])
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        self.assertEqual(caught.exception.results,
                         [wtrack.Result(2, 2, 6, errno.ENOENT)])
        self.assertEqual(mirror.get_status().pages, 2)
        with self.assertRaises(LookupError):
            mirror.page(6)
        with self.assertRaises(wtrack.Error):
            mirror.remove([Range(6)])

    def test_a_view_follows_the_copy(self) -> None:
        mirror = self.mirror(5)
        view = mirror.page(5)
        self.assertEqual((len(view), view.readonly), (PAGE, True))
        machine.store(5 * PAGE, word(7))
        self.assertEqual(bytes(view[:8]), word(0))
        mirror.sync()
        self.assertEqual(view.cast("Q")[0], 7)
        with self.assertRaises(TypeError):
            view[0] = 1
        view.release()

    def test_numpy_sees_it_without_a_copy(self) -> None:
        try:
            import numpy
        except ImportError:
            raise unittest.SkipTest("there is no numpy") from None
        mirror = self.mirror(5)
        array = numpy.frombuffer(mirror.page(5), "<u8")
        machine.store(5 * PAGE + 8, word(7))
        mirror.sync()
        self.assertEqual(array[1], 7)
        del array

    def test_what_is_looked_at_stays(self) -> None:
        mirror = self.mirror(5, 6)
        view = mirror.page(5)
        with self.assertRaises(BufferError):
            mirror.remove([Range(0, 100)])
        with self.assertRaises(BufferError):
            mirror.close()
        mirror.remove([Range(6)])
        page = view.obj
        view.release()
        mirror.remove([Range(5)])
        with self.assertRaises(BufferError):
            memoryview(page)
        mirror.close()
        with self.assertRaises(ValueError):
            memoryview(page)

    def test_a_view_outlives_all_names(self) -> None:
        machine.memory_write(5 * PAGE, word(7))
        session = wtrack.Session.open_vm_fd(machine.VM_FD)
        mirror = Mirror(session, 64)
        mirror.add([Range(5)])
        view = mirror.page(5)
        session.close()
        del session, mirror
        gc.collect()
        self.assertEqual(bytes(view[:8]), word(7))
        view.release()
        del view
        gc.collect()


class Life(Case):
    def test_a_session_that_is_closed_first(self) -> None:
        mirror = self.mirror(5)
        self.owner.close()
        for call in (mirror.sync, mirror.get_status, mirror.fileno):
            with self.assertRaises(ValueError):
                call()
        self.assertFalse(mirror.closed)
        mirror.close()
        self.assertTrue(mirror.closed)

    def test_a_session_goes_on_behind_its_mirror(self) -> None:
        mirror = self.mirror(5)
        for call in (self.owner.next, self.owner.release):
            with self.assertRaises(RuntimeError):
                call()
        with self.assertRaises(RuntimeError):
            Mirror(self.owner)
        mirror.close()
        mirror.close()
        self.assertEqual(list(self.owner.query()), [])
        with self.assertRaises(ValueError):
            mirror.sync()
        self.owner.add([Range(5)])
        machine.store(5 * PAGE, word(7))
        event = self.owner.next()
        assert event
        self.assertEqual(event.data, word(7))

    def test_another_thread_has_to_wait(self) -> None:
        mirror = self.mirror(5)
        thread = threading.Thread(target=mirror.wait)
        thread.start()
        refused = False
        while not refused:
            try:
                mirror.get_status()
            except RuntimeError:
                refused = True
        self.assertIn("Mirror", repr(mirror))
        machine.store(5 * PAGE, word(7))
        thread.join()
        self.assertIn("pages=1", repr(mirror))

    def test_closing_the_session_ends_a_wait(self) -> None:
        mirror = self.mirror(5)
        raised = []

        def wait() -> None:
            try:
                mirror.wait()
            except ValueError as error:
                raised.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        self.owner.close()
        thread.join()
        self.assertEqual(len(raised), 1)

    def test_options_that_are_wrong(self) -> None:
        session = self.session(0)
        with self.assertRaises(OverflowError):
            Mirror(session, 1 << 40)
        with self.assertRaises(wtrack.Error) as caught:
            Mirror(session, 1 << 20)
        self.assertEqual(caught.exception.errno, errno.ERANGE)

    def test_a_child_does_without(self) -> None:
        mirror = self.mirror(5)
        child = os.fork()
        if not child:
            try:
                mirror.sync()
            except ValueError:
                mirror.close()
                os._exit(0)
            os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        mirror.sync()
