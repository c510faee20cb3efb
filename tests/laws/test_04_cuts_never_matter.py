"""Law 4. How bytes are cut never matters: any chunking of the upstream's bytes gives the same client bytes."""

from __future__ import annotations

import gzip
import json as stdlib
import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.wire import json
from tests.support.client import Reply
from tests.support.hosted import ADVISING, ASKED, COMPACTED, COMPACTING, FALLEN, FALLING
from tests.support.running import REQUEST, TIGHT, answer, client_of
from tests.support.streams import COMPLETED, INCOMPLETE, Stream, streams
from tests.support.upstream import Script, ScriptedUpstream

_RANDOM = re.compile(rb"(msg|req)_[0-9a-f]{24}")
# Ids that each request has of its own; the upstream's in `streams` are shorter.

LINE_ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
"""The three that the standard of event streams knows."""


def _seen(reply: Reply) -> tuple[int, bytes]:
    """What the client got, less what is different in each request."""
    assert reply.ended
    return reply.status, _RANDOM.sub(rb"\1_", reply.body)


def _run(chunks: Sequence[bytes], *, capacity: int = 16, stream: bool = True) -> tuple[int, bytes]:
    return _seen(trio.run(partial(answer, *chunks, capacity=capacity, stream=stream)))


def cut(body: bytes, places: Sequence[float]) -> list[bytes]:
    """Cut bytes at places given as parts of their length; empty chunks are possible."""
    at = [0, *sorted(int(place * len(body)) for place in places), len(body)]
    return [body[a:b] for a, b in pairwise(at)]


def single(body: bytes) -> list[bytes]:
    """Cut bytes into single ones."""
    return [body[at : at + 1] for at in range(len(body))]


bytewise = settings(max_examples=max(5, settings().max_examples // 5))
"""For streams that come byte by byte: each is a thousand cuts, and the dearest of all tests."""

places = st.lists(st.floats(0, 1), max_size=30)


@given(stream=streams(), places=places, capacity=st.sampled_from(TIGHT), streamed=st.booleans())
def test_any_cuts(stream: Stream, places: list[float], capacity: int, *, streamed: bool) -> None:
    """A stream cut anywhere is the stream in one piece."""
    whole = _run([stream.body], stream=streamed)

    assert _run(cut(stream.body, places), capacity=capacity, stream=streamed) == whole


@bytewise
@given(stream=streams(), capacity=st.sampled_from(TIGHT))
def test_byte_by_byte(stream: Stream, capacity: int) -> None:
    """A stream that comes byte by byte is the stream in one piece."""
    assert _run(single(stream.body), capacity=capacity) == _run([stream.body])


@st.composite
def dressed(draw: st.DrawFn, body: bytes) -> bytes:
    """Write a stream in another way that means the same: line ends, a mark, comments, fields, odd data lines."""
    frames = [frame for frame in body.split(b"\n\n") if frame]
    decorations = (b": comment\n", b"id: 7\n", b"retry: 10\n", b": \n\n", b"\n\n", b"event\n", b"nonsense: x\n")
    told = []
    for frame in frames:
        data = frame.split(b"data: ", 1)[1]
        extra = draw(st.sampled_from((b"", b"", *decorations)))
        form = draw(st.sampled_from(("named", "bare", "tight", "split")))
        lines = {
            "named": frame,
            "bare": b"data: " + data,
            "tight": b"data:" + data,
            "split": b"data: {\ndata: " + data[1:],
        }[form]
        told.append(extra + lines + b"\n\n")
    end = draw(st.sampled_from((b"", b"data: [DONE]\n\n")))
    mark = draw(st.sampled_from((b"", b"\xef\xbb\xbf")))
    whole = b"".join(told) + end
    if draw(st.booleans()):
        whole = whole.removesuffix(b"\n\n")
    return mark + whole.replace(b"\n", LINE_ENDS[draw(st.sampled_from(sorted(LINE_ENDS)))])


@given(data=st.data(), stream=streams(), places=places)
def test_ways_to_write_it(data: st.DataObject, stream: Stream, places: list[float]) -> None:
    """Line ends, marks, comments and unknown fields are no content, wherever the cuts fall between them."""
    body = data.draw(dressed(stream.body))

    assert _run(cut(body, places)) == _run([stream.body])


@bytewise
@given(stream=streams(), end=st.sampled_from(("CRLF", "CR")), mark=st.sampled_from((b"", b"\xef\xbb\xbf")))
def test_line_ends_byte_by_byte(stream: Stream, end: str, mark: bytes) -> None:
    """A line end of two bytes whose halves come apart is one line end."""
    body = mark + stream.body.replace(b"\n", LINE_ENDS[end])

    assert _run(single(body)) == _run([stream.body])


@given(
    stream=streams(statuses=(COMPLETED, INCOMPLETE)),
    places=places,
    streamed=st.booleans(),
    capacity=st.sampled_from(TIGHT),
)
def test_cuts_of_a_plain_body(stream: Stream, places: list[float], capacity: int, *, streamed: bool) -> None:
    """An upstream that answers with one JSON object may be cut like any other."""
    response = stream.events[-1]["response"] | {"output": [item.final for item in stream.items]}
    body = json.encode(response)
    whole = _run([body], stream=streamed)

    assert whole[0] == 200
    assert _run(cut(b" \r\n" + body, places), capacity=capacity, stream=streamed) == whole


@bytewise
@given(stream=streams(statuses=(COMPLETED, INCOMPLETE)), streamed=st.booleans())
def test_a_plain_body_byte_by_byte(stream: Stream, *, streamed: bool) -> None:
    """The same, in the most pieces that there can be."""
    body = b" \r\n" + json.encode(stream.events[-1]["response"] | {"output": [item.final for item in stream.items]})

    assert _run(single(body), stream=streamed) == _run([body], stream=streamed)


@given(stream=streams(), places=places)
def test_cuts_of_a_compressed_body(stream: Stream, places: list[float]) -> None:
    """An upstream that compresses although it was not asked to is understood, wherever it is cut."""
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    upstream = ScriptedUpstream(Script(cut(gzip.compress(stream.body), places), headers=headers))
    reply = trio.run(client_of(upstream).messages, REQUEST)

    assert _seen(reply) == _run([stream.body])
    assert upstream.open == 0


@given(stream=streams(statuses=(COMPLETED,)), places=places, streamed=st.booleans())
def test_a_plain_body_with_a_byte_order_mark(stream: Stream, places: list[float], *, streamed: bool) -> None:
    """What may lead a stream may lead a plain body too."""
    body = json.encode(stream.events[-1]["response"] | {"output": [item.final for item in stream.items]})

    assert _run(cut(b"\xef\xbb\xbf" + body, places), stream=streamed) == _run([body], stream=streamed)


@bytewise
@given(stream=streams())
def test_the_ways_to_write_a_letter(stream: Stream) -> None:
    """JSON may write a letter as it is or as an escape, and a payload over several lines."""
    assert _run([_escaped(stream, indent=None)]) == _run([stream.body])
    assert _run(single(_escaped(stream, indent=1))) == _run([stream.body])


def _escaped(stream: Stream, indent: int | None) -> bytes:
    payloads = [stdlib.dumps(event, indent=indent).encode() for event in stream.events]
    return b"".join(b"data: " + payload.replace(b"\n", b"\ndata: ") + b"\n\n" for payload in payloads)


@given(
    course=st.sampled_from([(ADVISING, ASKED), (FALLEN, FALLING), (COMPACTED, COMPACTING)]),
    places=places,
    capacity=st.sampled_from(TIGHT),
    streamed=st.booleans(),
)
def test_an_answer_of_several_rounds(course: Any, places: list[float], capacity: int, *, streamed: bool) -> None:
    """Each of its upstream answers cut anywhere, the advice and the refusals as well."""
    scripts, request = course

    def run(*scripts: Script) -> tuple[int, bytes]:
        upstream = ScriptedUpstream(*scripts)
        return _seen(trio.run(partial(answer, upstream=upstream, request=request, capacity=capacity, stream=streamed)))

    joined = [b"".join(step for step in script.steps if isinstance(step, bytes)) for script in scripts]
    assert run(*(Script(cut(body, places)) for body in joined)) == run(*scripts)
