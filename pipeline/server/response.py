"""The response of one request, as bytes: its head, and the framing of its body. Does no IO.

Source: RFC 9112, sections 4 and 6; RFC 9110, sections 6.6.1 (date) and 8.6.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus} | {529: b"Overloaded"}
_BODILESS = frozenset({204, 304})
_CHUNK = b"%x\r\n%b\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""An interim response: invites the body, and means nothing to whoever has sent it (RFC 9110, section 15.2.1)."""

ResponseHeaders = list[tuple[bytes, bytes]]
"""Names in lower case."""


class Response:
    """How one response is written. A head waits for the first bytes of its body: both leave in one write.

    Args:
        http_version: of the request.
        bodiless: whether the request was a HEAD.

    Attributes:
        started: whether there is a head.
        sent: whether the head was handed out.
        complete: whether the end of the body was written.
        keep_alive: whether the client was told that the connection goes on.
    """

    def __init__(self, http_version: str, *, bodiless: bool) -> None:
        self.started = False
        self.sent = False
        self.complete = False
        self.keep_alive = False
        self._old = http_version == "1.0"
        self._bodiless = bodiless
        self._chunked = False
        self._left: int | None = None
        self._head = b""

    def start(self, status: int, headers: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> None:
        """Make the head.

        Raises:
            RuntimeError: There is one already.
            ValueError: A header holds a line end, or the length is no number.
        """
        if self.started:
            raise RuntimeError("a response starts once")
        own = list(headers)
        lengths = [value for name, value in own if name == b"content-length"]
        self._bodiless = self._bodiless or status in _BODILESS
        self._left = int(lengths[0]) if lengths and not self._bodiless else None
        self._chunked = not (lengths or self._bodiless or self._old)
        self.keep_alive = keep_alive and (self._chunked or self._bodiless or bool(lengths))
        own.append((b"date", _date()))
        if self._chunked:
            own.append((b"transfer-encoding", b"chunked"))
        if not self.keep_alive:
            own.append((b"connection", b"close"))
        elif self._old:
            own.append((b"connection", b"keep-alive"))
        lines = b"".join([b"%b: %b\r\n" % header for header in own])
        if lines.count(b"\n") != len(own) or lines.count(b"\r") != len(own):
            raise ValueError("a header of a response holds a line end")
        self._head = b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _PHRASES.get(status, b""), lines)
        self.started = True

    def probe(self) -> bytes:
        """Return bytes that change nothing for who reads the response, if any can be sent where it stands now.

        Before the head that is an interim response, then a leading zero of the next chunk's size.
        """
        if not self.sent:
            return CONTINUE
        return b"0" if self._chunked and not self.complete else b""

    def body(self, data: bytes, *, more: bool) -> bytes:
        """Frame a piece of the body; `more` says whether another follows.

        Raises:
            RuntimeError: There is no head yet, or the body has ended.
            ValueError: The body is not as long as its head says.
        """
        if not self.started or self.complete:
            raise RuntimeError("a body has its place between its head and its end")
        if more and data and self.sent and self._chunked:  # nearly every piece of a stream
            return _CHUNK % (len(data), data)
        self.complete = not more
        head, self._head = self._head, b""
        self.sent = self.sent or bool(data) or not more
        if not self.sent:
            self._head = head
            return b""
        if self._bodiless:
            return head
        if self._chunked:
            chunk = _CHUNK % (len(data), data) if data else b""
            return b"%b%b%b" % (head, chunk, _LAST_CHUNK if self.complete else b"")
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0 or (self.complete and self._left):
                raise ValueError("the body of a response is not as long as its head says")
        return head + data


_dated: tuple[int, bytes] = (-1, b"")


def _date() -> bytes:
    """Say what time it is; the same second is written once."""
    global _dated  # noqa: PLW0603 - a memo of one
    now = int(time.time())
    if _dated[0] != now:
        _dated = now, formatdate(now, usegmt=True).encode()
    return _dated[1]
