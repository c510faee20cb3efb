"""Handshakes of TLS that are under way: bounded in time and in number, for each holds memory before anybody has asked.

Whoever means it is done in some milliseconds. So when there are too many, the oldest gives way: a flood of those that
never end has to come faster than clients answer to be in anybody's way, and none of it is refused work that was begun.
"""

from __future__ import annotations

from typing import Protocol

import trio

MOST_HANDSHAKES = 512
"""Handshakes at once, of 50 KB each, as measured."""


class Securing(Protocol):
    """A connection whose TLS begins."""

    async def do_handshake(self) -> None:
        """Agree on keys with the client; waits for what it says."""
        ...


class Handshakes:
    """The handshakes of one server.

    Args:
        most: how many there may be at once.
    """

    def __init__(self, most: int = MOST_HANDSHAKES) -> None:
        self._most = most
        self._open: dict[trio.CancelScope, None] = {}

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._open)

    async def shake(self, stream: Securing, patience: float) -> bool:
        """Do one; return whether that came to an end, or else the connection is of no more use.

        Waits for the client, `patience` seconds in all, however it cuts what it says, and no longer than until too many
        others have come. May be cancelled.
        """
        if len(self._open) >= self._most:
            oldest = next(iter(self._open))
            del self._open[oldest]  # it is about to end, and counts no more
            oldest.cancel()
        with trio.move_on_after(patience) as scope:
            self._open[scope] = None
            try:
                await stream.do_handshake()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return False
            finally:
                self._open.pop(scope, None)
        return not scope.cancelled_caught
