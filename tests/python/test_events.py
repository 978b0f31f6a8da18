# SPDX-License-Identifier: GPL-2.0-or-later
"""Events one by one and in batches, and what follows an overflow."""

from __future__ import annotations

import copy
import errno
import pickle
import struct
from collections.abc import Callable

import machine
import wtrack
from wtrack import EventType


def record(kind: int, **fields: int) -> machine.Record:
    """As the module would write it."""
    return machine.Record(type=kind, **fields)


def unpack(batch: bytes) -> list[dict[str, object]]:
    """The records of a batch by the names of their fields."""
    return [
        dict(zip(wtrack.RECORD_FIELDS, values))
        for values in struct.iter_unpack(wtrack.RECORD_FORMAT, batch)
    ]


class Events(machine.Case):
    def test_a_write(self) -> None:
        session = self.session()
        machine.write(0x5008, b"12345678")
        event = session.next()
        assert event is not None
        self.assertEqual(event.type, EventType.WRITE)
        self.assertEqual((event.seq, event.gpa, event.gfn), (1, 0x5008, 5))
        self.assertEqual((event.len, event.total), (8, 8))
        self.assertEqual(event.data, b"12345678")
        self.assertEqual(event.time_ns, 0x5008 ^ 0x5555)
        self.assertIs(event.has_more, False)
        self.assertIs(event.is_page, False)
        self.assertIs(event.is_once, False)
        self.assertIsNone(event.vcpu)
        self.assertIsNone(event.rip)
        self.assertIn("gpa=0x5008", repr(event))
        self.assertIsNone(session.next())

    def test_who_wrote(self) -> None:
        session = self.session()
        flags = machine.HAS_VCPU | machine.HAS_RIP
        machine.publish(
            record(EventType.WRITE, flags=flags, vcpu=3, rip=1 << 63)
        )
        event = session.next()
        assert event is not None
        self.assertEqual((event.vcpu, event.rip), (3, 1 << 63))

    def test_an_event_can_be_copied_and_pickled(self) -> None:
        session = self.session()
        machine.write(0x5008, b"12345678")
        machine.write(0x5008, b"12345679")
        flags = machine.HAS_VCPU | machine.HAS_RIP
        machine.publish(
            record(EventType.WRITE, flags=flags, vcpu=3, rip=1 << 63)
        )
        events = list(session.events())
        self.assertEqual(len(set(events)), 3)
        for event in events:
            self.assertIs(copy.copy(event), event)
            self.assertIs(copy.deepcopy([event])[0], event)
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                again = pickle.loads(pickle.dumps(event, protocol))
                self.assertIs(type(again), wtrack.Event)
                self.assertEqual(again, event)
                self.assertEqual(hash(again), hash(event))
                for name in (
                    "type", "seq", "gpa", "data", "vcpu", "rip", "time_ns",
                ):
                    self.assertEqual(
                        getattr(again, name), getattr(event, name)
                    )
        self.assertNotEqual(events[0], events[1])
        self.assertNotEqual(events[0], 1)
        with self.assertRaises(TypeError):
            events[0] < events[1]  # type: ignore[operator]
        session.close()
        self.assertEqual(pickle.loads(pickle.dumps(events)), events)

    def test_what_is_no_record_makes_no_event(self) -> None:
        size = struct.calcsize(wtrack.RECORD_FORMAT)
        make = wtrack._wtrack.event_from_record
        self.assertEqual(make(bytes(size)).len, 0)
        for wrong in (b"", bytes(size - 1), bytes(size + 1), b"\xff" * size):
            with self.assertRaises(ValueError):
                make(wrong)

    def test_a_long_write_in_parts(self) -> None:
        session = self.session()
        data = bytes(range(60))
        machine.write(0x1000, data)
        events = list(session.events())
        self.assertEqual([e.len for e in events], [24, 24, 12])
        self.assertEqual([e.has_more for e in events], [True, True, False])
        self.assertEqual([e.total for e in events], [60, 60, 60])
        self.assertEqual(b"".join(e.data for e in events), data)

    def test_memory_that_is_removed(self) -> None:
        session = self.session()
        session.add([(8, 2)])
        machine.region_removed(8, 4)
        event = session.next()
        assert event is not None
        self.assertEqual(event.type, EventType.REGION_REMOVED)
        self.assertEqual((event.gfn, event.nr_pages), (8, 4))
        self.assertEqual(event.nr_tracked, 2)

    def test_what_the_guard_did(self) -> None:
        session = self.session()
        made = record(EventType.GUARD, gpa=0x3000, flags=machine.IS_PAGE)
        made.data[0] = wtrack.Guard.REARMED
        made.data[4] = wtrack.Cause.BUDGET
        machine.publish(made)
        event = session.next()
        assert event is not None
        self.assertIs(event.is_once, False)
        self.assertEqual(event.action, wtrack.Guard.REARMED)
        self.assertEqual(event.cause, wtrack.Cause.BUDGET)
        self.assertIs(event.is_page, True)
        self.assertEqual(event.data, b"")

    def test_iterating_ends_with_the_vm(self) -> None:
        session = self.session()
        for i in range(5):
            machine.write(0x1000 + i, b"x")
        machine.vm_gone()
        kinds = [event.type for event in session]
        self.assertEqual(
            kinds, [EventType.WRITE] * 5 + [EventType.VM_GONE]
        )
        with self.assertRaises(wtrack.GoneError):
            session.wait()

    def test_iterating_releases(self) -> None:
        session = self.session(8)
        events = iter(session)
        for i in range(100):
            machine.write(0x1000, bytes([i]))
            self.assertEqual(next(events).data, bytes([i]))
        self.assertEqual(session.get_status().overflows, 0)
        self.assertEqual(session.get_status().unread, 0)

    def test_next_does_not_release(self) -> None:
        session = self.session(8)
        machine.write(0x1000, b"x")
        session.next()
        self.assertEqual(session.get_status().unread, 1)
        with self.assertRaises(wtrack.Error) as raised:
            session.wait(0)
        self.assertEqual(raised.exception.errno, errno.EBUSY)
        session.release()
        self.assertEqual(session.get_status().unread, 0)
        self.assertIs(session.wait(0), False)

    def test_without_a_ring(self) -> None:
        session = self.session(0)
        self.assertIsNone(session.next())
        uses: list[Callable[[], object]] = [
            session.wait, session.fence, lambda: next(iter(session)),
        ]
        for use in uses:
            with self.assertRaises(wtrack.Error) as raised:
                use()
            self.assertEqual(raised.exception.errno, errno.ENOBUFS)

    def test_fence(self) -> None:
        session = self.session()
        machine.write(0x1000, b"x")
        machine.write(0x1000, b"y")
        self.assertEqual(session.fence(), 2)


class Overflow(machine.Case):
    def overflown(self) -> wtrack.Session:
        session = self.session(8)
        session.add([(0, 16)])
        for gfn in range(12):
            machine.write(gfn << 12, b"x")
        return session

    def test_what_was_not_recorded_is_to_be_read_again(self) -> None:
        session = self.overflown()
        seen = set()
        for event in session.events():
            if event.type == EventType.RESYNC:
                break
            seen.add(event.gfn)
        pages = list(session.resync())
        self.assertEqual({found.what for found in pages}, {wtrack.Resync.REREAD})
        seen |= {found.gfn for found in pages}
        self.assertEqual(seen, set(range(12)))
        machine.write(0x1000, b"again")
        self.assertEqual([e.data for e in session.events()], [b"again"])

    def test_who_does_not_fetch_it_is_told(self) -> None:
        session = self.overflown()
        with self.assertRaises(wtrack.Error) as raised:
            for _ in session:
                pass
        self.assertEqual(raised.exception.errno, errno.EBUSY)

    def test_a_batch_ends_with_it(self) -> None:
        session = self.overflown()
        records = unpack(session.read_batch())
        self.assertEqual(records[-1]["type"], EventType.RESYNC)
        self.assertEqual(session.read_batch(), b"")
        self.assertEqual(
            len(records) - 1 + len(list(session.resync())), 12
        )

    def test_only_the_end_of_the_vm_comes_behind_it(self) -> None:
        session = self.overflown()
        machine.vm_gone()
        kinds = [found["type"] for found in unpack(session.read_batch())]
        self.assertEqual(kinds[-2:], [EventType.RESYNC, EventType.VM_GONE])
        self.assertEqual(len(kinds) - 2 + len(list(session.resync())), 12)

    def test_nothing_to_fetch_without_one(self) -> None:
        self.assertEqual(list(self.session().resync()), [])

    def test_pages_without_memory(self) -> None:
        session = self.session(8, wtrack.RingFlag.STICKY)
        session.add([(5, 2)])
        for gfn in range(12):
            machine.write((5 + gfn % 2) << 12, b"x")
        machine.region_removed(5, 1)
        self.assertEqual(list(session.events())[-1].type, EventType.RESYNC)
        self.assertEqual(list(session.resync()),
                         [(5, 1, wtrack.Resync.ABSENT),
                          (6, 1, wtrack.Resync.REREAD)])
        machine.region_added(5, 1)
        event, = session.events()
        self.assertEqual((event.gfn, event.action, event.cause),
                         (5, wtrack.Guard.REARMED, wtrack.Cause.MEMORY))


class Batch(machine.Case):
    def test_its_format_is_that_of_the_extension(self) -> None:
        self.assertEqual(
            struct.calcsize(wtrack.RECORD_FORMAT), wtrack._wtrack.RECORD_SIZE
        )

    def test_each_field_is_where_it_is_said_to_be(self) -> None:
        session = self.session()
        made = record(
            EventType.WRITE, vcpu=0x102, len=3, total=0x304, gpa=0x1122334455,
            time_ns=0x99887766554433, rip=0xFEDCBA9876543210,
            flags=machine.HAS_VCPU | machine.HAS_RIP
            | machine.HAS_MORE | machine.IS_PAGE | machine.IS_ONCE,
        )
        made.data[:4] = [1, 2, 3, 4]
        machine.publish(made)
        (found,) = unpack(session.read_batch())
        self.assertEqual(found["data"], b"\1\2\3" + bytes(21))
        self.assertEqual(
            found["flags"],
            wtrack.RECORD_MORE | wtrack.RECORD_PAGE | wtrack.RECORD_RIP
            | wtrack.RECORD_DATA | wtrack.RECORD_ONCE,
        )
        del found["data"], found["flags"], found["pad"]
        self.assertEqual(
            found,
            {
                "seq": 1, "time_ns": 0x99887766554433, "gpa": 0x1122334455,
                "rip": 0xFEDCBA9876543210, "nr_pages": 0, "nr_tracked": 0,
                "vcpu": 0x102, "total": 0x304, "action": 0, "cause": 0,
                "len": 3, "type": EventType.WRITE,
            },
        )

    def test_the_end_is_an_event_and_then_an_error(self) -> None:
        session = self.session()
        machine.end()
        event = session.next()
        assert event
        self.assertEqual(event.type, EventType.ENDED)
        with self.assertRaises(wtrack.EndedError) as raised:
            session.wait()
        self.assertEqual(raised.exception.errno, errno.ESHUTDOWN)

    def test_the_mode_of_the_vcpu(self) -> None:
        session = self.session()
        for flags, modes in ((0, (False, False)), (16, (True, False)),
                             (32, (False, True))):
            machine.publish(record(EventType.WRITE, flags=flags))
            event = session.next()
            assert event
            self.assertEqual((event.is_l2, event.is_smm), modes)
            machine.publish(record(EventType.WRITE, flags=flags))
            session.release()
            (found,) = unpack(session.read_batch())
            bits = found["flags"]
            assert isinstance(bits, int)
            self.assertEqual(
                (bool(bits & wtrack.RECORD_L2), bool(bits & wtrack.RECORD_SMM)),
                modes,
            )

    def test_an_event_without_data_says_so(self) -> None:
        session = self.session()
        made = record(
            EventType.WRITE, total=100, flags=machine.NO_DATA | machine.IS_PAGE
        )
        machine.publish(made)
        machine.publish(made)
        event = session.next()
        assert event
        self.assertEqual((event.has_data, event.is_page), (False, True))
        self.assertEqual((event.len, event.total, event.data), (0, 100, b""))
        session.release()
        (found,) = unpack(session.read_batch())
        self.assertEqual(found["flags"], wtrack.RECORD_PAGE)
        machine.publish(record(EventType.WRITE, len=8, total=8))
        event = session.next()
        assert event
        self.assertIs(event.has_data, True)
        machine.vm_gone()
        event = session.next()
        assert event
        self.assertIs(event.has_data, False)

    def test_fields_of_other_types(self) -> None:
        session = self.session()
        session.add([(8, 1)])
        machine.region_removed(8, 5)
        guard = record(EventType.GUARD)
        guard.data[0], guard.data[4] = 1, 4
        machine.publish(guard)
        removed, did = unpack(session.read_batch())
        self.assertEqual((removed["nr_pages"], removed["nr_tracked"]), (5, 1))
        self.assertEqual((did["action"], did["cause"]), (1, 4))
        self.assertEqual(did["vcpu"], -1)

    def test_it_is_not_longer_than_wanted(self) -> None:
        session = self.session()
        for i in range(10):
            machine.write(0x1000 + i, b"x")
        size = wtrack._wtrack.RECORD_SIZE
        sizes = [len(session.read_batch(n)) // size for n in (4, 0, 4, 4, 4)]
        self.assertEqual(sizes, [4, 0, 4, 2, 0])
        self.assertEqual(session.get_status().unread, 0)

    def test_numpy_reads_it(self) -> None:
        import numpy

        session = self.session()
        for i in range(10):
            machine.write(0x1000 + 8 * i, bytes([i]) * 8)
        dtype = numpy.dtype(wtrack.RECORD_DTYPE)
        self.assertEqual(dtype.itemsize, wtrack._wtrack.RECORD_SIZE)
        array = numpy.frombuffer(session.read_batch(), dtype)
        self.assertEqual(array["seq"].tolist(), list(range(1, 11)))
        self.assertEqual(array["gpa"].tolist(),
                         [0x1000 + 8 * i for i in range(10)])
        self.assertEqual(int(array["len"].sum()), 80)
        self.assertEqual(array["data"][3].tobytes()[:8], b"\3" * 8)

    def test_numbers_of_numpy_are_numbers(self) -> None:
        import numpy

        session = self.session()
        machine.write(0x5008, b"x")
        dtype = numpy.dtype(wtrack.RECORD_DTYPE)
        array = numpy.frombuffer(session.read_batch(), dtype)
        gfns = numpy.unique(array["gpa"] >> 12)
        session.add((gfn, 1) for gfn in gfns)
        self.assertEqual(session.query_gfn(gfns[0]).users, 1)
        self.assertEqual(list(session.query(gfns[0])), [(5, 1)])
        self.assertEqual(session.read_batch(array["len"][0]), b"")
        with self.assertRaises(OverflowError):
            session.read_batch(array["vcpu"][0])

    def test_memoryview_reads_it(self) -> None:
        session = self.session()
        machine.write(0x7000, b"abcd")
        view = memoryview(session.read_batch())
        values = struct.unpack_from(wtrack.RECORD_FORMAT, view)
        self.assertEqual(values[wtrack.RECORD_FIELDS.index("gpa")], 0x7000)
