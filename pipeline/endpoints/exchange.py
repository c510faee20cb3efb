"""One HTTP exchange over ASGI: the request's head and body, and the ways to answer it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import trio

from pipeline import inflating
from pipeline.endpoints.running import Ticket
from pipeline.endpoints.slices import json_slices, slices_of
from pipeline.settings import ClientKey
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure, Kind
from stages.redactor import redact
from stages.tables.headers import rate_limits
from stages.wire.messages_stream import error, frame

Scope = MutableMapping[str, Any]
"""ASGI's description of a connection."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI's way to hear from the client."""
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
"""ASGI's way to speak to it."""
Headers = list[tuple[bytes, bytes]]
"""Headers of an answer, names in lower case."""

LAST_WORDS = 60.0
"""Seconds that the end of an answer may take to be sent, also when its request is cancelled."""

SLOWEST = 10 * 2**10
"""Bytes a second that a client must take of a whole answer whose time is up, to get the rest."""

LINGER = 5.0
"""Seconds that a client which was refused early has to stop sending its body, so that it comes to read why."""

LINGER_BYTES = 64 * 2**20
"""Bytes of such a body that are dropped at most."""

_LISTS = frozenset({"anthropic-beta"})
# Headers that are lists, so that two of them are one longer list (RFC 9110, section 5.3).
_ID = re.compile(r"(req_)?[0-9a-f-]{16,64}", re.IGNORECASE)
# The ids of OpenAI and Azure; what does not look like one is any text, and no log's.
_BODILESS = frozenset({"GET", "HEAD"})
_LARGE = 2**20  # bytes of a body that is put together in a thread
_FEW = 2  # pieces of a body, of which one alone is not copied
_TINY = 4096  # bytes up to which a piece of a body is not kept by itself
_LONGEST_NAME = 64  # characters of a name that is repeated in a complaint
_DIGITS = 18  # of a length; more would cost more than a look
_TOO_LARGE = Failure(Kind.TOO_LARGE, "Request exceeds the maximum size")
_LATE = Failure(Kind.STALLED, "The request body did not arrive in time.")
_FORMS = {"gzip": inflating.GZIP, "x-gzip": inflating.GZIP, "deflate": inflating.DEFLATE}
_JSON = (b"content-type", b"application/json")
_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Exchange:
    """A request as the endpoints see it; it is the `Client` of `run_request` as well.

    Attributes:
        method: the HTTP method.
        path: the path, without the query.
        scheme: `http` or `https`, as the connection has it.
        query: the raw query string.
        headers: the request's headers, names in lower case; of a repeated one the last counts, or all of a list.
        server: address and port of our end of the connection; None where the server does not tell.
        request_id: `req_...`, in every answer's headers.
        streaming: whether a stream has begun and not ended.
        started: whether an answer has begun.
        answer_headers: headers that every answer to this request carries.
        key: the client's, once it was let in with it; None where clients need none.
        log: what is known of it, for its line in the log.
        answered: whether an answer has been sent to its end.
        ticket: its place among those that run; None for one that was not let in, and outside of a server.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, log: RequestLog) -> None:
        """Begin an exchange; `log` knows the request's id."""
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope.get("scheme", "http")
        self.query: bytes = scope.get("query_string", b"")
        self.server: tuple[str, int | None] | None = scope.get("server")
        self.headers = _headers(scope["headers"])
        self.key: ClientKey | None = None
        self.log = log
        self.request_id: str = log.fields["request_id"]
        self.started = False
        self.streaming = False
        self.answered = False
        self.answer_headers: Headers = [(b"request-id", self.request_id.encode())]
        self._receive = receive
        self._send = send
        self._unread = self.method not in _BODILESS
        self.ticket: Ticket | None = None

    @property
    def unread(self) -> bool:
        """Whether more of the body is to come."""
        return self._unread

    @property
    def announced(self) -> int:
        """How many bytes the body has by its own word; 0 when it says nothing, and never more than can be counted."""
        length = self.headers.get("content-length", "").lstrip("0")
        if not (length.isascii() and length.isdigit()):
            return 0
        return int(length) if len(length) <= _DIGITS else 10**_DIGITS

    async def body(self, limit: int, seconds: float = math.inf) -> bytes | Failure | None:
        """Read the whole body; None when the client left before it was sent. May be cancelled.

        A body over `limit` bytes, by its own word or in fact, is a failure before it is all read; so is one that finds
        no room among those of other requests.

        Args:
            limit: bytes that the body may have, also once it is inflated.
            seconds: how long two reads may be apart.
        """
        if self.announced > limit:
            return _TOO_LARGE
        parts: list[bytes] = []
        size = 0
        with trio.move_on_after(seconds) as scope:  # one for all reads: it costs more than any of them
            while self._unread:
                part = await self._piece()
                if part is None:
                    return None
                size += len(part)
                if failure := _TOO_LARGE if size > limit else self.weigh(size):
                    return failure
                keep(parts, part)
                if self._unread:
                    scope.deadline = trio.current_time() + seconds
        if scope.cancelled_caught:
            return _LATE
        encoding = self.headers.get("content-encoding", "identity").lower()
        return await _joined(parts) if encoding in ("identity", "") else await self._inflated(encoding, parts, limit)

    async def piece(self, seconds: float) -> bytes | Failure | None:
        """Wait for the next piece of the body; None when the client left. Cancelled, none is lost."""
        with trio.move_on_after(seconds):
            return await self._piece()
        return _LATE

    async def _piece(self) -> bytes | None:
        event = await self._receive()
        if self._hears_the_end(event):
            self._unread = False
            return None
        self._unread = event.get("more_body", False)
        piece: bytes = event.get("body", b"")
        return piece

    def weigh(self, size: int) -> Failure | None:
        """Reserve so many bytes in all for the body, or say why not."""
        return self.ticket.weigh(size) if self.ticket else None

    async def _linger(self) -> None:
        """Let a client that was refused early stop sending: who is cut off instead never reads the answer."""
        left = LINGER_BYTES
        while self._unread and left > 0 and (piece := await self._piece()) is not None:
            left -= len(piece)

    def endable(self, end: Callable[[Failure], None]) -> None:
        """Say how this request ends by itself when the server must."""
        if self.ticket is not None:
            self.ticket.end = end

    async def _inflated(self, encoding: str, parts: list[bytes], limit: int) -> bytes | Failure:
        """Inflate a body, of one member or several; others have their turns between its pieces. May be cancelled."""
        if encoding not in _FORMS:
            text = f"content-encoding: {encoding[:_LONGEST_NAME]} is not supported"
            return Failure(Kind.INVALID_REQUEST, text, error_code="request_body_encoding_unsupported")
        inflater, found, size = inflating.Inflater(_FORMS[encoding]), list[bytes](), 0
        try:
            for piece in (piece for part in parts for piece in inflater.feed(part)):
                size += len(piece)
                if size > limit:
                    text = "Request exceeds the maximum size after decoding"
                    return Failure(Kind.TOO_LARGE, text, error_code="request_body_too_large_after_decoding")
                if failure := self.weigh(size):
                    return failure
                found.append(piece)
                await trio.lowlevel.checkpoint()
            complete = inflater.complete
        except zlib.error:
            complete = False
        if not complete:
            text = f"The request body is not valid {encoding}"
            return Failure(Kind.INVALID_REQUEST, text, error_code="request_body_encoding_invalid")
        return await _joined(found)

    async def left(self) -> None:
        """Return once the client has closed its connection."""
        while not self._hears_the_end(await self._receive()):
            pass

    def _hears_the_end(self, event: MutableMapping[str, Any]) -> bool:
        """Whether the client has left; why, where our own server has cut it, is for the log."""
        left: bool = event["type"] == "http.disconnect"
        if left and "cause" in event:
            self.log.fields["cause"] = event["cause"]
        return left

    def inform(self, headers: Mapping[str, str]) -> None:
        """Hand on what the upstream's headers say to a client: its rate limits."""
        if _ID.fullmatch(ident := headers.get("x-request-id", "")):
            self.log.fields["upstream_request_id"] = ident
        told = rate_limits(headers, datetime.now(UTC))
        self.answer_headers += [(name.encode(), value.encode()) for name, value in told]

    async def begin_stream(self) -> None:
        """Send the 200 of a stream."""
        self.streaming = True
        if self.ticket is not None:
            self.ticket.streaming = True
        await self._start(200, _STREAM)

    async def begin_feed(self) -> None:
        """Send the 200 of events that are no answer of a model: nothing is owed to the client when they end."""
        await self._start(200, _STREAM)

    async def begin_download(self, filename: str, content_type: str) -> None:
        """Send the 200 of a file, which is written piece by piece; `end_stream` ends it, or else it is cut off."""
        disposition = f"attachment; filename*=utf-8''{filename}"
        await self._start(
            200, [(b"content-type", content_type.encode()), (b"content-disposition", disposition.encode())]
        )

    def write(self, data: bytes) -> Awaitable[None]:
        """Send a piece of the stream; waits while the client does not read."""
        return self._send(_body(data, more=True))

    async def end_stream(self) -> None:
        """Send the stream's end, whole or not at all.

        Hypercorn (0.18) reports the client as gone while it sends the end, which would cancel the sending: the
        connection would then neither be closed nor be ready for another request.
        """
        self.streaming = False
        await self._end()

    async def _end(self) -> None:
        with trio.move_on_after(LAST_WORDS, shield=True):
            await self._send(_body(b"", more=False))
            self._has_answered()

    def _has_answered(self) -> None:
        """Note that the client has all, and may ask again: what is left to do is not in its way."""
        self.answered = True
        if self.ticket is not None:
            self.ticket.give_back()

    async def answer(self, message: dict[str, Any]) -> None:
        """Send a whole JSON body with status 200."""
        await self.reply(200, message)

    async def tell(self, found: dict[str, Any] | Failure) -> Failure | None:
        """Send what was found, or give back why there is nothing, for the application to send."""
        if isinstance(found, Failure):
            return found
        await self.answer(found)
        return None

    async def fail(self, failure: Failure) -> None:
        """Send a failure in Anthropic's envelope, with its status and its hints."""
        self.log.hear(redact(failure))
        hints: Headers = [(name.encode(), value.encode()) for name, value in failure.rate_limits]
        if (retry := failure.should_retry) is not None:
            hints.append((b"x-should-retry", b"true" if retry else b"false"))
        if failure.retry_after is not None:
            hints.append((b"retry-after", str(failure.retry_after).encode()))
        await self.reply(failure.kind.status, error(failure, self.request_id), hints)

    async def break_off(self, failure: Failure) -> None:
        """Fail in whatever way is still open: with a status, as the last event of a stream, or not at all."""
        if self.streaming:
            self.log.hear(redact(failure))
            await self.write(frame(error(failure, self.request_id)))
            await self.end_stream()
        elif not self.started:
            await self.fail(failure)

    async def reply(self, status: int, value: Any, headers: Headers | None = None) -> None:
        """Send a JSON body with any status, whole if the client takes it; a HEAD request gets the head alone."""
        await self._whole(status, await json_slices(value), [_JSON, *(headers or [])])

    async def answer_text(self, text: bytes, content_type: str) -> None:
        """Send a text with status 200, whole if the client takes it."""
        await self._whole(200, slices_of(text), [(b"content-type", content_type.encode())])

    async def _whole(self, status: int, slices: list[bytes], headers: Headers) -> None:
        """Send an answer whose body is there, in slices; others have their turns between them."""
        size = sum(map(len, slices))
        head = [*headers, (b"content-length", str(size).encode())]
        *most, last = [b""] if self.method == "HEAD" else slices
        early, owed = self._unread, False
        with trio.move_on_after(LAST_WORDS + size / SLOWEST, shield=True) as scope:
            await self._send_head(status, head)
            for each in most:
                await self.write(each)
                await trio.lowlevel.checkpoint()
            await self._send(_body(last, more=early))
            if early:
                owed, scope.deadline = True, trio.current_time() + LINGER
                await self._linger()
                # An end that is cut may have been said: nobody is to say it again.
                scope.deadline, owed = trio.current_time() + LAST_WORDS, scope.cancel_called
                if not owed:
                    await self._send(_body(b"", more=False))
            if not owed:
                self._has_answered()
        if owed:  # it sends on and on
            await self._end()

    async def _start(self, status: int, headers: Headers) -> None:
        """Send the head, whole or not at all.

        A head that is cancelled half-way leaves hypercorn (0.18) not knowing that it was sent; its attempt to send
        another one then ends the connection, and without our guard the server. Our own server waits for nothing here:
        the head leaves with the first bytes of the body.
        """
        with trio.move_on_after(LAST_WORDS, shield=True):
            await self._send_head(status, headers)

    async def _send_head(self, status: int, headers: Headers) -> None:
        self.started = True
        self.log.speak(status)
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self.answer_headers]})


def keep(parts: list[bytes], part: bytes) -> None:
    """Add a piece of a body to those before it; a tiny one joins the last, since each costs forty bytes by itself."""
    if parts and len(parts[-1]) < _TINY:
        parts[-1] += part
    else:
        parts.append(part)


def _body(data: bytes, *, more: bool) -> MutableMapping[str, Any]:
    """Say a piece of an answer's body in ASGI's words."""
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _joined(parts: list[bytes]) -> bytes:
    """Put a body together; a large one in a thread, which holds up nobody while it copies (over 1 MB, in CPython).

    Waits for that. Cancelled, the thread is left to itself: it holds nothing but the parts.
    """
    if len(parts) < _FEW or sum(map(len, parts)) <= _LARGE:
        return b"".join(parts)
    return await trio.to_thread.run_sync(b"".join, parts, abandon_on_cancel=True)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in _LISTS and name in headers else value
    return headers
