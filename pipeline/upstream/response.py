"""An upstream's answer that has begun well: its body, read by read, and what it means when the connection breaks."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Self

import httpx
import trio

from pipeline.inflating import ANY, Inflater
from pipeline.upstream.causes import cause_of
from pipeline.upstream.http1.connection import ResponseBody
from stages.canonical.failure import Failure, Kind

CLOSE_TIMEOUT = 2.0
"""Seconds that closing a connection may take, also when its request is cancelled (law 5)."""

_COMPRESSIONS = {"gzip", "x-gzip", "deflate"}  # none is asked for; other words for it never came without being asked

_FAULTS: tuple[tuple[type[Exception], Kind, str], ...] = (
    (httpx.ConnectTimeout, Kind.TIMEOUT, "The upstream could not be reached in time."),
    (httpx.ConnectError, Kind.UNAVAILABLE, "The upstream cannot be reached."),
    (httpx.TimeoutException, Kind.TIMEOUT, "The upstream took too long to answer."),
    (httpx.ProxyError, Kind.UNAVAILABLE, "The proxy in front of the upstream refused."),
    (httpx.RemoteProtocolError, Kind.UPSTREAM, "The upstream closed the connection before it had finished."),
    (httpx.HTTPError, Kind.UPSTREAM, "The connection to the upstream broke."),
)
"""What a transport raises, and what it means; the first that fits counts."""

_UNCONNECTED = (httpx.ConnectError, httpx.ConnectTimeout)


class _Inflated:
    """The chunks of a compressed body, inflated.

    No generator, as `Response.aiter_bytes` is: left before its end, that one would outlive its request.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._inflater = Inflater(ANY)
        self._pieces: Iterator[bytes] = iter(())
        self._begun = False

    def __aiter__(self) -> _Inflated:
        return self

    async def __anext__(self) -> bytes:
        """Return a piece of what the next read inflates to, or nothing yet; others have their turns between pieces."""
        try:
            for piece in self._pieces:
                await trio.lowlevel.checkpoint()
                return piece
            chunk = await self._read()
            self._pieces = self._inflater.feed(chunk)
            return next(self._pieces, b"")
        except zlib.error as error:
            raise httpx.DecodingError("the upstream's answer is not compressed as it says") from error

    async def _read(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            if self._begun and not self._inflater.complete:
                self._begun = False  # said once
                raise httpx.RemoteProtocolError("the upstream's compressed answer has no end") from None
            raise
        self._begun = self._begun or bool(chunk)
        return chunk


def _plain(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as a dictionary, which is asked a dozen times; several of one name are one list (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


class UpstreamResponse:
    """An upstream's answer that has begun well; use it as an async context manager, which closes the connection.

    Attributes:
        headers: the response's, names in lower case.
        last_read: when something was read last, on trio's clock.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers: Mapping[str, str] = _plain(response.headers.raw)
        chunks: AsyncIterator[bytes] = aiter(response.stream)  # type: ignore[arg-type] # of the two kinds, ours is async
        compressed = self.headers.get("content-encoding", "").lower() in _COMPRESSIONS
        self._chunks = _Inflated(chunks) if compressed else chunks
        self.last_read = trio.current_time()

    @property
    def over(self) -> bool:
        """Whether it is known that nothing is left to read or to close."""
        stream = self._response.stream
        return isinstance(stream, ResponseBody) and stream.over

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    def __aiter__(self) -> UpstreamResponse:
        """Return itself; a body can be read once."""
        return self

    async def __anext__(self) -> bytes | Failure:
        """Return what the next read yielded, or how the connection broke."""
        try:
            chunk = await anext(self._chunks)
        except httpx.HTTPError as error:
            return failure_of_fault(error)
        self.last_read = trio.current_time()
        return chunk

    async def read(self, limit: int) -> bytes | Failure:
        """Read a small body to its end, or to where it is over `limit` bytes; cancelled, the rest is left."""
        body = bytearray()
        async for chunk in self:
            if isinstance(chunk, Failure):
                return chunk
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)

    async def drain(self) -> None:
        """Read what follows the last event, so that the connection goes back to the pool rather than away.

        Waits for the upstream's end, for ever if need be: whoever calls this has a deadline.
        """
        async for chunk in self:
            if isinstance(chunk, Failure):
                return

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it, as `aclose` does."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection, or give it back if the body was read to its end; never cancelled half-way."""
        if not self.over:
            # Our own transport waits for nothing here; httpx's may, for a lock of HTTP/2 or the end of TLS.
            with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await self._response.aclose()


def failure_of_fault(error: Exception) -> Failure:
    """Translate what a transport raised."""
    kind, message = next((kind, message) for fault, kind, message in _FAULTS if isinstance(error, fault))
    cause = cause_of(error) if isinstance(error, _UNCONNECTED) else None
    if cause is None:
        return Failure(kind, message, cause=type(error).__name__)
    return Failure(kind, f"{message.removesuffix('.')}: {cause.sentence}.", cause=cause.word)
