"""Framing: bytes in, body out, whatever the cut."""

from __future__ import annotations

import gc
import weakref

import httpx
import pytest

from pipeline.upstream.http1.framing import ResponseFramer
from tests.support.cases import cases

CHUNKED = (
    b"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
    b"HTTP/1.1 200 All Right\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\nX-Spaced:  a b \t\r\n\r\n"
    b"5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n"
)
CHUNKED_HEADERS = [(b"Transfer-Encoding", b"chunked"), (b"X-Empty", b""), (b"X-Spaced", b"a b")]


def framer(*, bodiless: bool = False, head_limit: int = 10_000) -> ResponseFramer:
    """Make a framer with room enough."""
    return ResponseFramer(bodiless=bodiless, head_limit=head_limit)


def fed(subject: ResponseFramer, *reads: bytes) -> list[bytes]:
    """Feed it the reads one after another."""
    return [subject.feed(read) for read in reads]


def facts(subject: ResponseFramer) -> tuple[object, ...]:
    """Say what a framer knows of its response."""
    return (subject.status, subject.reason, subject.headers, subject.complete, subject.keep_alive, subject.fault)


@cases("cut", range(1, len(CHUNKED)))
def test_a_cut_anywhere_changes_nothing(cut: int) -> None:
    """Law 4: two reads give the same response as one, wherever the cut."""
    subject = framer()

    body = b"".join(fed(subject, CHUNKED[:cut], CHUNKED[cut:]))

    assert body == b"hello world"
    assert facts(subject) == (200, b"All Right", CHUNKED_HEADERS, True, True, None)


def test_byte_by_byte_changes_nothing() -> None:
    """Law 4, at its finest."""
    subject = framer()

    body = b"".join(fed(subject, *(CHUNKED[i : i + 1] for i in range(len(CHUNKED)))))

    assert body == b"hello world"
    assert facts(subject) == (200, b"All Right", CHUNKED_HEADERS, True, True, None)


def test_one_read_gives_one_piece_however_many_chunks() -> None:
    """All chunks of a read leave together."""
    subject = framer()
    subject.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    assert subject.feed(b"1\r\na\r\n" * 50) == b"a" * 50
    assert not subject.complete


def test_an_empty_response_is_complete_with_its_head() -> None:
    """A content-length of zero ends with the head."""
    subject = framer()

    assert subject.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == b""
    assert (subject.complete, subject.keep_alive) == (True, True)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    """RFC 9112, section 6.3: 204 and 304 end with their head whatever it says."""
    subject = framer()

    subject.feed(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)

    assert (subject.complete, subject.keep_alive) == (True, True)


def test_head_has_no_body() -> None:
    """The response to HEAD announces a length that does not come."""
    subject = framer(bodiless=True)

    assert subject.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == b""
    assert (subject.complete, subject.keep_alive) == (True, True)


def test_a_body_after_head_spoils_the_connection() -> None:
    """A server that answers HEAD with a body would have it read as the next response."""
    subject = framer(bodiless=True)

    assert subject.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") == b""
    assert (subject.complete, subject.keep_alive) == (True, False)


@pytest.mark.parametrize(
    "surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", b"H", b"junk", b"HTTP/1.1 404 No\r\nX: y\r\n"]
)
def test_bytes_after_the_end_are_nobodys(surplus: bytes) -> None:
    """What follows the response is not delivered, changes nothing of it, and spoils the connection."""
    subject = framer()

    assert subject.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + surplus) == b"ok"
    assert facts(subject) == (200, b"OK", [(b"Content-Length", b"2")], True, False, None)


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK\r\nConnection: close"])
def test_who_means_to_close_is_not_kept(head: bytes) -> None:
    """HTTP/1.0 and `Connection: close` end the connection with the response."""
    subject = framer()

    assert subject.feed(head + b"\r\nContent-Length: 2\r\n\r\nok") == b"ok"
    assert (subject.complete, subject.keep_alive) == (True, False)


@pytest.mark.parametrize("coding", [b"", b"Transfer-Encoding: chunked, gzip\r\n"])
def test_a_body_without_length_ends_with_the_connection(coding: bytes) -> None:
    """RFC 9112, section 6.3, rules 4 and 8."""
    subject = framer()

    assert fed(subject, b"HTTP/1.1 200 OK\r\n" + coding + b"\r\nab", b"cd") == [b"ab", b"cd"]
    assert not subject.complete
    subject.end()
    assert facts(subject)[3:] == (True, False, None)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n4\r\nhell\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n0\r\n",
    ],
)
def test_an_end_before_the_end_is_a_fault(response: bytes) -> None:
    """A body that announces its end and does not reach it was cut."""
    subject = framer()

    assert subject.feed(response) == b"hell"
    subject.end()
    assert not subject.complete
    assert isinstance(subject.fault, httpx.RemoteProtocolError)


def test_what_came_before_a_mistake_is_delivered() -> None:
    """Law 4 again: good chunks count, also when the same read holds a bad one."""
    subject = framer()
    subject.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    assert subject.feed(b"2\r\nok\r\nzz\r\n") == b"ok"
    assert (subject.complete, subject.keep_alive) == (False, False)
    assert isinstance(subject.fault, httpx.RemoteProtocolError)


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: y\x00z\r\n\r\n",
    ],
)
def test_what_is_no_response_is_a_fault(response: bytes) -> None:
    """Another protocol, one nobody asked for, and heads that two readers would understand differently."""
    subject = framer()
    subject.feed(response)

    assert not subject.head_complete
    assert isinstance(subject.fault, httpx.RemoteProtocolError)


def test_an_upgrade_on_offer_is_no_upgrade() -> None:
    """Servers may advertise other protocols in an ordinary response."""
    subject = framer()

    head = b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n"
    assert subject.feed(head + b"ok") == b"ok"
    assert (subject.complete, subject.fault) == (True, None)


@pytest.mark.parametrize("line", [b"X: " + b"y" * 200, b"X: y\r\n" * 40])
def test_a_head_without_end_is_a_fault(line: bytes) -> None:
    """Memory is bounded (law 6): neither a long header nor many of them get past the limit."""
    subject = framer(head_limit=100)
    fed(subject, b"HTTP/1.1 200 OK\r\n", line)

    assert isinstance(subject.fault, httpx.RemoteProtocolError)


def test_interim_responses_count_towards_the_limit() -> None:
    """A server cannot keep us busy with interim responses for ever."""
    subject = framer(head_limit=100)
    fed(subject, *[b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 5)

    assert isinstance(subject.fault, httpx.RemoteProtocolError)


def test_a_released_framer_needs_no_collector() -> None:
    """The cycle of parser and callbacks is broken by hand."""
    subject = framer()
    subject.feed(CHUNKED)
    seen = weakref.ref(subject)
    gc.disable()
    try:
        subject.release()
        del subject

        assert seen() is None
    finally:
        gc.enable()
