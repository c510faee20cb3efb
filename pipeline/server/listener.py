"""The accept loop: takes several connections in each turn of the scheduler, and no more than streams can bear.

Whoever is accepted does his first work together with the others, and is refused there when too many come: half a
millisecond each. So a flood of connections waits in the system's queue, and what is served goes on in between.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import trio

ACCEPTS_AT_ONCE = 16
"""Connections taken before others get their turn: some ten milliseconds of work."""

_FULL = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
# The system has no room for another connection: those that wait keep waiting.

_PAUSE = 0.1  # seconds until it may have some


async def accept_all(listener: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
    """Accept connections for ever; cancelled, it stops between two of them.

    Args:
        listener: a listening, non-blocking socket.
        accepted: takes a connected, non-blocking socket, and owns it.
    """
    while True:
        await trio.lowlevel.wait_readable(listener)
        if not _accept_some(listener, accepted):
            await trio.sleep(_PAUSE)


def _accept_some(listener: socket.socket, accepted: Callable[[socket.socket], None]) -> bool:
    """Accept what waits; False when the system is full."""
    for _ in range(ACCEPTS_AT_ONCE):
        try:
            connected, _ = listener.accept()
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno in _FULL:
                return False
            continue  # this client has left already, or its network broke (accept(2))
        connected.settimeout(0)  # non-blocking
        if connected.family in (socket.AF_INET, socket.AF_INET6):
            # An event leaves at once, not when the one before it was acknowledged.
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted(connected)
    return True
