"""A connection of ours between a real pair of sockets: the server's end runs, the client's is for a test."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
import trio.testing

from pipeline.server.connection import ClientConnection, Terms

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b"

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def whole(receive: Receive) -> bytes:
    """Read a body."""
    body, more = b"", True
    while more:
        event = await receive()
        assert event["type"] == "http.request"
        body, more = body + event["body"], event["more_body"]
    return body


async def reply(send: Send, body: bytes, status: int = 200) -> None:
    """Answer with a length."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    """Answer with the path and the body."""
    body = await whole(receive)
    await reply(send, scope["path"].encode() + b" " + body)


@attrs.define
class Office:
    """A connection that is served, and its client's end."""

    raw: socket.socket
    client: trio.SocketStream
    connection: ClientConnection
    terms: Terms
    ended: trio.Event = attrs.field(factory=trio.Event)

    async def ask(self, data: bytes) -> bytes:
        """Send, and return what has come when everybody waits again."""
        await self.client.send_all(data)
        return await self.heard()

    async def heard(self) -> bytes:
        """Return what has come when everybody waits."""
        await trio.testing.wait_all_tasks_blocked()
        try:
            return self.raw.recv(65_536)
        except BlockingIOError:
            return b""

    async def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        return b"".join([bytes(data) async for data in self.client])


@asynccontextmanager
async def harness(app: Any = echo, **terms: Any) -> AsyncIterator[Office]:
    """Serve one connection; it must have ended when the client has left."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)  # noqa: FBT003 - the standard library's
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    granted = Terms(**terms)
    made = ClientConnection(theirs, app, granted, {})
    async with trio.open_nursery() as nursery:
        async with trio.SocketStream(trio.socket.from_stdlib_socket(ours)) as client:
            opened = Office(ours, client, made, granted)

            async def serve() -> None:
                await made.run()
                opened.ended.set()

            nursery.start_soon(serve)
            yield opened
        await opened.ended.wait()
    assert theirs.fileno() == -1
