# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library's numbers. Their names there begin with WTRACK_."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from . import _wtrack


class EventType(IntEnum):
    """What happened (WTRACK_EVENT_*). Skip events of a type not listed."""

    #: A vCPU wrote to a tracked page.
    WRITE = _wtrack.EVENT_WRITE
    #: The ring was full: see Session.resync().
    RESYNC = _wtrack.EVENT_RESYNC
    #: Memory was removed from the guest, with the tracking of its pages.
    REGION_REMOVED = _wtrack.EVENT_REGION_REMOVED
    #: The VM is gone. Nothing follows.
    VM_GONE = _wtrack.EVENT_VM_GONE
    #: Stores to a tracked page are not seen one by one: see Guard.
    GUARD = _wtrack.EVENT_GUARD
    #: An administrator has ended the session. Nothing follows.
    ENDED = _wtrack.EVENT_ENDED


class Guard(IntEnum):
    """What the guard did with a page (WTRACK_GUARD_*). One not listed is to
    be taken as CHANGED.
    """

    #: Stores are not seen until it is rearmed.
    DISARMED = _wtrack.GUARD_DISARMED
    #: They are seen again: re-read the page.
    REARMED = _wtrack.GUARD_REARMED
    #: The session does not track the page any more (RingFlag.STOP).
    STOPPED = _wtrack.GUARD_STOPPED
    #: KVM made a store without telling what: re-read the page.
    CHANGED = _wtrack.GUARD_CHANGED


class Cause(IntEnum):
    """Why the guard did it (WTRACK_CAUSE_*). There may be others."""

    #: Nothing to tell.
    NONE = _wtrack.CAUSE_NONE
    #: A store that KVM cannot emulate.
    UNEMULATED = _wtrack.CAUSE_UNEMULATED
    #: The page is part of the guest's page tables.
    PAGE_WALK = _wtrack.CAUSE_PAGE_WALK
    #: An interrupt or exception was to be delivered.
    EVENT = _wtrack.CAUSE_EVENT
    #: More stores than the budgets allow.
    BUDGET = _wtrack.CAUSE_BUDGET
    #: A store of a guest of this guest.
    NESTED = _wtrack.CAUSE_NESTED
    #: KVM emulated it without a notification.
    UNREPORTED = _wtrack.CAUSE_UNREPORTED
    #: By a vCPU that the module does not know yet.
    NEW_VCPU = _wtrack.CAUSE_NEW_VCPU
    #: KVM would have read an operand here, wrongly.
    OPERAND = _wtrack.CAUSE_OPERAND
    #: A locked store across pages, which KVM would make without the lock.
    SPLIT_LOCK = _wtrack.CAUSE_SPLIT_LOCK
    #: Any store, because a session with RingFlag.NATIVE tracks the page.
    NATIVE = _wtrack.CAUSE_NATIVE
    #: The guest found a hole here before there was memory, and KVM now maps it.
    HOLE = _wtrack.CAUSE_HOLE
    #: There is memory where there was none (REARMED, with RingFlag.STICKY).
    MEMORY = _wtrack.CAUSE_MEMORY


class Feature(IntFlag):
    """What this host can do (WTRACK_FEAT_*), in Info.features."""

    #: A session can be opened on another process' VM.
    FOREIGN_ATTACH = _wtrack.FEAT_FOREIGN_ATTACH
    #: RingFlag.COALESCE is known.
    COALESCE = _wtrack.FEAT_COALESCE
    #: Write events tell which vCPU wrote.
    VCPU = _wtrack.FEAT_VCPU
    #: Write events carry the guest's instruction pointer.
    RIP = _wtrack.FEAT_RIP
    #: Session.restrict() works.
    RESTRICT = _wtrack.FEAT_RESTRICT
    #: Long writes come in parts, none of them cut off.
    LONG_WRITES = _wtrack.FEAT_LONG_WRITES
    #: No store to a tracked page can hang or kill its guest.
    GUARD = _wtrack.FEAT_GUARD
    #: Session.set_budget(), and the budget of a restriction, work.
    BUDGET = _wtrack.FEAT_BUDGET
    #: RingFlag.NATIVE is known.
    NATIVE = _wtrack.FEAT_NATIVE
    #: Session.read() works.
    READ = _wtrack.FEAT_READ
    #: Session.regions() works.
    REGIONS = _wtrack.FEAT_REGIONS
    #: RingFlag.STICKY is known.
    STICKY = _wtrack.FEAT_STICKY
    #: RingFlag.ONCE and Session.rearm() are known.
    ONCE = _wtrack.FEAT_ONCE
    #: RingFlag.SYNC is known.
    SYNC = _wtrack.FEAT_SYNC
    #: Wake-up and budget of a ring can be changed.
    TUNE = _wtrack.FEAT_TUNE
    #: An administrator can end a session.
    CONTROL = _wtrack.FEAT_CONTROL
    #: Event.is_l2 and Event.is_smm tell.
    MODES = _wtrack.FEAT_MODES


class Right(IntFlag):
    """What a session may do (WTRACK_RIGHT_*). It has all rights until they are
    taken by Session.restrict().
    """

    #: Read guest memory through the session.
    MEMORY = _wtrack.RIGHT_MEMORY
    #: Events have the bytes that were stored.
    DATA = _wtrack.RIGHT_DATA
    #: Events have the guest's instruction pointer.
    RIP = _wtrack.RIGHT_RIP
    #: Be told what other sessions there are.
    OTHERS = _wtrack.RIGHT_OTHERS
    #: Add and remove pages.
    CHANGE = _wtrack.RIGHT_CHANGE
    #: Have vCPUs wait for the reader.
    SYNC = _wtrack.RIGHT_SYNC


class RingFlag(IntFlag):
    """For Session.make_ring() (WTRACK_RING_*)."""

    #: At most one unread event for each page: release it, re-read the page.
    COALESCE = _wtrack.RING_COALESCE
    #: What the guard stops observing is not tracked any more.
    STOP = _wtrack.RING_STOP
    #: No store is emulated: each disarms its page before it is made.
    NATIVE = _wtrack.RING_NATIVE
    #: Pages outlive their memory, and are armed again when memory comes.
    STICKY = _wtrack.RING_STICKY
    #: Only the first store to each page is an event, until Session.rearm().
    ONCE = _wtrack.RING_ONCE
    #: A vCPU continues after a store when its event is released, or after the
    #: time of Session.set_sync().
    SYNC = _wtrack.RING_SYNC


class RegionFlag(IntFlag):
    """What a region of the guest's memory is (WTRACK_REGION_*), in Region.flags."""

    #: The guest cannot write to it.
    READONLY = _wtrack.REGION_READONLY
    #: KVM logs which of its pages are written to, for the VMM.
    DIRTY_LOG = _wtrack.REGION_DIRTY_LOG
    #: Its pages may be private to the guest.
    PRIVATE = _wtrack.REGION_PRIVATE
    #: KVM made it for itself.
    KVM = _wtrack.REGION_KVM


class GfnState(IntFlag):
    """Of one page (WTRACK_GFN_*)."""

    #: The session tracks it.
    TRACKED = _wtrack.GFN_TRACKED
    #: It is in the session's resync set.
    RESYNC = _wtrack.GFN_RESYNC
    #: The session tracks it, but the guard has disarmed it.
    DISARMED = _wtrack.GFN_DISARMED
    #: This session tracks it, and the guest has no memory there.
    ABSENT = _wtrack.GFN_ABSENT


class Resync(IntEnum):
    """What is with the pages of a ResyncRange (WTRACK_RESYNC_*)."""

    #: Writes were not recorded one by one: re-read them.
    REREAD = _wtrack.RESYNC_REREAD
    #: They are not tracked any more.
    REMOVED = _wtrack.RESYNC_REMOVED
    #: As REREAD, but stores to them are not seen now.
    DISARMED = _wtrack.RESYNC_DISARMED
    #: Their memory was removed, and they are tracked (RingFlag.STICKY).
    ABSENT = _wtrack.RESYNC_ABSENT


class MirrorState(IntEnum):
    """What is known of a page of a Mirror (WTRACK_MIRROR_*)."""

    #: Its copy follows the guest's stores.
    LIVE = _wtrack.MIRROR_LIVE
    #: Stores are not seen now: it is read by each sync().
    DISARMED = _wtrack.MIRROR_DISARMED
    #: The guest has no memory there now.
    ABSENT = _wtrack.MIRROR_ABSENT
    #: It is not tracked any more, until it is added again (RingFlag.STOP).
    REMOVED = _wtrack.MIRROR_REMOVED


class Changed(IntEnum):
    """What a Change is (WTRACK_CHANGED_*). Skip changes that are not listed."""

    #: A store, or a part of one.
    WRITE = _wtrack.CHANGED_WRITE
    #: A page was read again, and these bytes are different now.
    REREAD = _wtrack.CHANGED_REREAD
    #: The state of pages is another one now.
    STATE = _wtrack.CHANGED_STATE


class State(IntFlag):
    """Of a session (WTRACK_STATE_*), in Status.state."""

    #: It is on a VM.
    ATTACHED = _wtrack.STATE_ATTACHED
    #: It was restricted.
    RESTRICTED = _wtrack.STATE_RESTRICTED
    #: It has a ring.
    RING = _wtrack.STATE_RING
    #: The ring was made with RingFlag.COALESCE.
    COALESCE = _wtrack.STATE_COALESCE
    #: Closed by an overflow, until the resync set is fetched.
    RESYNC = _wtrack.STATE_RESYNC
    #: The VM is gone.
    VM_GONE = _wtrack.STATE_VM_GONE
    #: An administrator has ended it: it tracks nothing any more.
    ENDED = _wtrack.STATE_ENDED


#: Bits of the field flags of a record in a batch: Event.has_more,
#: Event.is_page, whether rip is known, Event.has_data, Event.is_once, Event.is_l2,
#: Event.is_smm and Event.is_async.
RECORD_MORE = _wtrack.RECORD_MORE
RECORD_PAGE = _wtrack.RECORD_PAGE
RECORD_RIP = _wtrack.RECORD_RIP
RECORD_DATA = _wtrack.RECORD_DATA
RECORD_ONCE = _wtrack.RECORD_ONCE
RECORD_L2 = _wtrack.RECORD_L2
RECORD_SMM = _wtrack.RECORD_SMM
RECORD_ASYNC = _wtrack.RECORD_ASYNC
