# SPDX-License-Identifier: GPL-2.0-or-later
"""The package against the library's headers, and its documentation."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator
from enum import IntEnum, IntFlag
from pathlib import Path

import wtrack

TOP = Path(os.environ["TOP"])
HEADERS = "".join(
    path.read_text() for path in sorted((TOP / "include/wtrack").glob("*.h"))
)
MAP = (TOP / "libwtrack/libwtrack.map").read_text()
EXTENSION = wtrack._wtrack.__file__

#: Functions that the extension does without.
NOT_CALLED = {
    "wtrack_event_get_gfn": "Event.gfn is Event.gpa / 4096",
    "wtrack_session_open_daemon": "wtrack_request_new() can be interrupted",
    "wtrack_session_open_daemon_pid": "as above",
    "wtrack_session_open_daemon_restricted": "as above",
}
#: Numbers that are not in the package.
NOT_HERE = {
    "WTRACK_GFN_END": "Session.query() is an iterator",
    "WTRACK_OPEN_INTERACTIVE": "Session.open_daemon() has an argument",
    "WTRACK_CHANGE_NOWAIT": "Session.add() has an argument",
    "WTRACK_CHANGE_SKIP_HOLES": "as above",
    "WTRACK_CHANGE_INTR": "signals are handled between pieces of a change",
    "WTRACK_READ_INTR": "signals are handled when they interrupt a read",
    "WTRACK_READ_NOFAULT": "Session.read() has an argument",
}


def called() -> set[str]:
    """The library's functions that the extension calls."""
    symbols = subprocess.run(
        ["nm", "-D", "-u", EXTENSION], check=True, capture_output=True, text=True
    ).stdout
    return set(re.findall(r"\b(wtrack_\w+)", symbols))


def fields(name: str) -> list[str]:
    """Of a public struct."""
    found = re.search(rf"\nstruct {name} {{(.*?)}};", HEADERS, re.S)
    assert found
    names = re.findall(r"(\w+);", found[1])
    return [name for name in names if name != "reserved"]


def docs(thing: object) -> Iterator[tuple[str, str | None]]:
    """Of a class or function, and of all that a class has made public."""
    if not inspect.isclass(thing):
        if inspect.isfunction(thing):
            yield "", thing.__doc__
        return
    yield "", vars(thing).get("__doc__")
    for member, value in vars(thing).items():
        value = getattr(value, "__func__", value)
        if member.startswith("_") or not hasattr(value, "__get__"):
            continue
        yield member, value.__doc__


class Library(unittest.TestCase):
    def test_each_function_is_called_or_explained(self) -> None:
        exported = set(re.findall(r"^\t(wtrack_\w+);$", MAP, re.M))
        self.assertGreater(len(exported), 40)
        self.assertEqual(exported - called(), set(NOT_CALLED))

    def test_each_function_has_the_name_of_a_method(self) -> None:
        names = {"get_fd": "fileno", "regions_next": "regions"}
        for symbol in re.findall(r"^\twtrack_session_(\w+);$", MAP, re.M):
            self.assertTrue(
                hasattr(wtrack.Session, names.get(symbol, symbol)), symbol
            )
        for symbol in re.findall(r"^\twtrack_mirror_(\w+);$", MAP, re.M):
            self.assertTrue(
                hasattr(wtrack.Mirror, {"new": "__init__"}.get(
                    symbol, names.get(symbol, symbol)
                )), symbol
            )
        for symbol in re.findall(r"^\twtrack_event_(\w+);$", MAP, re.M):
            name = symbol.removeprefix("get_")
            self.assertTrue(hasattr(wtrack.Event, name), symbol)

    def test_each_number_is_in_an_enumeration_or_explained(self) -> None:
        defined = set(re.findall(r"#define (WTRACK_\w+)[ \t]+\S", HEADERS))
        prefixes: dict[type[IntEnum] | type[IntFlag], str] = {
            wtrack.EventType: "EVENT", wtrack.Guard: "GUARD",
            wtrack.Cause: "CAUSE", wtrack.Feature: "FEAT",
            wtrack.RingFlag: "RING", wtrack.GfnState: "GFN",
            wtrack.Right: "RIGHT",
            wtrack.Resync: "RESYNC", wtrack.State: "STATE",
            wtrack.RegionFlag: "REGION",
            wtrack.MirrorState: "MIRROR", wtrack.Changed: "CHANGED",
        }
        here = {
            f"WTRACK_{prefix}_{name}": int(value)
            for kind, prefix in prefixes.items()
            for name, value in kind.__members__.items()
        }
        self.assertEqual(defined - set(here), set(NOT_HERE))
        for name, value in here.items():
            self.assertEqual(
                value, getattr(wtrack._wtrack, name.removeprefix("WTRACK_"))
            )

    def test_structs_have_the_fields_of_the_library(self) -> None:
        structs = {
            "wtrack_info": wtrack.Info,
            "wtrack_status": wtrack.Status,
            "wtrack_range": wtrack.Range,
            "wtrack_result": wtrack.Result,
            "wtrack_resync_range": wtrack.ResyncRange,
            "wtrack_read": wtrack.ReadResult,
            "wtrack_region": wtrack.Region,
            "wtrack_change": wtrack.Change,
            "wtrack_mirror_status": wtrack.MirrorStatus,
        }
        for name, here in structs.items():
            self.assertEqual(list(getattr(here, "_fields")), fields(name), name)

    def test_a_restriction_has_all_its_limits(self) -> None:
        limits = list(inspect.signature(wtrack.Session.restrict).parameters)
        wanted = [name for name in fields("wtrack_restriction")
                  if name != "nr_ranges"]
        self.assertEqual(limits[1:], wanted)


class Package(unittest.TestCase):
    def test_all_is_there(self) -> None:
        for name in wtrack.__all__:
            self.assertTrue(hasattr(wtrack, name), name)

    def test_all_has_a_docstring(self) -> None:
        lacking = [
            f"{name}.{member}"
            for name in wtrack.__all__
            for member, doc in docs(getattr(wtrack, name))
            if not doc
        ]
        self.assertEqual(lacking, [])

    def test_it_keeps_to_the_stable_abi(self) -> None:
        self.assertTrue(EXTENSION.endswith(".abi3.so"), EXTENSION)
        source = (TOP / "python/src/binding.h").read_text()
        self.assertIn("#define Py_LIMITED_API 0x030b0000", source)

    def test_it_can_be_imported_by_several_interpreters(self) -> None:
        program = (
            "import _xxsubinterpreters as i\n"
            "import wtrack\n"
            "for _ in range(3):\n"
            "    other = i.create()\n"
            "    i.run_string(other, 'import wtrack; '\n"
            "        'assert wtrack.strerror(1)')\n"
            "    i.destroy(other)\n"
            "assert wtrack.strerror(1)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)
