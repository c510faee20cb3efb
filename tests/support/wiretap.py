"""A tap on the wire between a client and our server: every byte goes on as it came, and can be read afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import trio

from stages.wire import json

_CHUNK = 65_536
_LAST = b'data: {"type":"message_stop"}\n\n'


@attrs.frozen
class Visit:
    """One HTTP request of a client, and what it was answered, as far as that came.

    Attributes:
        path: the request's target, with its query.
        headers: the request's, by lower-case name.
        body: the request's, decoded; None where it has none.
        status: of the answer; 0 if none came.
        answered: the answer's headers, by lower-case name.
        answer: the answer's body.
        whole: whether the answer came to its end; a client that has its message need not wait for the last chunk.
    """

    path: str
    headers: dict[str, str] = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)
    status: int = 0
    answered: dict[str, str] = attrs.field(factory=dict, repr=False)
    answer: bytes = attrs.field(default=b"", repr=False)
    whole: bool = False

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of events."""
        return self.answered.get("content-type", "").startswith("text/event-stream")


@attrs.define
class Wiretap:
    """What went over all connections, in the order in which they were opened."""

    _connections: list[tuple[bytearray, bytearray]] = attrs.field(factory=list, init=False)

    @property
    def visits(self) -> list[Visit]:
        """All requests so far, connection by connection."""
        return [visit for up, down in self._connections for visit in _visits(bytes(up), bytes(down))]

    @asynccontextmanager
    async def on(self, url: str) -> AsyncIterator[str]:
        """Listen in front of a server, and give the URL that is to be used in its place."""
        host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, partial(self._pass_on, host, int(port)), 0, host=host)
            (listener, *_) = await nursery.start(serve)
            yield f"http://{host}:{listener.socket.getsockname()[1]}"
            nursery.cancel_scope.cancel()

    async def _pass_on(self, host: str, port: int, client: trio.SocketStream) -> None:
        up, down = bytearray(), bytearray()
        self._connections.append((up, down))
        async with client, await trio.open_tcp_stream(host, port) as server, trio.open_nursery() as nursery:
            # Whoever leaves first takes the other along: that is what a connection without a tap does.
            nursery.start_soon(_copy, client, server, up, nursery.cancel_scope)
            nursery.start_soon(_copy, server, client, down, nursery.cancel_scope)


async def _copy(source: trio.SocketStream, sink: trio.SocketStream, heard: bytearray, scope: trio.CancelScope) -> None:
    try:
        while data := await source.receive_some(_CHUNK):
            heard += data
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # a client that is killed resets its connection
    finally:
        scope.cancel()


def _visits(up: bytes, down: bytes) -> Iterator[Visit]:
    answers = _messages(down)
    for line, headers, body, _ in _messages(up):
        path = line.split()[1].decode()
        first, answered, answer, whole = next(answers, (b"HTTP/1.1 0", {}, b"", False))
        whole = whole or answer.endswith(_LAST)
        yield Visit(path, headers, json.decode(body) if body else None, int(first.split()[1]), answered, answer, whole)


def _messages(data: bytes) -> Iterator[tuple[bytes, dict[str, str], bytes, bool]]:
    """Split what one side of a connection said into messages: first line, headers, body, whether that is whole."""
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        pairs = [line.decode("latin-1").partition(":") for line in lines]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            body, data, whole = _dechunked(data)
        else:
            length = int(headers.get("content-length", 0))
            body, data, whole = data[:length], data[length:], len(data) >= length
        yield first, headers, body, whole


def _dechunked(data: bytes) -> tuple[bytes, bytes, bool]:
    """Join the chunks at the beginning of `data`; give the body, what lies behind it, and whether the last one came."""
    body = bytearray()
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        data = data[length + 2 :]
        if length == 0:
            return bytes(body), data, True
    return bytes(body), data, False
