"""A server that does what a test says, byte by byte, over real loopback sockets."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import httpx
import trio

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.support.waiting import TIMEOUT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
"""The shortest response that keeps the connection."""


@attrs.frozen
class Received:
    """A request as it came: its head, lines not taken apart, and the bytes of its body, with their framing."""

    head: bytes
    body: bytes


class Peer:
    """The server's end of one connection. `number` counts them from 1."""

    def __init__(self, stream: trio.abc.Stream, number: int) -> None:
        self.number = number
        self._stream = stream
        self._buffer = b""

    async def request(self) -> Received:
        """Read one request; a chunked body keeps its framing. Raises EOFError when the client has closed."""
        await self.until(b"\r\n\r\n")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"transfer-encoding" in fields:
            while not self._buffer.endswith(b"0\r\n\r\n"):
                await self._more()
            length = len(self._buffer)
        else:
            length = int(fields.get(b"content-length", b"0"))
        while len(self._buffer) < length:
            await self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Received(head, body)

    async def until(self, mark: bytes) -> None:
        """Read at least as far as `mark`, without taking anything away."""
        while mark not in self._buffer:
            await self._more()

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self._stream.send_all(data)

    def reset(self) -> None:
        """Close with a reset instead of an end."""
        assert isinstance(self._stream, trio.SocketStream)
        self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.socket.close()

    async def client_left(self) -> None:
        """Wait until the client has closed; fail if it does not."""
        with trio.fail_after(TIMEOUT):
            try:
                while await self._stream.receive_some():
                    pass
            except trio.BrokenResourceError:
                pass  # closed with something unread: a reset

    async def _more(self) -> None:
        data = await self._stream.receive_some()
        if not data:
            raise EOFError
        self._buffer += data


@attrs.frozen
class Server:
    """Where the server listens."""

    url: str
    port: int


Handler = Callable[[Peer], Awaitable[None]]
"""Serves one connection; it is closed when the handler returns."""


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Serve on a free port of the loopback; handlers still running at the end are cancelled."""
    count = 0

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal count
        count += 1
        number = count
        secured = stream if tls is None else trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        try:
            await handler(Peer(secured, number))
        except (EOFError, trio.BrokenResourceError):
            pass
        finally:
            stream.socket.close()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        scheme, host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
        yield Server(f"{scheme}://{host}:{port}/", port)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def client_of(transport: HttptoolsTransport) -> AsyncIterator[httpx.AsyncClient]:
    """An httpx client over a transport, which must have nothing in use at the end."""
    async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(TIMEOUT)) as client:
        yield client
        assert transport.statistics.in_use == 0


def answering(response: bytes, *, keep: bool = True) -> Handler:
    """Answer every request with the same bytes; without `keep` close after the first."""

    async def handler(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(response)
            if not keep:
                return

    return handler


async def parts_of(*parts: bytes) -> AsyncIterator[bytes]:
    """Yield a request body that can be read only once."""
    for part in parts:
        yield part
