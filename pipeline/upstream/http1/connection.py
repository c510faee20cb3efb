"""One exchange on one connection: request out, head in, and the body as a stream that owns the connection.

Whoever holds a connection settles it exactly once: it goes back to the pool when both sides are done with the exchange
and mean to keep it, and is closed at once in every other case: an error, a cancellation, a reader who leaves early.
Neither way waits for anything, so cancellation cannot come between.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from pipeline.upstream.faults import READ, UnansweredError, as_ours, guarded
from pipeline.upstream.http1.framing import ResponseFramer
from pipeline.upstream.http1.pool import Connection, Pool
from pipeline.upstream.http1.request_writer import closes, write_request

Timeouts = Mapping[str, float | None]
"""httpx's own: seconds by `connect`, `read`, `write` and `pool`; None or absent is for ever."""


async def exchange(pool: Pool, connection: Connection, request: httpx.Request, *, head_limit: int) -> httpx.Response:
    """Send the request and wait for the head of its response; interim responses are skipped.

    Takes over the connection: when this fails it is closed, when it returns the response's stream settles it.

    Raises:
        UnansweredError: The peer closed before the first byte.
        httpx.TransportError: Anything else that went wrong on the wire.
    """
    framer = ResponseFramer(bodiless=request.method == "HEAD", head_limit=head_limit)
    try:
        first = await _converse(connection, request, framer)
    except BaseException:
        pool.drop(connection)
        framer.release()
        raise
    if closes(request.headers.raw):
        framer.keep_alive = False
    return httpx.Response(
        framer.status,
        headers=framer.headers,
        stream=ResponseBody(pool, connection, framer, first),
        extensions={"http_version": framer.http_version, "reason_phrase": framer.reason},
    )


class ResponseBody(httpx.AsyncByteStream):
    """The body of a response: one item per read of the socket.

    An iterator object on purpose. An asynchronous generator that is left before its end is closed by the garbage
    collector's leave, and costs one more frame per item.

    The connection is settled with the last byte, before that byte's item is handed out.
    """

    __slots__ = ("_connection", "_framer", "_pool", "_ready", "_receive", "_settled")

    def __init__(self, pool: Pool, connection: Connection, framer: ResponseFramer, first: bytes) -> None:
        self._pool = pool
        self._connection = connection
        self._framer = framer
        self._receive = connection.wire.receive
        self._ready = first
        self._settled = False
        if framer.complete:
            self._settle()

    @property
    def over(self) -> bool:
        """Whether nothing is left to read or to close."""
        return self._settled and not self._ready

    def __aiter__(self) -> ResponseBody:
        return self

    async def __anext__(self) -> bytes:
        """Return what the next read brings.

        Raises:
            httpx.ReadError: The connection broke.
            httpx.RemoteProtocolError: The peer closed before the end, or does not speak HTTP.
            httpx.StreamClosed: The stream was closed before its end.
        """
        if self._ready:
            data, self._ready = self._ready, b""
            return data
        framer = self._framer
        while not self._settled:
            if framer.fault is not None:
                self._abandon()
                break
            try:
                data = await self._receive()
            except tuple(READ) as error:
                self._abandon()
                raise as_ours(error, READ) from error
            except BaseException:
                self._abandon()
                raise
            body = framer.feed(data) if data else self._end()
            if framer.complete:
                self._settle()
            if body:
                return body
        if framer.complete:
            raise StopAsyncIteration
        raise framer.fault or httpx.StreamClosed

    async def aclose(self) -> None:
        """Close at once what has not been read to its end. No checkpoint: cancellation cannot prevent it."""
        self._ready = b""
        if not self._settled:
            self._abandon()

    def _end(self) -> bytes:
        self._framer.end()
        return b""

    def _settle(self) -> None:
        """Part with a connection whose response is complete."""
        self._settled = True
        if self._framer.keep_alive:
            self._pool.give(self._connection)
        else:
            self._pool.drop(self._connection)
        self._framer.release()

    def _abandon(self) -> None:
        """Close a connection in the middle of its response."""
        self._settled = True
        self._pool.drop(self._connection)
        self._framer.release()


async def _converse(connection: Connection, request: httpx.Request, framer: ResponseFramer) -> bytes:
    """Send, then read up to the end of the head; return the bytes of the body that came with it."""
    timeouts: Timeouts = request.extensions.get("timeout", {})
    unsent: httpx.WriteError | None = None
    try:
        await write_request(connection.wire, request, timeouts.get("write"))
    except httpx.WriteError as error:
        # Who refuses a body early (413, 401) says so and closes: the answer may lie in the socket already.
        unsent = error
    with guarded(READ, timeouts.get("read")):
        first = await _read_head(connection, framer, unsent)
    if unsent is not None:
        framer.keep_alive = False  # half a request is out: the peer would read the next one as its rest
    return first


async def _read_head(connection: Connection, framer: ResponseFramer, unsent: httpx.WriteError | None) -> bytes:
    first = b""
    silent = True
    while not framer.head_complete:
        try:
            data = await connection.wire.receive()
        except ConnectionError as error:
            if silent and connection.used:  # it lost a race; on a new connection a reset is an error like any other
                raise UnansweredError("the upstream reset a kept connection") from error
            if unsent is not None:
                raise unsent from error
            raise
        if data:
            first = framer.feed(data)
        elif silent:
            raise UnansweredError("the upstream closed the connection without a response") from unsent
        else:
            framer.end()
        silent = False
        if framer.fault is not None and not framer.head_complete:  # behind a head, the body before the fault counts
            raise framer.fault
    return first
