"""Their exceptions and ours: what socket, TLS and trio raise, as the httpx exception of the phase it happened in.

Searched in order: `ssl.SSLError` and `socket.gaierror` are kinds of `OSError` and need no row of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import trio

Faults = Mapping[type[Exception], type[httpx.TransportError]]
"""What is raised below -> what we raise instead."""

CONNECT: Faults = {
    trio.TooSlowError: httpx.ConnectTimeout,
    OSError: httpx.ConnectError,
    trio.BrokenResourceError: httpx.ConnectError,
    trio.ClosedResourceError: httpx.ConnectError,
}
"""While connecting and shaking hands."""

WRITE: Faults = {
    trio.TooSlowError: httpx.WriteTimeout,
    OSError: httpx.WriteError,
    trio.ClosedResourceError: httpx.WriteError,
}
"""While sending a request."""

READ: Faults = {
    trio.TooSlowError: httpx.ReadTimeout,
    OSError: httpx.ReadError,
    trio.ClosedResourceError: httpx.ReadError,
}
"""While reading a response."""


class UnansweredError(httpx.RemoteProtocolError):
    """The peer closed the connection before the first byte of a response: on a reused one, a race it lost."""


@contextmanager
def guarded(faults: Faults, seconds: float | None = None) -> Iterator[None]:
    """Give up after so many seconds, if any, and raise our exception for theirs; the original stays as the cause.

    Not for the reads of a body: a scope for each of them costs more than the read.
    """
    try:
        if seconds is None:
            yield
        else:
            with trio.move_on_after(seconds) as scope:
                yield
            if scope.cancelled_caught:
                raise trio.TooSlowError
    except tuple(faults) as error:
        raise as_ours(error, faults) from error


def as_ours(error: Exception, faults: Faults) -> httpx.TransportError:
    """Make our exception for theirs, with their message: that of the system, which holds no content."""
    kind = next(ours for theirs, ours in faults.items() if isinstance(error, theirs))
    return kind(str(error) or type(error).__name__)
