"""Bodies of requests: counted and in chunks, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.server.body import LONGEST_LINE, TRAILER_BYTES, MalformedBodyError, body_of
from tests.support.counting import calls_of

REST = b"GET / HTTP/1.1\r\n"
"""What follows a body: the next request."""


def fed(length: int | None, data: bytes, cuts: list[int]) -> tuple[bytes, bytes, bool]:
    """Feed bytes in pieces; return the body, what is behind it, and whether it is complete."""
    reader, body, begin, rest = body_of(length), b"", 0, b""
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        if reader.complete:
            rest += data[begin:end]
        else:
            own, rest = reader.feed(data[begin:end])
            body += own
        begin = end
    return body, rest, reader.complete


CUTS = st.lists(st.integers(0, 500), max_size=8)


@given(body=st.binary(max_size=60), cuts=CUTS)
def test_counted(body: bytes, cuts: list[int]) -> None:
    """As many bytes as were announced, and the next request behind them."""
    assert fed(len(body), body + REST, cuts) == (body, REST, True)


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    extension=st.sampled_from([b"", b";a=b", b" ;a", b'; a="b"']),
    trailer=st.sampled_from([b"", b"x: y\r\n", b"x:\r\nz: \xff\r\n"]),
    cuts=CUTS,
)
def test_chunks(pieces: list[bytes], extension: bytes, trailer: bytes, cuts: list[int]) -> None:
    """The pieces in order; extensions and trailers are read and dropped."""
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    data = chunks + b"000" + extension + b"\r\n" + trailer + b"\r\n" + REST
    assert fed(None, data, cuts) == (b"".join(pieces), REST, True)


def test_many_small_chunks_are_a_step_each() -> None:
    """However many come in one read, each costs one look at its line."""
    chunks = 2_000
    assert calls_of(lambda: body_of(None).feed(b"1\r\nx\r\n" * chunks)) < 6 * chunks


MALFORMED = {
    "no size": b"\r\nabc",
    "no number": b"xyz\r\nabc\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "a prefix": b"0x3\r\nabc\r\n",
    "a space before": b" 3\r\nabc\r\n",
    "a bare line feed": b"3\nabc\n",
    "a carriage return in an extension": b"3;a\rb\r\nabc\r\n",
    "a chunk longer than its size": b"3\r\nabcd\r\n",
    "a chunk without a line end": b"3\r\nabc3\r\n",
    "half a line end": b"3\r\nabc\rx",
    "a size without end": b"1" * 20 + b"\r\n",
    "a line without end": b"3;" + b"a" * LONGEST_LINE,
    "a trailer that is none": b"0\r\nno trailer\r\n\r\n",
    "a folded trailer": b"0\r\na: b\r\n c\r\n\r\n",
    "trailers without end": b"0\r\n" + b"a: b\r\n" * (TRAILER_BYTES // 6 + 1),
}


@pytest.mark.parametrize("name", MALFORMED)
@given(cuts=CUTS)
def test_malformed(name: str, cuts: list[int]) -> None:
    """What another server might read otherwise is refused."""
    with pytest.raises(MalformedBodyError):
        fed(None, MALFORMED[name], cuts)


@given(cuts=CUTS)
def test_what_is_kept_is_less_than_a_line(cuts: list[int]) -> None:
    """Bytes of a chunk are handed out as they come."""
    assert fed(None, b"ff\r\n" + b"a" * 100, cuts) == (b"a" * 100, b"", False)
