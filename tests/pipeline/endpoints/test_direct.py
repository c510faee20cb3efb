"""The shorter way for the pieces of a stream: the same bytes as hypercorn's own, also when the socket is full."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import h11
import pytest
import trio
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

from pipeline.endpoints import direct
from pipeline.endpoints.direct import direct_write
from tests.support.waiting import TIMEOUT

Body = Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]
"""An application that is handed the way to write."""

REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n"


class _Server:
    """A real hypercorn connection over a pair of sockets, whose application streams what a test says."""

    def __init__(self, body: Body, *, slowly: bool = False) -> None:
        self.found: list[bool] = []
        self._body = body
        self._slowly = slowly

    async def app(self, scope: Any, _receive: Any, send: Any, *_: Any) -> None:
        """Send head, pieces and end; the pieces by the direct way if there is one."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        write = None if self._slowly else direct_write(send, scope["http_version"])
        self.found.append(write is not None)

        async def slowly(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        await self._body(write or slowly)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[trio.SocketStream]:
        """Serve one connection, and give the client's end."""
        ours, theirs = trio.socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        config = Config()
        config.keep_alive_timeout = 1e9
        stream: Any = trio.SocketStream(theirs)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(TCPServer(self.app, config, WorkerContext(None), {}, stream).run)  # type: ignore[arg-type]
            with theirs:  # hypercorn does not come to close it when it is cancelled
                async with trio.SocketStream(ours) as client:
                    yield client
                nursery.cancel_scope.cancel()


async def _read(client: trio.SocketStream) -> tuple[int, list[bytes]]:
    """Read one response with another implementation of HTTP; return its status and the pieces of its body."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "here"), ("content-length", "0")]))
    status, pieces = 0, []
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await client.receive_some(65_536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
        else:
            return status, pieces


async def _exchange(body: Body, *, slowly: bool = False) -> tuple[bool, int, bytes]:
    server = _Server(body, slowly=slowly)
    async with server.connection() as client:
        await client.send_all(REQUEST)
        status, pieces = await _read(client)
    return server.found[0], status, b"".join(pieces)


async def _three(write: Callable[[bytes], Awaitable[None]]) -> None:
    for piece in (b"event: a\n\n", "é🙂".encode(), b"x" * 300):
        await write(piece)


@pytest.mark.parametrize("slowly", [True, False])
async def test_both_ways_say_the_same(slowly: bool) -> None:
    """A client cannot tell which way was taken; with the hypercorn that is installed it is the direct one."""
    assert await _exchange(_three, slowly=slowly) == (
        not slowly,
        200,
        b"event: a\n\n\xc3\xa9\xf0\x9f\x99\x82" + b"x" * 300,
    )


async def test_a_full_socket_loses_nothing() -> None:
    """What the socket does not take goes hypercorn's own way, in order."""
    pieces = [bytes([65 + n % 26]) * 50_000 for n in range(20)]

    async def many(write: Callable[[bytes], Awaitable[None]]) -> None:
        for piece in pieces:
            await write(piece)

    assert await _exchange(many) == (True, 200, b"".join(pieces))


async def test_writers_take_turns() -> None:
    """While hypercorn still sends what was left of one piece, the next one waits behind it."""
    big, small = b"a" * 200_000, b"b" * 10

    async def at_once(write: Callable[[bytes], Awaitable[None]]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, big)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(write, small)

    server = _Server(at_once)
    async with server.connection() as client:
        await client.send_all(REQUEST)
        await trio.testing.wait_all_tasks_blocked()
        _, pieces = await _read(client)

    assert b"".join(pieces) == big + small


async def test_a_client_that_has_left_is_noticed_by_hypercorn() -> None:
    """Writing to a closed socket raises nothing here: the server learns of it by itself."""
    written = trio.Event()

    async def on(write: Callable[[bytes], Awaitable[None]]) -> None:
        await left.wait()
        await write(b"too late")
        written.set()

    left = trio.Event()
    server = _Server(on)
    async with server.connection() as client:
        await client.send_all(REQUEST)
        await client.receive_some(1000)
        await client.aclose()
        left.set()
        with trio.fail_after(TIMEOUT):
            await written.wait()


async def test_an_empty_piece_does_not_end_the_body() -> None:
    """Nothing is nothing, as it is on hypercorn's own way."""

    async def with_a_gap(write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b"one")
        await write(b"")
        await write(b"two")

    assert await _exchange(with_a_gap) == (True, 200, b"onetwo")


class _Plain:
    """A server that nobody knows."""

    async def send(self, event: Any) -> None:
        """Take an event."""


@pytest.mark.parametrize("version", ["1.0", "2", "3", ""])
async def test_only_http_1_1_is_chunked(version: str) -> None:
    """Another version frames bodies in its own way."""
    assert direct_write(_Plain().send, version) is None


async def test_unknown_servers_are_left_alone() -> None:
    """A function, a method of something else, and something that only looks alike: none is written past."""

    async def function(event: Any) -> None:
        del event

    alike = SimpleNamespace(send=SimpleNamespace(__self__=SimpleNamespace(ssl=False, send=_Plain().send)))
    assert direct_write(function, "1.1") is None
    assert direct_write(_Plain().send, "1.1") is None
    assert direct_write(SimpleNamespace(__self__=alike), "1.1") is None


async def test_tls_is_left_alone() -> None:
    """Bytes past TLS would be bytes in the clear."""
    server: Any = object.__new__(TCPServer)
    protocol = SimpleNamespace(ssl=True, send=server.protocol_send)
    stream = SimpleNamespace(send=SimpleNamespace(__self__=protocol))

    assert direct_write(SimpleNamespace(__self__=stream), "1.1") is None


async def test_another_hypercorn_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version whose inside nobody looked at keeps all to itself."""
    monkeypatch.setattr(direct, "KNOWN", False)

    assert (await _exchange(_three))[0] is False
