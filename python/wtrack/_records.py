# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library's structs, and the records of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ._wtrack import Event


class Range(NamedTuple):
    """Consecutive pages of guest physical memory."""

    #: Number of the first page: its address divided by 4096.
    gfn: int
    #: How many.
    nr_pages: int = 1


class Result(NamedTuple):
    """What became of a range that was added, armed again or removed."""

    #: Pages that were handled.
    done: int
    #: Of these, pages that were not tracked (add), not observed (rearm), or
    #: tracked (remove).
    changed: int
    #: First page that was refused or not reached, if error is not 0.
    error_gfn: int
    #: Why, as a positive errno; 0 when all pages are done or skipped.
    error: int
    #: Pages that the guest has no memory for, with skip_holes.
    skipped: int = 0


class GfnInfo(NamedTuple):
    """What is known of one page."""

    #: How many sessions of the VM track it.
    users: int
    #: GfnState bits.
    state: int


class ResyncRange(NamedTuple):
    """Pages to re-read after an overflow."""

    #: Number of the first page.
    gfn: int
    #: How many.
    nr_pages: int
    #: One of Resync.
    what: int


class ReadResult(NamedTuple):
    """What was read of the guest's memory."""

    #: Bytes that were read.
    done: int
    #: What was read contains every write of an event up to this number; 0 in a
    #: session without a ring.
    seq: int
    #: Of the memory regions before anything was read, as in Status.
    generation: int


class Region(NamedTuple):
    """Consecutive pages of the guest's memory."""

    #: Number of the first page.
    gfn: int
    #: How many.
    nr_pages: int
    #: RegionFlag bits.
    flags: int


class Change(NamedTuple):
    """What changed in a mirror."""

    #: Changed.
    what: int
    #: STATE: the new one, MirrorState; otherwise that of the page.
    state: int
    #: Guest physical address of the first byte.
    gpa: int
    #: Bytes from there on. STATE: of the pages.
    len: int
    #: What the copy had there before, and what it has now. STATE: None.
    old_bytes: bytes | None
    new_bytes: bytes | None
    #: WRITE: tells the vCPU, the instruction, the time. Otherwise None.
    event: Event | None


class MirrorStatus(NamedTuple):
    """Counters of a mirror."""

    #: Pages in the mirror.
    pages: int
    #: Of these, live.
    live: int
    #: Disarmed.
    disarmed: int
    #: Absent.
    absent: int
    #: Removed.
    removed: int
    #: Memory of this process that the mirror takes.
    memory_bytes: int
    #: Write events whose bytes were taken.
    writes: int
    #: Pages that were read again.
    rereads: int
    #: Of these, because two vCPUs stored to the same bytes.
    conflicts: int
    #: How often the ring was full.
    resyncs: int


class Info(NamedTuple):
    """Features and limits of this host."""

    #: Feature bits.
    features: int
    #: Pages that one session may track.
    max_pages: int
    #: Smallest ring.
    min_records: int
    #: Largest ring.
    max_records: int
    #: Sessions on one VM.
    max_sessions: int
    #: Sessions that may track one page.
    max_users: int
    #: Ranges that Session.restrict() takes.
    max_ranges: int
    #: Longest latency that a watermark may have.
    max_latency_us: int
    #: Most bytes of data in one event.
    data_bytes: int
    #: Largest budget.
    max_budget: int
    #: Longest period of a budget.
    max_period_ms: int
    #: For how long the guard leaves a page disarmed at first.
    backoff_min_ms: int
    #: And for how long at most.
    backoff_max_ms: int
    #: Longest time of Session.set_sync().
    max_sync_us: int
    #: Bytes, of whole pages, that a session reads in a second at most.
    read_bytes_per_s: int


class Status(NamedTuple):
    """State and counters of a session."""

    #: State bits.
    state: int
    #: Process id of the VMM; 0 when it is not visible here, or gone.
    vm_pid: int
    #: Names the VM, as long as the module stays loaded.
    vm_id: int
    #: Names the session, likewise.
    session_id: int
    #: Size of the ring in records, 0 without one.
    records: int
    #: Records that were not released yet.
    unread: int
    #: Pages that the session tracks.
    pages: int
    #: Pages that it may track.
    max_pages: int
    #: Records since the start.
    events: int
    #: Writes that were merged into an unread record.
    merged: int
    #: How often the ring was closed.
    overflows: int
    #: Writes that went to the resync set.
    resync_writes: int
    #: Removals of guest memory that ended tracking.
    regions_removed: int
    #: How often a sleeping reader was woken.
    wakeups: int
    #: Kernel memory held for the session, the ring included.
    memory_bytes: int
    #: Kernel memory held for the VM, all sessions together.
    vm_memory_bytes: int
    #: How often the guard disarmed a page of this session.
    disarms: int
    #: Of these, because of the budget.
    over_budget: int
    #: How often it armed one again.
    rearms: int
    #: Stores that KVM made without telling what was stored.
    unreported: int
    #: Rights that the session has (Right).
    rights: int
    #: Of the guest's memory regions: changes whenever one does.
    generation: int
    #: Of pages, those without memory (RingFlag.STICKY).
    absent: int
    #: How often a vCPU has waited for the reader.
    sync_waits: int
    #: Of these, how often the reader was late.
    sync_timeouts: int


#: Name, struct's letter and numpy's type of each field of a record.
_FIELDS = (
    ("seq", "Q", "<u8"),
    ("time_ns", "Q", "<u8"),
    ("gpa", "Q", "<u8"),
    ("rip", "Q", "<u8"),
    ("nr_pages", "Q", "<u8"),
    ("nr_tracked", "Q", "<u8"),
    ("vcpu", "i", "<i4"),
    ("total", "I", "<u4"),
    ("action", "I", "<u4"),
    ("cause", "I", "<u4"),
    ("len", "H", "<u2"),
    ("flags", "H", "<u2"),
    ("type", "B", "u1"),
    ("pad", "3s", "V3"),
    ("data", "24s", "V24"),
)

#: What Session.read_batch() returns are records of this format, for the module
#: struct. vcpu is -1 where it is not known; flags are RECORD_MORE,
#: RECORD_PAGE, RECORD_RIP, RECORD_DATA, RECORD_ONCE, RECORD_L2, RECORD_SMM and
#: RECORD_ASYNC; of data the first len bytes count, and rip counts with RECORD_RIP.
RECORD_FORMAT = "<" + "".join(letter for _, letter, _ in _FIELDS)

#: The names of the values that RECORD_FORMAT unpacks to, in order.
RECORD_FIELDS = tuple(name for name, _, _ in _FIELDS)

#: The same for numpy.dtype().
RECORD_DTYPE = [(name, dtype) for name, _, dtype in _FIELDS]
