# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: tap.py MODULE

Runs the cases of a module and prints TAP.
"""

from __future__ import annotations

import sys
import unittest
from typing import Any


class TapResult(unittest.TestResult):
    """A line for each case."""

    def _say(self, ok: str, test: unittest.TestCase) -> None:
        name = getattr(test, "_testMethodName", str(test))
        what = name.removeprefix("test_").replace("_", " ")
        print(f"{ok} {self.testsRun} - {what}", flush=True)

    def _fail(self, test: unittest.TestCase, err: Any) -> None:
        self._say("not ok", test)
        for line in self._exc_info_to_string(err, test).splitlines():  # type: ignore[attr-defined]
            print("#", line)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._say("ok", test)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._fail(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._fail(test, err)

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any
    ) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fail(test, err)


def main() -> int:
    """Its exit status."""
    suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
    result = TapResult()
    suite.run(result)
    print(f"1..{result.testsRun}")
    return 0 if result.wasSuccessful() and result.testsRun else 1


sys.exit(main())
