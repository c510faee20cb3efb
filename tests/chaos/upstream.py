"""An upstream on a real socket that does to each answer what its plan says."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import trio

from pipeline.bench import sockets
from pipeline.bench.http import HttpMessage, chunk
from pipeline.server.client_socket import reset_on_close
from tests.chaos.plans import Plan

HUGE = 2 * 2**20
"""Bytes of an event that is larger than the limit of a run's server."""

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_UNKNOWN = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_LAST = chunk(b"")


class Cut(Exception):
    """The connection is to be closed here."""


@attrs.define
class Chaos:
    """The upstream.

    Attributes:
        url: its base URL.
        open: connections that are open now.
        asked: requests with a plan that it has heard.
    """

    url: str
    open: int = 0
    asked: int = 0
    _waiting: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def heard(self, count: int) -> None:
        """Wait until it has heard so many requests with a plan."""
        while self.asked < count:
            await self._waiting.park()

    async def serve(self, connected: socket.socket) -> None:
        """Serve one connection until its peer leaves, or a fault ends it."""
        self.open += 1
        with connected, contextlib.suppress(OSError, Cut):
            while body := await _request(connected):
                plan = Plan.found_in(body)
                if plan is None:
                    await sockets.send(connected, _UNKNOWN)
                else:
                    self.asked += 1
                    self._waiting.unpark_all()
                    await _answer(connected, plan)
        self.open -= 1


async def _request(connected: socket.socket) -> bytes:
    """Wait for the next request; empty when the peer has left."""
    message = HttpMessage()
    while not message.complete:
        data = await sockets.receive(connected)
        if not data:
            return b""
        message.add(data)
    return message.head + message.body


async def _answer(connected: socket.socket, plan: Plan) -> None:
    fault = FAULTS[plan.fault]
    if plan.fault in HEADLESS:
        await fault(connected)
        return
    await sockets.send(connected, _HEAD + plan.begin())
    for at, event in enumerate(plan.events()):
        if at == plan.at:
            await fault(connected)
        if plan.gap:
            await _pause(connected, plan.gap)
        await sockets.send(connected, event)
    await sockets.send(connected, plan.end() + _LAST)


async def _pause(connected: socket.socket, seconds: float) -> None:
    """Let time pass, and notice a peer that leaves meanwhile."""
    with trio.move_on_after(seconds):
        await trio.lowlevel.wait_readable(connected)
        if not connected.recv(1):
            raise Cut


async def _none(_: socket.socket) -> None:
    """Nothing goes wrong."""


async def _cut(_: socket.socket) -> None:
    raise Cut


async def _reset(connected: socket.socket) -> None:
    reset_on_close(connected)
    raise Cut


async def _stall(connected: socket.socket) -> None:
    await sockets.receive(connected)
    raise Cut


async def _no_chunk(connected: socket.socket) -> None:
    await sockets.send(connected, b"\x00\xffno chunk\r\n" * 50)


async def _no_json(connected: socket.socket) -> None:
    await sockets.send(connected, chunk(b'event: response.output_text.delta\ndata: {"type": "resp\xff\n\n'))


async def _other_json(connected: socket.socket) -> None:
    """Events of the API with values of the wrong types, which are passed over, and one that nobody knows."""
    await sockets.send(connected, chunk(b'data: {"type": "response.output_text.delta", "delta": 7}\n\n'))
    await sockets.send(connected, chunk(b'data: {"type": "response.chaos", "item": [[[1e999]]]}\n\n'))


async def _dribble(connected: socket.socket) -> None:
    """An event of which each byte comes alone."""
    for byte in chunk(b": " + b"slow" * 20 + b"\n\n"):
        await sockets.send(connected, bytes((byte,)))
        await trio.sleep(0.002)


async def _huge(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        await sockets.send(connected, chunk(b"data: " + b"x" * HUGE + b"\n\n"))


async def _failed(connected: socket.socket) -> None:
    error = b'{"code": "server_error", "message": "It broke."}'
    said = b'data: {"type": "response.failed", "response": {"status": "failed", "error": %b}}\n\n' % error
    await sockets.send(connected, chunk(said) + _LAST)
    raise Cut


def _refusing(status: bytes, body: bytes) -> Callable[[socket.socket], Awaitable[None]]:
    async def refuse(connected: socket.socket) -> None:
        await sockets.send(connected, b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))

    return refuse


FAULTS: dict[str, Callable[[socket.socket], Awaitable[None]]] = {
    "none": _none,
    "cut": _cut,
    "reset": _reset,
    "stall": _stall,
    "no_chunk": _no_chunk,
    "no_json": _no_json,
    "other_json": _other_json,
    "dribble": _dribble,
    "huge": _huge,
    "failed": _failed,
    "closed": _cut,
    "silent": _stall,
    "page": _refusing(b"502 Bad Gateway", b"<html>bad gateway</html>"),
    "limited": _refusing(b"429 Too Many Requests", b'{"error": {"code": "rate_limit_exceeded", "message": "Slow."}}'),
    "no_http": lambda connected: sockets.send(connected, b"\x15\x03\x01\x00\x02\x02\x46" * 10),
}
"""What may happen upstream, by its name in a plan."""

HEADLESS = {"closed", "silent", "page", "limited", "no_http"}
"""What happens before anything is answered."""


@asynccontextmanager
async def chaotic_upstream() -> AsyncIterator[Chaos]:
    """Serve on a free port until the block is left."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        listener.settimeout(0)
        chaos = Chaos(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_accept, listener, chaos, nursery)
            yield chaos
            nursery.cancel_scope.cancel()


async def _accept(listener: socket.socket, chaos: Chaos, nursery: trio.Nursery) -> None:
    while True:
        await trio.lowlevel.wait_readable(listener)
        with contextlib.suppress(BlockingIOError):
            connected, _ = listener.accept()
            connected.settimeout(0)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            nursery.start_soon(chaos.serve, connected)
