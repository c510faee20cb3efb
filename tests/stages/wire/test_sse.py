"""Server-sent events: the decoder against a naive reference, and however the bytes are cut (law 4)."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.wire import sse
from tests.stages.strategies import PLACES, cut
from tests.support.steps import steps_of

LINES = st.sampled_from(
    [
        "data: a",
        "data:b",
        "data:  c ",
        "data:",
        "data: é🙂",
        "event: x",
        ": comment",
        "id: 7",
        "retry: 5",
        "",
        "data: 1: 2",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn, ends: st.SearchStrategy[str] = ENDS) -> bytes:
    """Draw a stream of lines, each with its own line end, perhaps with a byte order mark, perhaps unfinished."""
    lines = draw(st.lists(st.tuples(LINES, ends), max_size=12))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + "".join(line + end for line, end in lines).encode() + draw(st.sampled_from([b"", b"data: rest"]))


def reference(data: bytes) -> list[bytes]:
    """Read a whole stream line by line, as the standard's text does; the last event needs no blank line."""
    payloads, open_lines = [], []
    for line in [*re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), b""]:
        if line.startswith(b"data:"):
            open_lines.append(line[5:].removeprefix(b" "))
        elif not line and open_lines:
            payloads.append(b"\n".join(open_lines).strip())
            open_lines = []
    return payloads


def decoded(chunks: list[bytes]) -> list[bytes]:
    """Feed chunks to a decoder of its own."""
    decoder = sse.Decoder()
    return [payload for chunk in chunks for payload in decoder.feed(chunk)] + decoder.finish()


@given(streams())
def test_the_decoder_reads_what_the_standard_says(data: bytes) -> None:
    """A whole stream in one piece gives the reference's payloads."""
    assert decoded([data]) == reference(data)


@given(streams(), PLACES)
def test_cuts_never_matter(data: bytes, places: list[int]) -> None:
    """The same bytes in any pieces give the same payloads."""
    assert decoded(cut(data, places)) == reference(data)


@given(streams(), PLACES)
def test_cuts_of_long_events_never_matter(data: bytes, places: list[int]) -> None:
    """Also where the lines of an event are read before it is whole."""
    rest = data.removeprefix(b"\xef\xbb\xbf")
    for end in (b"\r", b"\n", b"\r\n"):
        long = b"data: " + b"z" * 70_000 + end + rest
        assert decoded([long[:70_007], *cut(long[70_007:], places)]) == reference(long)


@given(streams(st.just("\n")))
def test_byte_by_byte(data: bytes) -> None:
    """Single bytes, with the line end that everybody uses."""
    assert decoded([data[i : i + 1] for i in range(len(data))]) == reference(data)


def test_a_payload_leaves_with_its_blank_line() -> None:
    """An event is handed on at once when it is whole, and not before."""
    decoder = sse.Decoder()

    assert decoder.feed(b"data: 1\n") == []
    assert decoder.pending == 8
    assert decoder.feed(b"\ndata: 2") == [b"1"]
    assert decoder.pending == 7
    assert decoder.feed(b"\n\n") == [b"2"]
    assert decoder.pending == 0


def test_a_carriage_return_waits_for_its_line_feed() -> None:
    """A line end that the network cut in two is one line end."""
    decoder = sse.Decoder()

    assert decoder.feed(b"data: 1\r\n\r") == []
    assert decoder.feed(b"\ndata: 2\r\n\r\n") == [b"1", b"2"]


def test_a_byte_order_mark_may_come_in_pieces() -> None:
    """The mark is no part of the first line, however it comes; without an event it is nothing."""
    decoder = sse.Decoder()

    assert decoder.feed(b"\xef") == []
    assert decoder.feed(b"\xbb") == []
    assert decoder.feed(b"\xbfdata: 1\n\n") == [b"1"]
    assert sse.Decoder().finish() == []


def test_an_event_without_its_blank_line_is_not_lost() -> None:
    """A server that closes right after its last line has said it; asking twice gives it once."""
    decoder = sse.Decoder()
    decoder.feed(b"event: x\ndata: last")

    assert decoder.finish() == [b"last"]
    assert decoder.finish() == []


@pytest.mark.parametrize("filler", [b": nothing\n\n", b"event: x\n\n", b"\n\n\n", b"\r\n\r\n"])
def test_what_has_no_data_is_no_event(filler: bytes) -> None:
    """Comments, bare names and blank lines say nothing."""
    assert decoded([filler + b"data: 1\n\n" + filler]) == [b"1"]


@pytest.mark.parametrize("line", [b"x" * 500, b"x" * 490 + b"\r\ndata: ", b"x\ndata: ", b"x\r: nothing\rdata: "])
def test_a_long_event_is_not_searched_again(line: bytes) -> None:
    """Whatever its lines end in, a piece of it costs the same at its end as at its beginning."""
    decoder = sse.Decoder()
    decoder.feed(b"data: ")

    def feed() -> None:
        for _ in range(2_000):
            assert decoder.feed(line) == []

    first = steps_of(feed, 10_000_000)
    assert steps_of(feed, 10_000_000) < 2 * first
    assert decoder.pending == 6 + 4_000 * len(line)
    for end in (b"\n", b"\r\n", b"\r"):
        whole, after = deepcopy(decoder).feed(2 * end + b"data: y\n\n")
        assert [whole, after] == reference(b"data: " + line * 4_000 + 2 * end + b"data: y\n\n")


@given(st.from_regex(r"\A[a-z._]{1,20}\Z"), st.binary().filter(lambda data: not set(data) & set(b"\r\n")))
def test_an_encoded_event_decodes(name: str, data: bytes) -> None:
    """What we frame, we read."""
    frame = sse.encode(name, data)

    assert frame.startswith(f"event: {name}\ndata: ".encode())
    assert decoded([frame]) == [data.strip()]
