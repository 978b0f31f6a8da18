#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: batch.py VM GFN NR_PAGES SECONDS

How often a guest stores to each of some pages, by the batch; ends early with
the VM. With numpy the same is

    array = numpy.frombuffer(batch, numpy.dtype(wtrack.RECORD_DTYPE))
    numpy.unique(array["gpa"] >> 12, return_counts=True)
"""

import struct
import sys
import time
from collections import Counter
from contextlib import suppress

import wtrack
from wtrack import EventType, Session

TYPE = wtrack.RECORD_FIELDS.index("type")
FLAGS = wtrack.RECORD_FIELDS.index("flags")
GPA = wtrack.RECORD_FIELDS.index("gpa")


def count(batch: bytes, pages: Counter[int]) -> None:
    """The stores of a batch; of one in parts the last."""
    for record in struct.iter_unpack(wtrack.RECORD_FORMAT, memoryview(batch)):
        if record[TYPE] == EventType.WRITE:
            if not record[FLAGS] & wtrack.RECORD_MORE:
                pages[record[GPA] >> 12] += 1


def main(vm: str, gfn: int, nr_pages: int, seconds: float) -> None:
    """Prints a line for each page."""
    pages: Counter[int] = Counter()
    missed = 0
    with Session.open_daemon(vm) as session:
        # Woken for 512 events, or when one has waited for 10 ms.
        session.make_ring(4096, watermark=512, latency_us=10000)
        session.add([(gfn, nr_pages)])
        print("ready", flush=True)
        end = time.monotonic() + seconds
        with suppress(wtrack.GoneError):
            while (left := end - time.monotonic()) > 0 and session.wait(left):
                count(session.read_batch(), pages)
                missed += sum(found.nr_pages for found in session.resync())
    for page, stores in sorted(pages.items()):
        print(f"{page:#x} {stores}")
    print(f"{missed} pages were written to too often at a time")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2], 0), int(sys.argv[3]), float(sys.argv[4]))
