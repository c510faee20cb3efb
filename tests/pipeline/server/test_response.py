"""Responses as bytes, read by another implementation of HTTP."""

from __future__ import annotations

import h11
import pytest

from pipeline.server.response import Response

Sent = tuple[int, dict[bytes, bytes], bytes]


def read(data: bytes, method: str = "GET", *, closed: bool = False) -> Sent:
    """Read one whole response: status, headers and body."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    if closed:
        connection.receive_data(b"")
    head = connection.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return head.status_code, dict(head.headers), body


def started(*headers: tuple[bytes, bytes], version: str = "1.1", bodiless: bool = False, status: int = 200) -> Response:
    """Begin a response on a connection that may go on."""
    response = Response(version, bodiless=bodiless)
    response.start(status, headers, keep_alive=True)
    return response


def test_chunks() -> None:
    """Without a length the body comes in chunks; the head leaves with the first, an empty piece ends nothing."""
    response = started((b"a", b"b"))
    first, gap, end = (
        response.body(b"one", more=True),
        response.body(b"", more=True),
        response.body(b"two", more=False),
    )

    status, headers, body = read(first + gap + end)
    assert (status, headers[b"a"], body) == (200, b"b", b"onetwo")
    assert first.endswith(b"\r\n\r\n3\r\none\r\n")
    assert gap == b""
    assert response.keep_alive
    assert response.complete


def test_nothing_is_sent_before_there_is_something() -> None:
    """A head waits for its body, or for the end of one that never came."""
    response = started()
    assert response.body(b"", more=True) == b""
    assert read(response.body(b"", more=False))[2] == b""


def test_a_length() -> None:
    """A body of a known length is sent as it is."""
    response = started((b"content-length", b"3"))
    data = response.body(b"abc", more=False)
    assert data.endswith(b"\r\n\r\nabc")
    assert read(data)[2] == b"abc"


@pytest.mark.parametrize(("data", "more"), [(b"abcd", True), (b"ab", False), (b"", False)])
def test_a_length_must_be_true(data: bytes, *, more: bool) -> None:
    """Too much and too little are bugs of the application, and never reach the wire."""
    with pytest.raises(ValueError, match="as long as"):
        started((b"content-length", b"3")).body(data, more=more)


@pytest.mark.parametrize(("status", "bodiless"), [(200, True), (204, False), (304, False)])
def test_without_a_body(status: int, *, bodiless: bool) -> None:
    """Answers to HEAD, and some statuses, have none, whatever the application sends."""
    response = started((b"content-length", b"3"), bodiless=bodiless, status=status)
    data = response.body(b"abc", more=False)
    assert data.endswith(b"\r\n\r\n")
    assert response.keep_alive


def test_old_clients() -> None:
    """HTTP/1.0 knows no chunks: without a length the connection ends with the body, with one it may go on."""
    response = started(version="1.0")
    assert read(response.body(b"abc", more=False), closed=True)[2] == b"abc"
    assert not response.keep_alive

    response = started((b"content-length", b"3"), version="1.0")
    assert read(response.body(b"abc", more=False))[1][b"connection"] == b"keep-alive"
    assert response.keep_alive


def test_a_connection_that_ends() -> None:
    """It is told to the client."""
    response = Response("1.1", bodiless=False)
    response.start(529, [], keep_alive=False)
    status, headers, _ = read(response.body(b"", more=False))
    assert (status, headers[b"connection"]) == (529, b"close")


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb"])
def test_line_ends_in_headers(value: bytes) -> None:
    """What would begin another header is a bug of the application."""
    with pytest.raises(ValueError, match="line end"):
        started((b"a", value))


def test_the_order_of_things() -> None:
    """One head, then a body, then nothing more."""
    response = Response("1.1", bodiless=False)
    with pytest.raises(RuntimeError):
        response.body(b"", more=True)
    response.start(200, [], keep_alive=True)
    with pytest.raises(RuntimeError):
        response.start(200, [], keep_alive=True)
    response.body(b"", more=False)
    with pytest.raises(RuntimeError):
        response.body(b"", more=False)
