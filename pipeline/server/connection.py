"""The connection actor: one client's plain HTTP/1.1 connection, from its first byte to its last.

One task, which is also the task of each of its requests. They are served one after another, also where a client sends
several at once: what comes too early waits, bounded, and the client's window closes behind it.
"""

from __future__ import annotations

import socket
from typing import Any

import attrs
import trio

from pipeline.server.client_socket import ClientSocket
from pipeline.server.cycle import AsgiApp, Cycle, scope_of
from pipeline.server.head import Head, HeadParser
from pipeline.server.refusal import CROWDED, SILENT, Refusal
from pipeline.server.response import Response

REFUSED_LINGER = 2.0
"""Seconds that a refused client has to stop sending and to read why it was refused."""

REFUSED_LINGER_BYTES = 2**20
"""Bytes that are read and dropped meanwhile."""


UNFINISHED_HEADS = 32 * 2**20
"""Bytes of heads that have begun and not ended, of all connections; who sends in pieces beyond that is refused."""


@attrs.define
class Terms:
    """What the server grants its clients, and what they use of it together. Times are seconds.

    Attributes:
        head_bytes: bytes that the head of a request may have.
        head_patience: from the first byte of a head to its last.
        idle_patience: between two requests, and before the first.
        write_patience: between two writes that succeed.
        unfinished: bytes of heads that have begun and not ended.
        closing: whether the server is about to end, so that connections end with the request that they serve.
    """

    head_bytes: int = 65_536
    head_patience: float = 30.0
    idle_patience: float = 120.0
    write_patience: float = 60.0
    unfinished: int = 0
    closing: bool = False


class ClientConnection:
    """A client's connection.

    Args:
        connected: its socket, non-blocking; this owns it now.
        app: answers its requests.
        terms: what the server grants.
        state: the lifespan's state; each request gets a copy.
    """

    def __init__(self, connected: socket.socket, app: AsgiApp, terms: Terms, state: dict[str, Any]) -> None:
        self._client = ClientSocket(connected, terms.write_patience)
        self._app = app
        self._terms = terms
        self._state = state
        self._ends = _address(connected.getpeername), _address(connected.getsockname)
        self._waiting: trio.CancelScope | None = None
        self._last = False

    async def run(self) -> None:
        """Serve requests until the client leaves, is refused, or rests too long; the socket is closed at the end.

        Cancelled, it cuts what it is doing and aborts the socket.
        """
        try:
            rest = b""
            while not self._client.gone:
                head, rest = await self._next(rest)
                if head is None:
                    break
                if isinstance(head, Refusal):
                    await self._refuse(head)
                    break
                cycle, rest = Cycle(head, self._client, rest, self._terms), b""  # not to be held while it is answered
                if not await cycle.run(self._app, scope_of(head, *self._ends, self._state.copy())):
                    if cycle.crowded:
                        await self._linger()
                    break
                rest = cycle.rest
                await trio.lowlevel.checkpoint()  # who sends requests without end waits for others between two
            self._client.close()
        finally:
            self._client.abort()  # where it was not closed above

    def rest_no_longer(self) -> None:
        """Wait for no further request: close the connection now if it does, else behind the one that it serves."""
        self._last = True
        if self._waiting is not None:
            self._waiting.cancel()

    def abort(self) -> None:
        """Close at once, whatever is going on; the peer gets a reset."""
        self._client.abort()

    async def _next(self, rest: bytes) -> tuple[Head | Refusal | None, bytes]:
        """Read the next head; None when the client has left or rested too long.

        Nearly every head comes in one read, and needs no deadline then.
        """
        parser = HeadParser(self._terms.head_bytes)
        data = rest or await self._first_bytes()
        head, rest = parser.feed(data) if data else (None, b"")
        if head is not None or not data:
            return head, rest
        return await self._rest_of(parser, len(data))

    async def _rest_of(self, parser: HeadParser, size: int) -> tuple[Head | Refusal | None, bytes]:
        """Read on in a head of which so many bytes have come, within its time and the room of all such heads."""
        terms, head, rest = self._terms, None, b""
        terms.unfinished += size
        try:
            with trio.move_on_after(terms.head_patience):
                while head is None:
                    if terms.unfinished > UNFINISHED_HEADS:
                        return CROWDED, b""
                    if not (data := await self._client.receive()):
                        break
                    terms.unfinished += len(data)
                    size += len(data)
                    head, rest = parser.feed(data)
                return head, rest
        finally:
            terms.unfinished -= size
        return (None if parser.empty else SILENT), b""

    async def _first_bytes(self) -> bytes:
        if self._last:
            return b""
        if (data := self._client.receive_now()) is not None:
            return data  # it costs no deadline, as for most new clients
        data = b""
        # Cancelled by its deadline or by `rest_no_longer`, it has read nothing: that is the end of a client at rest.
        self._waiting = trio.CancelScope(deadline=trio.current_time() + self._terms.idle_patience)
        with self._waiting:
            data = await self._client.receive()
        self._waiting = None
        return data

    async def _refuse(self, refusal: Refusal) -> None:
        """Say why, and that nothing more will be said."""
        headers, body = refusal.answer()
        response = Response("1.1", bodiless=False)
        response.start(refusal.status, headers, keep_alive=False)
        await self._client.send(response.body(body, more=False))
        await self._linger()

    async def _linger(self) -> None:
        """Read on for a while: a socket that is closed with bytes unread takes its last words back."""
        self._client.shut()
        left = REFUSED_LINGER_BYTES
        with trio.move_on_after(REFUSED_LINGER):
            while left > 0 and (data := await self._client.receive()):
                left -= len(data)


@attrs.frozen
class OwnConnections:
    """The connections of one server, all of them ours.

    Attributes:
        app: answers their requests.
        terms: what the server grants.
        state: the lifespan's state.
    """

    app: AsgiApp
    terms: Terms
    state: dict[str, Any]

    def make(self, connected: socket.socket) -> ClientConnection:
        """Make a connection of a client's socket."""
        return ClientConnection(connected, self.app, self.terms, self.state)

    async def end(self, *, late: bool = False) -> None:
        """Do nothing, and wait for nothing: each connection is told by itself, and looks at the terms."""


def _address(ask: Any) -> tuple[str, int] | None:
    """Return host and port of one end; None for a socket that has none, or has lost it."""
    try:
        name = ask()
    except OSError:
        return None
    return (name[0], name[1]) if isinstance(name, tuple) else None
