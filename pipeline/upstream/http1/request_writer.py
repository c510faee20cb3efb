"""A request onto a wire, in as few writes as possible: the head leaves together with the first piece of the body.

httpx has already decided the framing (host, content-length or transfer-encoding); here it is kept, and checked, because
a connection on which head and body disagree would give the next request somebody else's answer.
Source: RFC 9112, sections 3, 5 and 6.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import httpx

from pipeline.upstream.faults import WRITE, as_ours, guarded
from pipeline.upstream.http1.streams import Wire

RawHeaders = Sequence[tuple[bytes, bytes]]
"""Names and values as they go out: asked for two of them, this is faster than `httpx.Headers`."""


async def write_request(wire: Wire, request: httpx.Request, seconds: float | None = None) -> None:
    """Send the whole request, each of its writes within so many seconds; waits for the peer to take it.

    Cancelled, half of it may be out: the connection is to be closed.

    Raises:
        httpx.LocalProtocolError: Head or body cannot be sent as they are.
        httpx.WriteError: The peer takes no more; it may have answered all the same.
        httpx.WriteTimeout: It takes nothing.
        TypeError: The body can only be read synchronously.
    """
    head, body = request_head(request), _body_framing(request.headers.raw)
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        await _send(wire, head + body.frame(b"".join(stream)) + body.end(), seconds)
        return
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the body of a request to the upstream must be bytes or an asynchronous stream")
    unsent = head
    parts = aiter(stream)
    try:
        async for part in parts:
            await _send(wire, unsent + body.frame(part), seconds)
            unsent = b""
    finally:
        if isinstance(parts, AsyncGenerator):  # as httpx's own are: not to be left to the garbage collector
            await parts.aclose()
    await _send(wire, unsent + body.end(), seconds)


def request_head(request: httpx.Request) -> bytes:
    """Render request line and headers.

    Raises:
        httpx.LocalProtocolError: A line end or NUL inside a line: it would begin a header, or a request, of its own.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in request.headers.raw]
    head = b"\r\n".join([*lines, b"", b""])
    ends = len(lines) + 1
    if not head.count(b"\r\n") == head.count(b"\r") == head.count(b"\n") == ends or b"\0" in head:
        raise httpx.LocalProtocolError("a header of the request holds a line end")
    return head


def closes(headers: RawHeaders) -> bool:
    """Whether these headers end the connection after their message."""
    tokens = b",".join(_named(b"connection", headers)).lower().split(b",")
    return b"close" in [token.strip() for token in tokens]


def _named(name: bytes, headers: RawHeaders) -> list[bytes]:
    """The values of the headers of a name, which is in lower case."""
    return [value for key, value in headers if key.lower() == name]


async def _send(wire: Wire, data: bytes, seconds: float | None) -> None:
    """Send bytes; the deadline is for what the system does not take at once, which is rare."""
    try:
        rest = wire.send_some(data)
    except tuple(WRITE) as error:
        raise as_ours(error, WRITE) from error
    if rest:
        with guarded(WRITE, seconds):
            await wire.send_all(rest)


class _BodyFraming(Protocol):
    """How the parts of a body follow each other on the wire."""

    def frame(self, part: bytes) -> bytes:
        """Write one part."""
        ...

    def end(self) -> bytes:
        """Write what stands behind the last."""
        ...


class _Counted:
    """Exactly the announced number of bytes."""

    def __init__(self, length: int) -> None:
        self._left = length

    def frame(self, part: bytes) -> bytes:
        """Pass a part on, as far as bytes are still due."""
        self._left -= len(part)
        if self._left < 0:
            raise httpx.LocalProtocolError("the body of the request is longer than its content-length")
        return part

    def end(self) -> bytes:
        """Check that nothing is missing."""
        if self._left:
            raise httpx.LocalProtocolError("the body of the request is shorter than its content-length")
        return b""


class _Chunked:
    """Chunks, each with its size; an empty one would be the end."""

    def frame(self, part: bytes) -> bytes:
        """Write a part behind its size."""
        return b"%x\r\n%b\r\n" % (len(part), part) if part else b""

    def end(self) -> bytes:
        """Write the chunk that is the end."""
        return b"0\r\n\r\n"


def _body_framing(headers: RawHeaders) -> _BodyFraming:
    if _named(b"transfer-encoding", headers):
        return _Chunked()
    length = b", ".join(_named(b"content-length", headers)) or b"0"
    if not length.isdigit():
        raise httpx.LocalProtocolError("the content-length of the request is not a number")
    return _Counted(int(length))
