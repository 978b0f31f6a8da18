# SPDX-License-Identifier: LGPL-2.1-or-later
"""The extension: libwtrack, for the package alone."""

from collections.abc import Iterable
from typing import Final, final

from _typeshed import WriteableBuffer

_Ranges = Iterable[tuple[int, int]]
_Results = list[tuple[int, int, int, int]]
_Limits = tuple[_Ranges, int, int, int, int, int, int]

EVENT_WRITE: Final[int]
EVENT_RESYNC: Final[int]
EVENT_REGION_REMOVED: Final[int]
EVENT_VM_GONE: Final[int]
EVENT_GUARD: Final[int]
GUARD_DISARMED: Final[int]
GUARD_REARMED: Final[int]
GUARD_STOPPED: Final[int]
GUARD_CHANGED: Final[int]
CAUSE_NONE: Final[int]
CAUSE_UNEMULATED: Final[int]
CAUSE_PAGE_WALK: Final[int]
CAUSE_EVENT: Final[int]
CAUSE_BUDGET: Final[int]
CAUSE_NESTED: Final[int]
CAUSE_UNREPORTED: Final[int]
CAUSE_NEW_VCPU: Final[int]
CAUSE_OPERAND: Final[int]
CAUSE_SPLIT_LOCK: Final[int]
CAUSE_NATIVE: Final[int]
CAUSE_HOLE: Final[int]
FEAT_FOREIGN_ATTACH: Final[int]
FEAT_COALESCE: Final[int]
FEAT_VCPU: Final[int]
FEAT_RIP: Final[int]
FEAT_RESTRICT: Final[int]
FEAT_LONG_WRITES: Final[int]
FEAT_GUARD: Final[int]
FEAT_BUDGET: Final[int]
FEAT_NATIVE: Final[int]
FEAT_READ: Final[int]
FEAT_REGIONS: Final[int]
FEAT_ONCE: Final[int]
GFN_TRACKED: Final[int]
GFN_RESYNC: Final[int]
GFN_DISARMED: Final[int]
REGION_READONLY: Final[int]
REGION_DIRTY_LOG: Final[int]
REGION_PRIVATE: Final[int]
REGION_KVM: Final[int]
RESYNC_REREAD: Final[int]
RESYNC_REMOVED: Final[int]
RESYNC_DISARMED: Final[int]
RIGHT_MEMORY: Final[int]
RIGHT_DATA: Final[int]
RIGHT_RIP: Final[int]
RIGHT_OTHERS: Final[int]
RIGHT_CHANGE: Final[int]
RIGHT_SYNC: Final[int]
RING_COALESCE: Final[int]
RING_STOP: Final[int]
RING_NATIVE: Final[int]
RING_ONCE: Final[int]
STATE_ATTACHED: Final[int]
STATE_RESTRICTED: Final[int]
STATE_RING: Final[int]
STATE_COALESCE: Final[int]
STATE_RESYNC: Final[int]
STATE_VM_GONE: Final[int]
RECORD_SIZE: Final[int]
RECORD_MORE: Final[int]
RECORD_PAGE: Final[int]
RECORD_RIP: Final[int]
RECORD_DATA: Final[int]
RECORD_ONCE: Final[int]

@final
class Event:
    @property
    def action(self) -> int: ...
    @property
    def cause(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def gfn(self) -> int: ...
    @property
    def gpa(self) -> int: ...
    @property
    def has_data(self) -> bool: ...
    @property
    def has_more(self) -> bool: ...
    @property
    def is_once(self) -> bool: ...
    @property
    def is_page(self) -> bool: ...
    @property
    def len(self) -> int: ...
    @property
    def nr_pages(self) -> int: ...
    @property
    def nr_tracked(self) -> int: ...
    @property
    def rip(self) -> int | None: ...
    @property
    def seq(self) -> int: ...
    @property
    def time_ns(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def type(self) -> int: ...
    @property
    def vcpu(self) -> int | None: ...
    def __copy__(self) -> Event: ...
    def __deepcopy__(self, memo: object, /) -> Event: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Session:
    @property
    def closed(self) -> bool: ...
    def __iter__(self) -> Session: ...
    def __next__(self) -> Event: ...
    def add(
        self, ranges: _Ranges, nowait: bool, /
    ) -> tuple[int, _Results, int | None]: ...
    def close(self) -> None: ...
    def fence(self) -> int: ...
    def fileno(self) -> int: ...
    def get_status(self) -> tuple[int, ...]: ...
    def make_ring(
        self, records: int, flags: int, watermark: int, latency_us: int, /
    ) -> None: ...
    def next(self) -> Event | None: ...
    def query(self, gfn: int, /) -> tuple[list[tuple[int, int]], int]: ...
    def query_gfn(self, gfn: int, /) -> tuple[int, int]: ...
    def read(
        self, gpa: int, buffer: WriteableBuffer, nofault: bool, /
    ) -> tuple[int, int, int, int]: ...
    def read_batch(self, nr: int, /) -> bytes: ...
    def regions_next(
        self, gfn: int, /
    ) -> tuple[tuple[int, int, int] | None, int, int]: ...
    def rearm(
        self, ranges: _Ranges, nowait: bool, /
    ) -> tuple[int, _Results, int | None]: ...
    def release(self) -> None: ...
    def remove(
        self, ranges: _Ranges, fenced: bool, /
    ) -> tuple[int, _Results, int | None]: ...
    def restrict(
        self,
        ranges: _Ranges,
        max_pages: int,
        max_records: int,
        budget: int,
        period_ms: int,
        max_sync_us: int,
        rights: int,
        /,
    ) -> None: ...
    def resync_next(self) -> tuple[int, int, int] | None: ...
    def set_budget(self, budget: int, period_ms: int, /) -> None: ...
    def wait(self, timeout: float | None, /) -> bool: ...

def event_from_record(record: bytes, /) -> Event: ...
def get_info() -> tuple[int, ...]: ...
def open_daemon(vm: str, interactive: bool, /) -> Session: ...
def open_daemon_pid(pid: int, interactive: bool, /) -> Session: ...
def open_daemon_restricted(
    vm: str, limits: _Limits, interactive: bool, /
) -> Session: ...
def open_fd(fd: int, /) -> Session: ...
def open_pid(pid: int, /) -> Session: ...
def open_pid_fd(pid: int, fd: int, /) -> Session: ...
def open_vm_fd(fd: int, /) -> Session: ...
def strerror(err: int, /) -> str: ...
