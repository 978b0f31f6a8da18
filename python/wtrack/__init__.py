# SPDX-License-Identifier: LGPL-2.1-or-later
"""libwtrack: every guest write to chosen pages of a KVM guest.

    import wtrack

    with wtrack.Session.open_daemon("name-of-the-vm") as session:
        session.make_ring(1024)
        session.add([wtrack.Range(0x8000)])
        for event in session:
            print(event)

The names are those of the library, whose manual holds here as well: libwtrack(3)
and, for what there is to do after each type of event, wtrack_event(3).
"""

from __future__ import annotations

from . import _wtrack
from ._errors import EndedError, Error, GoneError, RefusedError
from ._mirror import Mirror
from ._numbers import (
    RECORD_DATA,
    RECORD_L2,
    RECORD_MORE,
    RECORD_ONCE,
    RECORD_PAGE,
    RECORD_RIP,
    RECORD_SMM,
    RECORD_ASYNC,
    Cause,
    Changed,
    EventType,
    Feature,
    GfnState,
    Guard,
    MirrorState,
    RegionFlag,
    Resync,
    Right,
    RingFlag,
    State,
)
from ._records import (
    RECORD_DTYPE,
    RECORD_FIELDS,
    RECORD_FORMAT,
    Change,
    GfnInfo,
    Info,
    MirrorStatus,
    Range,
    ReadResult,
    Region,
    Result,
    ResyncRange,
    Status,
)
from ._session import HasFileno, Ranges, Session
from ._wtrack import Event

__all__ = [
    "Cause",
    "Change",
    "Changed",
    "EndedError",
    "Error",
    "Event",
    "EventType",
    "Feature",
    "GfnInfo",
    "GfnState",
    "GoneError",
    "Guard",
    "HasFileno",
    "Info",
    "Mirror",
    "MirrorState",
    "MirrorStatus",
    "RECORD_DATA",
    "RECORD_DTYPE",
    "RECORD_FIELDS",
    "RECORD_FORMAT",
    "RECORD_L2",
    "RECORD_MORE",
    "RECORD_ONCE",
    "RECORD_PAGE",
    "RECORD_RIP",
    "RECORD_SMM",
    "RECORD_ASYNC",
    "Range",
    "Ranges",
    "ReadResult",
    "RefusedError",
    "Region",
    "RegionFlag",
    "Result",
    "Resync",
    "ResyncRange",
    "Right",
    "RingFlag",
    "Session",
    "State",
    "Status",
    "get_info",
    "strerror",
]


def get_info() -> Info:
    """Features and limits of this host's kvm-wtrack. Needs no session."""
    return Info(*_wtrack.get_info())


def strerror(err: int) -> str:
    """What an errno means in this library; the sign does not matter."""
    return _wtrack.strerror(err)
