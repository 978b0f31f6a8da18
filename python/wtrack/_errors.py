# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the module raises."""

from __future__ import annotations

import errno

from ._records import ReadResult, Result


class Error(OSError):
    """What a function of libwtrack returned: errno, and strerror with the
    library's text, which says what to do next. For a session that wtrackd
    refused, the daemon's answer follows the text.
    """

    __module__ = "wtrack"

    #: What the daemon answered when it refused, or None.
    message: str | None = None
    #: Of add, remove and remove_fenced: what became of each range, or None.
    results: list[Result] | None = None
    #: Of remove_fenced: no event of the removed pages has a higher number.
    #: None when it went no further than the reason, or the fence failed.
    seq: int | None = None
    #: Of read and read_into: how far it came, or None.
    read: ReadResult | None = None


class RefusedError(Error, PermissionError):
    """It is not allowed (EACCES, EPERM)."""

    __module__ = "wtrack"


class GoneError(Error, ProcessLookupError):
    """There is no such VM or process, or it is gone (ESRCH)."""

    __module__ = "wtrack"


class EndedError(Error, BrokenPipeError):
    """An administrator has ended the session (ESHUTDOWN)."""

    __module__ = "wtrack"


_CLASSES: dict[int, type[Error]] = {
    errno.EACCES: RefusedError,
    errno.EPERM: RefusedError,
    errno.ESHUTDOWN: EndedError,
    errno.ESRCH: GoneError,
}


def make_error(err: int, text: str, message: str | None = None) -> Error:
    """The exception for a positive errno."""
    whole = text if message is None else f"{text}: {message}"
    error = _CLASSES.get(err, Error)(err, whole)
    error.message = message
    return error
