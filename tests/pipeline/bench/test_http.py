"""HTTP for both ends of the bench."""

from __future__ import annotations

import pytest

from pipeline.bench import http
from tests.support.cases import cases

_COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"
_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\n\r\n"


@cases("size", [1, 2, 3, 5, 7, 1_000])
@cases("whole", [_COUNTED, _CHUNKED])
def test_how_a_message_is_cut_does_not_matter(whole: bytes, size: int) -> None:
    """It is complete with its last byte and not before, and its body is without framing."""
    message = http.HttpMessage()
    for begin in range(0, len(whole), size):
        assert not message.complete
        message.add(whole[begin : begin + size])

    assert message.complete
    assert message.body == b"hello world"
    assert message.head.startswith(b"HTTP/1.1 200")


def test_a_message_without_a_body() -> None:
    """A request that announces nothing ends with its head."""
    message = http.HttpMessage()
    message.add(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")

    assert message.complete
    assert message.body == b""


def test_chunks_are_framed_as_they_are_read() -> None:
    """The upstream's framing and the client's reading fit."""
    message = http.HttpMessage()
    message.add(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + http.chunk(b"a" * 300) + http.chunk(b""))

    assert message.complete
    assert message.body == b"a" * 300


@pytest.mark.parametrize(("header", "expected"), [(b"Connection: close", True), (b"connection: keep-alive", False)])
def test_whether_a_connection_ends(header: bytes, expected: bool) -> None:
    """A client that goes on where the server has said goodbye would count a failure that is none."""
    assert http.says_close(b"HTTP/1.1 200 OK\r\n" + header) is expected
