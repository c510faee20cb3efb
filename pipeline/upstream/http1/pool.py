"""The pool: idle connections by origin, newest first.

Take and give cost the same with a thousand idle connections as with one. Within an origin connections lie in the order
in which they became idle, so whatever has expired lies together at the old end: each connection is looked at once when
it comes and once when it goes, and there is never a scan. (A scan is what makes a large pool of httpcore slow.)
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import attrs
import httpx
import trio

from pipeline.upstream.http1.streams import Wire

_BREATH = 0.1  # seconds between two looks at least

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom a connection leads to: scheme, host and port.

    A named tuple: it is a key for every request, and a tuple is hashed in C.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        """Take the origin of a URL; international names are in their ASCII form.

        Raises:
            httpx.UnsupportedProtocol: The URL is neither http nor https, or has no host.
        """
        default = _PORTS.get(url.scheme)
        if default is None or not url.raw_host:
            raise httpx.UnsupportedProtocol("the upstream's URL must begin with http:// or https:// and name a host")
        return cls(url.scheme, url.raw_host.decode("ascii"), url.port or default)


@attrs.define(eq=False)
class Connection:
    """A wire to an origin.

    `idle_since` is the time, on trio's clock, at which it was last given back; `used`: it has carried an exchange.
    """

    origin: Origin
    wire: Wire
    idle_since: float = 0.0
    used: bool = False


@attrs.frozen
class Statistics:
    """How many connections there are, now: `idle`, and `in_use`."""

    idle: int
    in_use: int

    @property
    def open(self) -> int:
        """All of them."""
        return self.idle + self.in_use


class Pool:
    """Connections in use, of any number, and idle ones, up to `max_idle`, each for at most `expiry` seconds."""

    def __init__(self, *, max_idle: int, expiry: float) -> None:
        self._max_idle = max_idle
        self._expiry = expiry
        self._stacks: dict[Origin, deque[Connection]] = {}
        self._idle = 0
        self._in_use: set[Connection] = set()
        self._closed = False

    @property
    def statistics(self) -> Statistics:
        """Count connections."""
        return Statistics(idle=self._idle, in_use=len(self._in_use))

    def take(self, origin: Origin) -> Connection | None:
        """Take the connection that was used last and still works; None if there is none."""
        stack = self._stacks.get(origin)
        if stack is None:
            return None
        self._expire(stack)
        while stack:
            connection = stack.pop()  # the newest: it is the least likely to be closed by its peer this very moment
            self._idle -= 1
            if not connection.wire.stale:
                self._in_use.add(connection)
                return connection
            connection.wire.close()
        del self._stacks[origin]
        return None

    def adopt(self, connection: Connection) -> None:
        """Count a new connection as in use; one made while the pool was closing is closed with it.

        Raises:
            trio.ClosedResourceError: The pool is closed.
        """
        if self._closed:
            connection.wire.close()
            raise trio.ClosedResourceError("the transport is closed")
        self._in_use.add(connection)

    def give(self, connection: Connection) -> None:
        """Take back a connection whose exchange is over on both sides."""
        # Only who is in use: whatever was dropped or swept away by `close` must not come back.
        if connection not in self._in_use:
            return
        self._in_use.remove(connection)
        connection.idle_since = trio.current_time()
        connection.used = True
        stack = self._stacks.setdefault(connection.origin, deque())
        stack.append(connection)
        self._idle += 1
        self._expire(stack)
        if self._idle > self._max_idle:
            self._discard_oldest(stack)

    def drop(self, connection: Connection) -> None:
        """Close a connection at once. May be repeated."""
        self._in_use.discard(connection)
        connection.wire.close()

    async def close_idle(self) -> None:
        """Close connections as their time comes, for ever: peers need not hold what nobody will use again.

        Waits from one such time to the next; cancelled, those that are open stay so.
        """
        while True:
            self.expire()
            oldest = min((stack[0].idle_since for stack in self._stacks.values() if stack), default=None)
            until = self._expiry if oldest is None else oldest + self._expiry - trio.current_time()
            await trio.sleep(max(until, _BREATH))

    def expire(self) -> None:
        """Close what has been idle too long."""
        for origin, stack in list(self._stacks.items()):
            self._expire(stack)
            if not stack:
                del self._stacks[origin]

    def close(self) -> None:
        """Close everything, also what is in use: whoever reads there gets an error."""
        self._closed = True
        for connection in self._in_use:
            connection.wire.close()
        for stack in self._stacks.values():
            for connection in stack:
                connection.wire.close()
        self._in_use.clear()
        self._stacks.clear()
        self._idle = 0

    def _expire(self, stack: deque[Connection]) -> None:
        """Close what has been idle too long: it lies at the left end, oldest first."""
        oldest_allowed = trio.current_time() - self._expiry
        while stack and stack[0].idle_since < oldest_allowed:
            self._discard_oldest(stack)

    def _discard_oldest(self, stack: deque[Connection]) -> None:
        stack.popleft().wire.close()
        self._idle -= 1
