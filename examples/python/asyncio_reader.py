#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: asyncio_reader.py VM GFN [COUNT]

Counts the stores to a page of a guest in an asyncio program, which prints the
counts each second while it waits; ends with the VM, or after COUNT stores. The
session is opened by wtrackd: VM is a process id or a name.

What matters for any loop: when the descriptor is readable, take the events, but
not without end, as the guest goes on writing; what is left is reported again.
Remove the reader before the session is closed.
"""

import asyncio
import sys
from itertools import islice

import wtrack
from wtrack import EventType, Session

#: Events that are taken before others have their turn.
MAX_EVENTS = 4096


class Counter:
    """What was stored so far."""

    def __init__(self, session: Session, wanted: int) -> None:
        self.session = session
        self.wanted = wanted
        self.stores = 0
        self.rereads = 0
        self.done = asyncio.Event()

    def readable(self) -> None:
        """For the event loop."""
        for event in islice(self.session.events(), MAX_EVENTS):
            self.count(event)
        if 0 < self.wanted <= self.stores:
            self.done.set()

    def count(self, event: wtrack.Event) -> None:
        """One more, but for all parts of a store except the last."""
        if event.is_page:
            self.rereads += 1
        elif event.type == EventType.WRITE:
            self.stores += not event.has_more
        elif event.type == EventType.RESYNC:
            self.rereads += sum(r.nr_pages for r in self.session.resync())
        elif event.type == EventType.VM_GONE:
            self.done.set()

    def show(self) -> None:
        """A line."""
        print(f"{self.stores} stores, {self.rereads} pages to re-read",
              flush=True)


async def main(vm: str, gfn: int, wanted: int) -> None:
    """Until the VM is gone, or all were seen."""
    # The loop goes on meanwhile: a user may have to authenticate.
    session = await asyncio.to_thread(Session.open_daemon, vm)
    with session:
        session.make_ring(4096)
        session.add([wtrack.Range(gfn)])
        counter = Counter(session, wanted)
        loop = asyncio.get_running_loop()
        loop.add_reader(session, counter.readable)
        try:
            counter.show()
            while not counter.done.is_set():
                try:
                    await asyncio.wait_for(counter.done.wait(), 1)
                except asyncio.TimeoutError:
                    pass
                counter.show()
        finally:
            # Also when it is cancelled: the number is another file's soon.
            loop.remove_reader(session)


if __name__ == "__main__":
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    asyncio.run(main(sys.argv[1], int(sys.argv[2], 0), count))
