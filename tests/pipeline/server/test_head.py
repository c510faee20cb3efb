"""Heads of requests: what is understood, what is refused, and that cuts never matter."""

from __future__ import annotations

import gc
import weakref

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.server.head import LONGEST_TARGET, MOST_HEADERS, Head, HeadParser
from pipeline.server.refusal import Refusal
from tests.pipeline.server.cuts import every_cut
from tests.support.cases import cases

LIMIT = 65_536


def parsed(data: bytes, cuts: tuple[int, ...] = ()) -> tuple[Head | Refusal | None, bytes]:
    """Feed bytes in pieces; return what came of them, and what was left."""
    parser = HeadParser(LIMIT)
    ends = [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    begin, outcome, rest = 0, None, b""
    for end in ends:
        outcome, rest = parser.feed(data[begin:end])
        begin = end
        if outcome is not None:
            break
    return outcome, rest + data[begin:]


def head(line: bytes, *lines: bytes, host: bytes = b"host: a") -> bytes:
    """Write a head."""
    return b"\r\n".join([line, *([host] if host else []), *lines, b"", b""])


def understood(data: bytes) -> Head:
    """Parse a head that must be good."""
    outcome, rest = parsed(data)
    assert isinstance(outcome, Head)
    assert rest == b""
    return outcome


def test_a_head() -> None:
    """Method, path, query, headers in order with lower names, and what is kept alive."""
    assert understood(head(b"POST /v1/messages?beta=true HTTP/1.1", b"X-Api-Key:  k ", b"Content-Length: 12")) == Head(
        method="POST",
        path=b"/v1/messages",
        query=b"beta=true",
        headers=[(b"host", b"a"), (b"x-api-key", b"k"), (b"content-length", b"12")],
        http_version="1.1",
        keep_alive=True,
        length=12,
        expects=False,
    )


FORMS: dict[bytes, tuple[bytes, bytes, bytes]] = {
    b"GET /a HTTP/1.1": (b"/a", b"", b"a"),
    b"GET http://b:80/c?d HTTP/1.1": (b"/c", b"d", b"b:80"),
    b"GET HTTP://b HTTP/1.1": (b"/", b"", b"b"),
    b"GET http://b?d HTTP/1.1": (b"/", b"d", b"b"),
    b"OPTIONS * HTTP/1.1": (b"*", b"", b"a"),
    b"GET //a/../b HTTP/1.1": (b"//a/../b", b"", b"a"),
    b"GET /%20%ff HTTP/1.1": (b"/%20%ff", b"", b"a"),
}
"""Targets, and the path, query and host that they mean."""


@pytest.mark.parametrize("line", FORMS)
def test_forms_of_targets(line: bytes) -> None:
    """A URL's authority is the host, whatever the header says."""
    outcome = understood(head(line))
    assert (outcome.path, outcome.query, dict(outcome.headers)[b"host"]) == FORMS[line]


REFUSED: dict[str, tuple[int, bytes]] = {
    "both lengths": (400, head(b"POST / HTTP/1.1", b"transfer-encoding: chunked", b"content-length: 3")),
    "both lengths, the other way": (400, head(b"POST / HTTP/1.1", b"content-length: 3", b"transfer-encoding: chunked")),
    "two lengths": (400, head(b"POST / HTTP/1.1", b"content-length: 3", b"content-length: 3")),
    "a list of lengths": (400, head(b"POST / HTTP/1.1", b"content-length: 3, 3")),
    "a signed length": (400, head(b"POST / HTTP/1.1", b"content-length: +3")),
    "a length that overflows": (400, head(b"POST / HTTP/1.1", b"content-length: 99999999999999999999")),
    "a length with a space before its colon": (400, head(b"POST / HTTP/1.1", b"content-length : 3")),
    "another coding": (400, head(b"POST / HTTP/1.1", b"transfer-encoding: gzip")),
    "a coding around": (400, head(b"POST / HTTP/1.1", b"transfer-encoding: chunked, gzip")),
    "a coding inside": (501, head(b"POST / HTTP/1.1", b"transfer-encoding: gzip, chunked")),
    "a coding twice": (400, head(b"POST / HTTP/1.1", b"transfer-encoding: chunked", b"transfer-encoding: chunked")),
    "another coding before it": (
        501,
        head(b"POST / HTTP/1.1", b"transfer-encoding: identity", b"transfer-encoding: chunked"),
    ),
    "a coding in HTTP/1.0": (400, head(b"POST / HTTP/1.0", b"transfer-encoding: chunked")),
    "another expectation": (417, head(b"POST / HTTP/1.1", b"expect: 200-ok")),
    "bare line feeds": (400, b"GET / HTTP/1.1\nhost: a\n\n"),
    "a bare line feed": (400, b"GET / HTTP/1.1\r\nhost: a\nx: b\r\n\r\n"),
    "a bare carriage return": (400, b"GET / HTTP/1.1\r\nhost: a\rx: b\r\n\r\n"),
    "a folded line": (400, b"GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n"),
    "a space before the first header": (400, b"GET / HTTP/1.1\r\n host: a\r\n\r\n"),
    "a zero byte": (400, head(b"GET / HTTP/1.1", b"x: a\x00b")),
    "a header without a name": (400, head(b"GET / HTTP/1.1", b": b")),
    "a header without a colon": (400, head(b"GET / HTTP/1.1", b"b")),
    "a strange name": (400, head(b"GET / HTTP/1.1", b'a"b: c')),
    "no host": (400, head(b"GET / HTTP/1.1", host=b"")),
    "two hosts": (400, head(b"GET / HTTP/1.1", b"host: a")),
    "a host that is none": (400, head(b"GET / HTTP/1.1", host=b"host: a b")),
    "a target that is no ASCII": (400, head(b"GET /\xff HTTP/1.1")),
    "two spaces": (400, head(b"GET  / HTTP/1.1")),
    "a tab": (400, head(b"GET\t/ HTTP/1.1")),
    "a space in the target": (400, head(b"GET /a b HTTP/1.1")),
    "a fragment": (400, head(b"GET /a#b HTTP/1.1")),
    "a name in the target": (400, head(b"GET http://u@a/ HTTP/1.1")),
    "another scheme": (400, head(b"GET ftp://a/ HTTP/1.1")),
    "an authority": (400, head(b"GET a:80 HTTP/1.1")),
    "CONNECT": (400, head(b"CONNECT a:80 HTTP/1.1")),
    "an unknown method": (400, head(b"FOO / HTTP/1.1")),
    "no version": (400, b"GET /\r\n\r\n"),
    "HTTP/2 by prior knowledge": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/2 by name": (505, head(b"GET / HTTP/2.0")),
    "HTTP/1.2": (505, head(b"GET / HTTP/1.2")),
    "HTTP/0.9": (505, head(b"GET / HTTP/0.9")),
    "another protocol": (400, head(b"GET / RTSP/1.0")),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "too many headers": (431, head(b"GET / HTTP/1.1", *[b"x: y"] * MOST_HEADERS)),
    "headers that never end": (431, head(b"GET / HTTP/1.1", b"x: " + b"y" * LIMIT)),
    "a long target": (414, head(b"GET /" + b"a" * LONGEST_TARGET + b" HTTP/1.1")),
}


@cases("name", REFUSED)
def test_refused(name: str) -> None:
    """Each with its status, at the latest when the head is whole, wherever it was cut, and byte by byte."""
    status, data = REFUSED[name]
    for cuts in every_cut(data):
        outcome, _ = parsed(data, cuts)
        assert isinstance(outcome, Refusal)
        assert outcome.status == status


@given(cuts=st.lists(st.integers(0, 200), max_size=6).map(tuple), rest=st.binary(max_size=20))
def test_cuts_never_matter(cuts: tuple[int, ...], rest: bytes) -> None:
    """However a head arrives, it is the same, and what follows it is left as it is."""
    data = head(b"POST /a?b=c HTTP/1.1", b"Content-Length: 20", b"Expect: 100-continue")
    outcome, left = parsed(data + rest, cuts)
    assert outcome == parsed(data)[0]
    assert left == rest


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"close", False),
        (b"1.1", b"x, Close", False),
        (b"1.0", b"", False),
        (b"1.0", b"keep-alive", True),
    ],
)
def test_keep_alive(version: bytes, connection: bytes, *, kept: bool) -> None:
    """What each version does unless told otherwise."""
    lines = [b"connection: " + connection] if connection else []
    assert understood(head(b"GET / HTTP/" + version, *lines)).keep_alive is kept


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize("wish", [b"h2c", b"websocket", b"TLS/1.0"])
def test_upgrades_are_not_offered(method: bytes, wish: bytes) -> None:
    """A wish to upgrade is passed over: the request and its body are what they are without it."""
    plain = head(method + b" / HTTP/1.1", b"content-length: 3", b"connection: upgrade, http2-settings")
    data = plain.replace(b"connection", b"Upgrade: " + wish + b"\r\nconnection")
    assert parsed(data + b"abc") == (parsed(plain)[0], b"abc")


def test_expectations() -> None:
    """Only a body that is still to come is waited for, and only in HTTP/1.1."""
    lines = (b"expect: 100-Continue", b"content-length: 3")
    assert understood(head(b"POST / HTTP/1.1", *lines)).expects
    assert not understood(head(b"POST / HTTP/1.0", *lines)).expects
    assert not understood(head(b"POST / HTTP/1.1", lines[0])).expects


def test_headers_without_number_are_refused_before_their_end() -> None:
    """What is kept of a head that does not end is bounded in number as well as in bytes."""
    outcome, _ = parsed(head(b"GET / HTTP/1.1", *[b"x:y"] * (MOST_HEADERS + 1))[:-2])
    assert isinstance(outcome, Refusal)
    assert outcome.status == 431


def test_a_length_with_thousands_of_zeros() -> None:
    """It is a number all the same; Python reads no more than 4,300 digits of one."""
    assert understood(head(b"POST / HTTP/1.1", b"content-length: " + b"0" * 5000 + b"7")).length == 7


def test_an_empty_line_before_a_request() -> None:
    """One is passed over; it is no beginning of a head."""
    parser = HeadParser(LIMIT)
    assert parser.feed(b"\r\n") == (None, b"")
    assert parser.empty
    assert parsed(b"\r\n" + head(b"GET / HTTP/1.1")) == parsed(head(b"GET / HTTP/1.1"))


def test_a_refusal_quotes_nothing() -> None:
    """Sentences are constants."""
    for status, data in REFUSED.values():
        marked = parsed(data.replace(b"x: ", b"x: secret"))[0]
        assert status
        assert "secret" not in str(attrs.asdict(marked) if isinstance(marked, Refusal) else "")


@pytest.mark.parametrize("data", [head(b"GET / HTTP/1.1"), b"GET / HT", b"", b"\0\r\n\r\n"])
def test_no_head_waits_for_the_garbage_collector(data: bytes) -> None:
    """One stays as long as its request, and what has grown old is looked at after a million requests."""
    gc.disable()
    try:
        parser = HeadParser(LIMIT)
        outcome = parser.feed(data)
        seen = weakref.ref(parser)
        del parser, outcome

        assert seen() is None
    finally:
        gc.enable()
