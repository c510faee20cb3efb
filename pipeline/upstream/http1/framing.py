"""HTTP/1.1 framing of one response, by httptools: bytes of the wire in, bytes of the body out. Does no IO.

One read of the socket gives one piece of the body, however many HTTP chunks it was cut into: what stands above then
costs the same for one event as for fifty. Per chunk there is one `list.append`, called from C, and nothing else.

Sources: RFC 9112 (messages, section 6 for their length), RFC 9110 section 15.2 (interim responses).
"""

from __future__ import annotations

import httptools
import httpx

_INTERIM = range(100, 200)
_BODILESS = frozenset({204, 304})


class ResponseFramer:
    """Incremental reader of one response, and httptools' protocol object.

    Feed it every read until `complete` is true; `end` says that the peer will send no more. A mistake of the peer is
    kept in `fault` instead of being raised, so that the body bytes before it are delivered however the bytes were cut.

    Args:
        bodiless: The request's method was HEAD: the head's content-length is of a body that never comes.
        head_limit: Bytes that may arrive before the head is whole; counted per read, as h11 does.
    """

    __slots__ = (
        "__weakref__",
        "_bodiless",
        "_cut",
        "_head_limit",
        "_interim",
        "_parser",
        "_parts",
        "_seen",
        "_until_eof",
        "complete",
        "fault",
        "head_complete",
        "headers",
        "http_version",
        "keep_alive",
        "on_body",
        "reason",
        "status",
    )

    def __init__(self, *, bodiless: bool, head_limit: int) -> None:
        self.status = 0
        self.reason = b""
        self.http_version = b"HTTP/1.1"
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_complete = False
        self.complete = False
        self.keep_alive = False
        self.fault: httpx.RemoteProtocolError | None = None
        self._bodiless = bodiless
        self._head_limit = head_limit
        self._seen = 0
        self._interim = False
        self._until_eof = False
        self._parts: list[bytes] = []
        self._cut = 0
        # The parser asks for its callbacks once, when it is made: this one is then a call from C to C.
        self.on_body = self._parts.append
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bytes:
        """Take the bytes of one read; return the bytes of the body among them, joined."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("the upstream switched protocols unasked")
        except httptools.HttpParserError as error:
            # The parser's sentences are constants: they hold nothing of the message.
            self._fail(str(error))
        if not self.head_complete:
            self._count(data)
        parts = self._parts
        if self.complete:
            return self._last(parts)
        if len(parts) == 1:
            return parts.pop()
        joined = b"".join(parts)
        parts.clear()
        return joined

    def end(self) -> None:
        """Take note that the peer has closed: the end of a body that has no other, or a fault."""
        if self.head_complete and self._until_eof:
            self.complete = True
        elif not self.complete:
            self._fail("the upstream closed the connection before the end of its response")

    def release(self) -> None:
        """Let the parser go: it and this object refer to each other, and would wait for the garbage collector."""
        del self._parser, self.on_body

    def _fail(self, why: str) -> None:
        self.keep_alive = False
        if not self.complete and self.fault is None:
            self.fault = httpx.RemoteProtocolError(why)

    def _count(self, data: bytes) -> None:
        self._seen += len(data)
        if self._seen > self._head_limit:
            self._fail(f"the head of the upstream's response is larger than {self._head_limit} bytes")

    def _last(self, parts: list[bytes]) -> bytes:
        """Join what belongs to this response; bytes after its end make the connection useless."""
        if len(parts) > self._cut:
            self.keep_alive = False
        joined = b"".join(parts[: self._cut])
        parts.clear()
        self._cut = 0
        return joined

    # What httptools calls, in this order.

    def on_message_begin(self) -> None:
        """Begin a message; after the last one this is an answer nobody asked for."""
        if self.complete:
            self.keep_alive = False

    def on_status(self, status: bytes) -> None:
        """Take (a part of) the reason phrase."""
        if not self.head_complete:
            self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header. Those after the head are trailers, which nobody here asks for."""
        if not self.head_complete:
            self.headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Decide by the whole head what follows it."""
        if self.head_complete:
            return
        parser = self._parser
        status = parser.get_status_code()
        if status in _INTERIM:
            self._interim = True
            return
        self.status = status
        self.http_version = b"HTTP/" + parser.get_http_version().encode("ascii")
        self.keep_alive = parser.should_keep_alive()
        self.head_complete = True
        if self._bodiless:
            self.complete = True
        else:
            self._until_eof = status not in _BODILESS and not _self_delimiting(self.headers)

    def on_message_complete(self) -> None:
        """End the message, or forget an interim one: the real one follows."""
        if self._interim:
            self._interim = False
            self.headers.clear()
            self.reason = b""
        elif not self.complete:
            self.complete = True
            self._cut = len(self._parts)


def _self_delimiting(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the head says where the body ends (RFC 9112, section 6.3): as the parser decides, which does not tell."""
    values = {name.lower(): value.lower() for name, value in headers}
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        return coding.rsplit(b",", 1)[-1].strip() == b"chunked"
    return b"content-length" in values
