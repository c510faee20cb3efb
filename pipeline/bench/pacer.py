"""Writes the deltas of all paced streams from one task: a task and a deadline each would cost more than the server."""

from __future__ import annotations

import heapq
import socket
from collections.abc import Iterator

import attrs
import trio

TICK = 0.001
"""Seconds between two looks at what is due."""

RETRY = 0.01
"""Seconds until a socket that had no room is tried again."""


@attrs.define(order=False)
class _Stream:
    connected: socket.socket
    pieces: Iterator[bytes]
    gap: float
    rest: bytes = b""
    over: trio.Event = attrs.field(factory=trio.Event)
    broken: bool = False


class Pacer:
    """The one task; `run` it in a nursery, and `play` from any other."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, _Stream]] = []
        self._played = 0
        self._more = trio.Event()

    async def play(self, connected: socket.socket, pieces: Iterator[bytes], rate: float) -> bool:
        """Write one piece after another, `rate` a second, each in a write of its own; False if the reader has left.

        Waits until `run` has written all. Cancelled, the pieces go on being written until the socket is closed.
        """
        stream = _Stream(connected, pieces, 1 / rate)
        self._played += 1  # makes entries of the same moment comparable
        heapq.heappush(self._due, (trio.current_time(), self._played, stream))
        self._more.set()
        await stream.over.wait()
        return not stream.broken

    async def run(self) -> None:
        """Write what is due, until cancelled; waits for a stream, and then from tick to tick."""
        while True:
            if not self._due:
                self._more = trio.Event()
                await self._more.wait()
            now = trio.current_time()
            while self._due and self._due[0][0] <= now:
                due, number, stream = heapq.heappop(self._due)
                wait = self._write(stream)
                if wait is None:
                    stream.over.set()
                else:
                    heapq.heappush(self._due, (due + wait, number, stream))
            await trio.sleep(TICK)

    def _write(self, stream: _Stream) -> float | None:
        """Write one piece, or what is left of it; return the seconds until the next, None when there is none."""
        piece = stream.rest or next(stream.pieces, b"")
        if not piece:
            return None
        try:
            sent = stream.connected.send(piece)
        except BlockingIOError:
            sent = 0
        except OSError:
            stream.broken = True
            return None
        stream.rest = piece[sent:]
        return RETRY if stream.rest else stream.gap
