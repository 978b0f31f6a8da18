#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python_session.py values|overflow|close|pass VM GFN COUNT

What a case wants to know of the package wtrack. Each prints "ready" when the
session tracks the page, waits until the guest has stored COUNT times, and
prints what it found.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading

import wtrack
from wtrack import EventType, Session

SEQ = wtrack.RECORD_FIELDS.index("seq")
DATA = wtrack.RECORD_FIELDS.index("data")


def track(vm: str, gfn: int, records: int = 4096) -> Session:
    """A session that does."""
    session = Session.open_daemon(vm)
    session.make_ring(records)
    session.add([wtrack.Range(gfn)])
    print("ready", flush=True)
    return session


def read(session: Session, count: int) -> list[tuple[int, int]]:
    """Number and value of so many stores, from batches."""
    seen: list[tuple[int, int]] = []
    while len(seen) < count and session.wait(20):
        view = memoryview(session.read_batch(count - len(seen)))
        for record in struct.iter_unpack(wtrack.RECORD_FORMAT, view):
            (value,) = struct.unpack_from("<Q", record[DATA])
            seen.append((record[SEQ], value))
    return seen


def show(seen: list[tuple[int, int]]) -> None:
    """How many there were, the last, and whether all followed each other."""
    first, value = seen[0]
    whole = seen == [(first + i, value + i) for i in range(len(seen))]
    print(f"{len(seen)} stores, the last of {seen[-1][1]}, "
          f"{'none' if whole else 'some'} missing")


def values(vm: str, gfn: int, count: int) -> None:
    """Each store, and what was stored."""
    with track(vm, gfn) as session:
        show(read(session, count))


def overflow(vm: str, gfn: int, count: int) -> None:
    """What is left of a ring that is too small."""
    with track(vm, gfn, 64) as session:
        sys.stdin.readline()
        events = list(session.events())
        pages = [found.gfn for found in session.resync()]
        print(events[-1].type == EventType.RESYNC, len(events) < count,
              pages == [gfn], session.get_status().overflows)


def close(vm: str, gfn: int, count: int) -> None:
    """A thread that sleeps for events is woken by another that closes."""
    session = track(vm, gfn)
    said: list[str] = []

    def iterate() -> None:
        try:
            said.append(f"ended after {sum(1 for _ in session)}")
        except ValueError as error:
            said.append(str(error))

    thread = threading.Thread(target=iterate)
    thread.start()
    sys.stdin.readline()
    session.close()
    thread.join(20)
    print(said)


def hand_over(vm: str, gfn: int, count: int) -> None:
    """Another process reads on."""
    ours, theirs = socket.socketpair()
    program = [sys.executable, __file__, "receive", vm, str(gfn), str(count)]
    with subprocess.Popen(program, stdin=theirs.fileno()) as child:
        with track(vm, gfn) as session:
            read(session, count // 2)
            socket.send_fds(ours, [b"session"], [session.fileno()])
        child.wait()


def receive(vm: str, gfn: int, count: int) -> None:
    """Is the other process."""
    with socket.socket(fileno=0) as channel:
        _, (fd,), _, _ = socket.recv_fds(channel, 16, 1)
    with Session.open_fd(fd) as session:
        show(read(session, count - count // 2))


WAYS = {"values": values, "overflow": overflow, "close": close,
        "pass": hand_over, "receive": receive}

if __name__ == "__main__":
    WAYS[sys.argv[1]](sys.argv[2], int(sys.argv[3], 0), int(sys.argv[4]))
