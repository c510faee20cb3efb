"""The head of a request, by httptools: bytes of the wire in, a `Head` or the reason to refuse it out. Does no IO.

The parser sees heads alone; bodies are framed in `body.py`, so what a head says about upgrades changes nothing here.
llhttp is strict (bare CR or LF, folded lines, spaces before a colon, two lengths, a length beside a transfer coding);
what it lets through and we do not is refused below, because a proxy in front of us might read it otherwise.

Sources: RFC 9112 (sections 2 to 6), RFC 9110 (sections 7.2, 7.8 and 10.1.1).
"""

from __future__ import annotations

import re

import attrs
import httptools

from pipeline.server.refusal import Refusal

MOST_HEADERS = 256
"""Header lines in a head."""

LONGEST_TARGET = 16 * 2**10
"""Bytes of a request's target."""

_END = b"\r\n\r\n"
_LINE = re.compile(rb"[A-Z-]+ [!-~]+ HTTP/1\.[01]")
_OTHER_VERSION = re.compile(rb"[A-Z-]+ [!-~]+ HTTP/[0-9](\.[0-9])?")
_HOST = re.compile(rb"[\w.~!$&'()*+,;=:\[\]%-]*", re.ASCII)
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#@]+)(/[^?#]*)?(\?[^#]*)?")
_ORIGIN = re.compile(rb"(/[^?#]*)(\?[^#]*)?")


@attrs.frozen
class Head:
    """What a request says before its body.

    Attributes:
        method: in capitals.
        path: as it came, percent-encoded; `*` for a request about the server.
        query: without its question mark.
        headers: names in lower case, in order.
        http_version: `1.0` or `1.1`.
        keep_alive: whether the client would use the connection again.
        length: bytes of the body; None when it comes in chunks.
        expects: whether the client waits for a 100 before it sends the body.
    """

    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    http_version: str
    keep_alive: bool
    length: int | None
    expects: bool


@attrs.define
class _Lines:
    """What httptools calls.

    It refers to no parser: the two would hold each other, and a head with all that it says would wait for the garbage
    collector, which looks at what was there for as long as a stream lasts once in a million requests.
    """

    target: bytes = b""
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)

    def on_url(self, piece: bytes) -> None:
        """Take a piece of the target."""
        self.target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; nobody is to see a wish to upgrade, for none is granted."""
        lower = name.lower()
        if lower != b"upgrade" and len(self.headers) <= MOST_HEADERS:  # one more is refused, and the rest not kept
            self.headers.append((lower, value.rstrip(b" \t")))


class HeadParser:
    """Incremental reader of one head.

    Args:
        limit: bytes that the head may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._raw = bytearray()
        self._lines = _Lines()
        self._parser = httptools.HttpRequestParser(self._lines)

    @property
    def empty(self) -> bool:
        """Whether no byte of a head has come."""
        return not self._raw

    def feed(self, data: bytes) -> tuple[Head | Refusal | None, bytes]:
        """Take bytes; return the head once it is whole, or why it is refused, and the bytes that follow it."""
        if not self._raw and data.startswith(b"\r\n"):
            data = data[2:]  # one empty line before a request is tolerated (RFC 9112, section 2.2)
        begun = len(self._raw)
        self._raw += data
        end = self._raw.find(_END, max(0, begun - len(_END) + 1))
        stop = len(self._raw) if end < 0 else end + len(_END)
        if stop > self._limit:
            return Refusal(431, "The headers of the request are too large."), b""
        refused = self._parse(data[: stop - begun])
        if refused is not None or end < 0:
            return refused, b""
        return self._head(), data[stop - begun :]

    def _parse(self, data: bytes) -> Refusal | None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nothing is offered: the request is answered as the HTTP/1.1 that it is
        except httptools.HttpParserError as error:
            # The parser's sentences are constants: they hold nothing of the request.
            return _VERSION if "HTTP version" in str(error) else _wrong(str(error))
        return _MANY if len(self._lines.headers) > MOST_HEADERS else None

    def _head(self) -> Head | Refusal:
        line = bytes(self._raw.partition(b"\r\n")[0])
        if not _LINE.fullmatch(line):
            return _VERSION if _OTHER_VERSION.fullmatch(line) else _wrong("the request line is malformed")
        if len(self._lines.target) > LONGEST_TARGET:
            return Refusal(414, "The target of the request is too long.")
        return self._judge(line.partition(b" ")[0].decode())

    def _judge(self, method: str) -> Head | Refusal:
        version = self._parser.get_http_version()
        target = split_target(self._lines.target, method)
        if target is None:
            return _wrong("the target is neither a path nor a URL")
        authority, path, query = target
        headers = self._lines.headers
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) > 1 or (version == "1.1" and not hosts):
            return _wrong("there must be one Host header")
        if not all(_HOST.fullmatch(host) for host in [*hosts, authority or b""]):
            return _wrong("the Host header is malformed")
        if authority is not None:
            headers = [(b"host", authority), *(each for each in headers if each[0] != b"host")]
        values = dict(headers)
        coded = b", ".join(value for name, value in headers if name == b"transfer-encoding")
        expected = values.get(b"expect", b"").lower()
        if b"transfer-encoding" in values and (version == "1.0" or coded.lower() != b"chunked"):
            return Refusal(501 if version == "1.1" else 400, "The only transfer coding that is understood is chunked.")
        if expected not in (b"", b"100-continue"):
            return Refusal(417, "The only expectation that is understood is 100-continue.")
        # llhttp has bounded the number, but not its zeros, and Python reads no more than 4,300 digits.
        length = None if coded else int(values.get(b"content-length", b"0").lstrip(b"0") or b"0")
        return Head(
            method,
            path,
            query,
            headers,
            version,
            _keeps_alive(version, headers),
            length,
            bool(expected) and version == "1.1" and length != 0,
        )


def _keeps_alive(version: str, headers: list[tuple[bytes, bytes]]) -> bool:
    tokens = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return b"close" not in tokens and (version == "1.1" or b"keep-alive" in tokens)


def split_target(target: bytes, method: str) -> tuple[bytes | None, bytes, bytes] | None:
    """Take a target apart: the authority, if it names one, the path, the query; None when it has no known form."""
    if method == "CONNECT":
        return None
    if target == b"*" and method == "OPTIONS":
        return None, target, b""
    if origin := _ORIGIN.fullmatch(target):
        return None, origin[1], (origin[2] or b"?")[1:]
    if absolute := _ABSOLUTE.fullmatch(target):
        return absolute[1], absolute[2] or b"/", (absolute[3] or b"?")[1:]
    return None


def _wrong(what: str) -> Refusal:
    return Refusal(400, f"The request is not valid HTTP/1.1: {what}")


_MANY = Refusal(431, "The request has too many headers.")
_VERSION = Refusal(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
