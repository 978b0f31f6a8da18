# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulated kernel below the library: see machine.c."""

from __future__ import annotations

import ctypes
import unittest

import wtrack

VM_FD = 77  # of this process
PID = 4242  # the VMM
PAGES = 4096  # the guest's memory

#: What can fail: enum fake_call of tests/unit/lib/fake.h.
CALL_STATUS = 4
CALL_FENCE = 13
CALL_READ = 15

_library = ctypes.CDLL("libwtrack.so.1")


class Record(ctypes.Structure):
    """struct kvm_wtrack_record"""

    _fields_ = [
        ("seq", ctypes.c_uint64),
        ("type", ctypes.c_uint8),
        ("len", ctypes.c_uint8),
        ("flags", ctypes.c_uint16),
        ("vcpu", ctypes.c_uint16),
        ("total", ctypes.c_uint16),
        ("gpa", ctypes.c_uint64),
        ("time_ns", ctypes.c_uint64),
        ("rip", ctypes.c_uint64),
        ("data", ctypes.c_uint8 * 24),
    ]


#: Flags of the record, as in the kernel's header.
HAS_MORE, IS_PAGE, HAS_VCPU, HAS_RIP, NO_DATA = 1, 2, 4, 8, 256
IS_ONCE = 64


class Restriction(ctypes.Structure):
    """struct kvm_wtrack_restrict, without its end"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("ranges", ctypes.c_uint64),
        ("nr_ranges", ctypes.c_uint32),
        ("max_records", ctypes.c_uint32),
        ("max_pages", ctypes.c_uint64),
        ("budget", ctypes.c_uint32),
        ("period_ms", ctypes.c_uint32),
        ("rights", ctypes.c_uint64),
        ("max_sync_us", ctypes.c_uint32),
    ]


class Tune(ctypes.Structure):
    """struct kvm_wtrack_tune, without its end"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("watermark", ctypes.c_uint32),
        ("latency_us", ctypes.c_uint32),
        ("budget", ctypes.c_uint32),
        ("period_ms", ctypes.c_uint32),
        ("sync_us", ctypes.c_uint32),
    ]


class Ring(ctypes.Structure):
    """struct kvm_wtrack_ring, without its end"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("records", ctypes.c_uint32),
        ("watermark", ctypes.c_uint32),
        ("latency_us", ctypes.c_uint32),
        ("budget", ctypes.c_uint32),
        ("period_ms", ctypes.c_uint32),
        ("sync_us", ctypes.c_uint32),
    ]


class Daemon(ctypes.Structure):
    """struct fake_daemon"""

    _fields_ = [
        ("error", ctypes.c_char_p),
        ("message", ctypes.c_char_p),
        ("fd_kind", ctypes.c_int),
        ("vm", ctypes.c_char * 64),
        ("max_pages", ctypes.c_uint64),
        ("max_records", ctypes.c_uint32),
        ("interactive", ctypes.c_bool),
        ("attach", ctypes.c_bool),
        ("delay", ctypes.c_int),
    ]


_library.machine_tune.restype = ctypes.POINTER(Tune)
_library.machine_restriction.restype = ctypes.POINTER(Restriction)
_library.machine_ring.restype = ctypes.POINTER(Ring)
_library.machine_daemon.restype = ctypes.POINTER(Daemon)


def write(gpa: int, data: bytes) -> None:
    """A vCPU stores to a tracked page."""
    _library.machine_write(ctypes.c_uint64(gpa), data, len(data))


def publish(record: Record) -> None:
    """The module writes a record as it stands."""
    _library.machine_publish(ctypes.byref(record))


def region_removed(gfn: int, nr_pages: int) -> None:
    """Memory is removed from the guest."""
    _library.machine_region_removed(
        ctypes.c_uint64(gfn), ctypes.c_uint64(nr_pages)
    )


def region_added(gfn: int, nr_pages: int, flags: int = 0) -> None:
    """Memory is there again."""
    _library.machine_region_added(
        ctypes.c_uint64(gfn), ctypes.c_uint64(nr_pages), flags
    )


def add_features(features: int) -> None:
    """The module has these as well."""
    _library.machine_add_features(ctypes.c_uint64(features))


def memory_write(gpa: int, data: bytes) -> None:
    """The VMM or a device stores to guest memory."""
    _library.machine_memory_write(
        ctypes.c_uint64(gpa), data, ctypes.c_size_t(len(data))
    )


def store(gpa: int, data: bytes) -> None:
    """A vCPU stores to guest memory, on a tracked page."""
    _library.machine_store(ctypes.c_uint64(gpa), data, len(data))


def unreadable(gfn: int, err: int) -> None:
    """From now on the page cannot be read; EAGAIN: not without waiting."""
    _library.machine_unreadable(ctypes.c_uint64(gfn), err)


def change_regions(times: int) -> None:
    """The regions change after each of the next calls."""
    _library.machine_change_regions(times)


def vm_gone() -> None:
    """The VMM ends."""
    _library.machine_vm_gone()


def refuse(gfn: int, err: int) -> None:
    """From now on the page cannot be added or removed."""
    _library.machine_refuse(ctypes.c_uint64(gfn), err)


def fail(call: int, err: int) -> None:
    """The next of these calls fails."""
    _library.machine_fail(call, err)


def daemon_says(error: str, message: str) -> None:
    """The daemon refuses from now on."""
    _library.machine_daemon_says(error.encode(), message.encode())


def daemon_delays(times: int) -> None:
    """So often the daemon has not answered yet."""
    _library.machine_daemon_delays(times)


def vmm(*fds: int) -> None:
    """Descriptors of the VMM that are VMs."""
    _library.machine_vmm((ctypes.c_int * len(fds))(*fds), len(fds))


def session_fd(records: int) -> int:
    """A session's descriptor, as another process would pass it on."""
    return int(_library.machine_session_fd(records))


def tune() -> Tune:
    """The last one."""
    found: Tune = _library.machine_tune().contents
    return found


def end() -> None:
    """An administrator ends the session."""
    _library.machine_end()


def restriction() -> Restriction:
    """What the session was restricted to."""
    found: Restriction = _library.machine_restriction().contents
    return found


def ring() -> Ring:
    """The ring as it was made."""
    found: Ring = _library.machine_ring().contents
    return found


def daemon() -> Daemon:
    """What the daemon was asked for."""
    found: Daemon = _library.machine_daemon().contents
    return found


class Case(unittest.TestCase):
    """Each case has a machine of its own, and must leave nothing open."""

    def setUp(self) -> None:
        _library.machine_setup()
        self.addCleanup(self._teardown)

    def fresh(self) -> None:
        """Another machine, in the middle of a case."""
        self._teardown()
        _library.machine_setup()

    def _teardown(self) -> None:
        left = _library.machine_teardown()
        self.assertEqual(left, 0, "the library was not given all back")

    def session(
        self, records: int = 64, flags: int = 0
    ) -> wtrack.Session:
        """On the VM, closed at the case's end."""
        session = wtrack.Session.open_vm_fd(VM_FD)
        self.addCleanup(session.close)
        if records:
            session.make_ring(records, flags)
        return session
