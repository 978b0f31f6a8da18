#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
import sys

import wtrack
from wtrack import EventType, Session

vm, gfn = sys.argv[1], int(sys.argv[2], 0)
with Session.open_daemon(vm) as session:
    session.make_ring(1024)
    session.add([wtrack.Range(gfn)])
    for event in session:
        if event.type == EventType.WRITE:
            print(f"{event.len} bytes at {event.gpa:#x}: {event.data.hex()}")
        elif event.type == EventType.RESYNC:
            for pages in session.resync():
                print("too many writes at a time: read the page again")
        elif event.is_page:
            print("something else was stored: read the page again")
print("the VM is gone")
