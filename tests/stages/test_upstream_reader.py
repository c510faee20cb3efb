"""Upstream bytes to events: both forms of a body, however they are cut, whatever is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.actor import LARGE_BATCH, LargeBatch
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.upstream_reader import Framing, UpstreamReader, events_of
from stages.wire import json, responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.strategies import JSON, PLACES, cut

PLAN = AnswerPlan("msg_1", "claude", "gpt", input_tokens=1_000, window=900)
DELTA = b'event: x\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n'
DONE = b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'
MESSAGE = {"type": "message", "id": "msg_u", "content": [{"type": "output_text", "text": "a"}]}


def read(data: bytes, places: list[int] | None = None, **limits: int) -> list[StreamEvent | Failure]:
    """Frame a whole body, cut at these places."""
    framing = Framing(PLAN, **limits)
    return [event for chunk in cut(data, places or []) for event in framing.feed(chunk)] + framing.finish()


def types(events: list[StreamEvent | Failure]) -> list[str | None]:
    """The events' types; a failure's cause."""
    return [event.cause if isinstance(event, Failure) else event.type for event in events]


# -- streams ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b"\r\n\n", b": hello\n\n", b"id: 1\n"])
@given(PLACES)
def test_a_stream_is_its_events(lead: bytes, places: list[int]) -> None:
    """However it begins and is cut, the same events come out (law 4)."""
    events = read(lead + DELTA + DELTA + DONE + b"data: [DONE]\n\n", places)

    assert types(events) == ["response.output_text.delta"] * 2 + ["response.completed"]


_TOLD = [b'{"type":"response.output_text.delta","delta":"a"}'] * 2 + [
    b'{"type":"response.completed","response":{"status":"completed"}}'
]


@pytest.mark.parametrize(
    "data",
    [
        b"".join(b"data: data: %b\n\n" % each for each in _TOLD) + b"data: data: [DONE]\n\n",
        b"".join(b"data: %b\n" % each for each in _TOLD),
        b"".join(b"event: response.output_text.delta\ndata: %b\n" % each for each in _TOLD),
        b"data: " + b"".join(_TOLD) + b"\n\n",
        b"data: [" + b",".join(_TOLD) + b"]\n\n",
        b"".join(b'data: {"event":"x","data":%b}\n\n' % each for each in _TOLD),
        b"\r\n".join(_TOLD),
    ],
    ids=["prefix twice", "no blank line", "names and no blank line", "one line", "a list", "wrapped", "lines of JSON"],
)
@given(PLACES)
def test_payloads_that_are_put_together_otherwise(data: bytes, places: list[int]) -> None:
    """As gateways do that frame what is framed already, or forget to."""
    assert types(read(data, places)) == ["response.output_text.delta"] * 2 + ["response.completed"]


def test_each_read_yields_its_events_at_once() -> None:
    """Nothing is held back once it is whole."""
    framing = Framing()

    assert types(framing.feed(DELTA + DELTA[:20])) == ["response.output_text.delta"]
    assert framing.feed(b"") == []
    assert types(framing.feed(DELTA[20:])) == ["response.output_text.delta"]


def test_the_last_event_needs_no_blank_line() -> None:
    """A server that closes right after its last line has said it; one that was cut inside has not."""
    assert types(read(DELTA + DONE[:-2])) == ["response.output_text.delta", "response.completed"]
    assert types(read(DELTA + DONE[:-9])) == ["response.output_text.delta"]


def test_an_event_that_is_no_json_is_a_failure() -> None:
    """What came before it counts; what comes with it does not."""
    events = read(DELTA + b"data: {nonsense secret}\n\n" + DONE)

    assert types(events) == ["response.output_text.delta", "bad_event"]
    assert "secret" not in repr(events[1])


HEARTBEATS = [
    b"data:\n\n",
    b"data: \n\n",
    b"event: ping\ndata: ping\n\n",
    b"event: ping\ndata:\n\n",
    b"event: ping\ndata: {broken\n\n",
    b"data: keep-alive\n\n",
    b"data: : OPENROUTER PROCESSING\n\n",
    b"event: keepalive\r\ndata:\r\n\r\n",
    b": comment\n\n",
    b"event: heartbeat\n\n",
]


@pytest.mark.parametrize("beat", HEARTBEATS)
@given(PLACES)
def test_a_heartbeat_says_nothing(beat: bytes, places: list[int]) -> None:
    """What is empty or no JSON, under no name of the API's, wherever it stands and however it is cut."""
    events = read(beat + DELTA + beat + beat + DONE + beat, places)

    assert types(events) == ["response.output_text.delta", "response.completed"]


@pytest.mark.parametrize(
    "broken",
    [
        b"event: response.output_text.delta\ndata: {broken\n\n",
        b"event: response.output_text.delta\ndata:\n\n",
        b"event: response.completed\ndata: done\n\n",
        b'data: {"type":"response.output_text.delta","delta":"a\n\n',
    ],
)
def test_a_broken_event_of_the_api_is_a_failure(broken: bytes) -> None:
    """What came under its name, or began as one of its objects, must not be passed over."""
    assert types(read(DELTA + broken + DONE)) == ["response.output_text.delta", "bad_event"]


@given(PLACES)
def test_the_type_may_stand_in_the_event_line_alone(places: list[int]) -> None:
    """Then the line tells it; a payload that tells its type is believed, and foreign names are no types."""
    data = (
        b'event: response.output_text.delta\ndata: {"delta":"a"}\n\n'
        b'event: message\ndata: {"delta":"b"}\n\n'
        b'event: response.created\ndata: {"type":"response.completed"}\n\n'
    )

    assert types(read(data, places)) == ["response.output_text.delta", "", "response.completed"]


@pytest.mark.parametrize(
    "told",
    [
        b"event: error\ndata: Overloaded\n\n",
        b'event: message\ndata: {"error":{"message":"Overloaded"}}\n\n',
        b'data: {"object":"error","message":"Overloaded"}\n\n',
        b'data: {"success":false,"message":"Overloaded"}\n\n',
        b'data: {"message":"Overloaded"}\n\n',
        b'event: error\ndata: {"errorMessage":"Overloaded"}\n\n',
        b'data: {"message":"Overloaded","reason":"SERVER_BUSY"}\n\n',
        b'data: {"choices":[{"delta":{},"finish_reason":"error"}],"error":{"message":"Overloaded"}}\n\n',
        b'data: {"choices":[{"error":{"message":"Overloaded"}}]}\n\n',
    ],
)
def test_an_error_under_no_name_of_the_api(told: bytes) -> None:
    """Its body as it stands, whatever it came under; what came before it counts."""
    before, failure = read(DELTA + told + DONE)

    assert types([before]) == ["response.output_text.delta"]
    assert isinstance(failure, Failure)
    assert failure.message == "Overloaded"


@pytest.mark.parametrize(
    "told", [b'event: status\ndata: {"message":"warming up"}\n\n', b'data: {"message":"still working"}\n\n']
)
def test_a_sentence_may_be_a_sign_of_life(told: bytes) -> None:
    """Under a name that nobody knows, or in the words of one."""
    assert not any(isinstance(event, Failure) for event in read(DELTA + told + DONE))


def test_an_event_may_have_a_size() -> None:
    """One event that never ends fails once it is over the limit."""
    framing = Framing(limit=100)
    assert framing.feed(b"data: " + b"x" * 90) == []
    (failure,) = framing.feed(b"x" * 10)

    assert failure == Failure(Kind.UPSTREAM, "The upstream sent more than the limit of 100 bytes.", cause="too_large")


def test_a_stream_may_have_a_size() -> None:
    """All of it together, too, though each event is small; what came is still told first."""
    framing = Framing(total=2 * len(DELTA))
    assert types(framing.feed(DELTA)) == ["response.output_text.delta"]
    assert types(framing.feed(DELTA)) == ["response.output_text.delta"]

    assert types(framing.feed(DELTA)) == ["response.output_text.delta", "too_large"]


# -- whole bodies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b" \n\t"])
@given(PLACES)
def test_a_json_body_is_the_event_that_ends_a_stream_of_it(lead: bytes, places: list[int]) -> None:
    """Whoever streams and whoever does not look the same to the stages behind."""
    response = {"id": "resp_1", "status": "completed", "output": [MESSAGE, MESSAGE], "usage": {"input_tokens": 1}}
    (end,) = read(lead + json.encode(response), places)

    assert isinstance(end, StreamEvent)
    assert end.type == "response.completed"
    final = responses_stream.decode_final(end.response)
    assert (final.id, final.status, final.usage) == ("resp_1", "completed", {"input_tokens": 1})
    assert [responses_stream.object_in(raw) for raw in final.output or ()] == [MESSAGE, MESSAGE]


@pytest.mark.parametrize(
    ("status", "last"),
    [
        ("completed", "response.completed"),
        ("incomplete", "response.incomplete"),
        ("cancelled", "response.completed"),
        (None, "response.completed"),
        ("queued", "unfinished"),
        ("in_progress", "unfinished"),
        (["completed"], "response.completed"),
        ({}, "response.completed"),
    ],
)
def test_the_ending_of_a_whole_body(status: Any, last: str) -> None:
    """Its status names the event that ends it; the truth about it stays in the response."""
    assert types(events_of({"status": status, "output": []})) == [last]


def test_a_whole_body_that_failed() -> None:
    """Is a failure, with the words of whatever stands in it."""
    (failure,) = events_of({"status": "failed", "output": [], "error": {"code": "server_error", "message": "Broken."}})

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (Kind.UPSTREAM, "Broken.")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", None),
        (b" \n", None),
        (b"<html>secret</html>", "bad_body"),
        (b"{", "bad_body"),
        (b"[1]", "bad_body"),
        (b'{"error":{"message":"no","code":"server_error"}}', "server_error"),
        (b'{"output":null}', "response.completed"),
        (b'{"output":5}', "response.completed"),
        (b'{"status":"completed"}', "response.completed"),
    ],
)
def test_other_bodies(body: bytes, cause: str | None) -> None:
    """What is no response is a failure that quotes nothing; nothing at all is nothing, which is a cut stream."""
    events = read(body)

    assert types(events) == ([] if cause is None else [cause])
    assert "secret" not in repr(events)


def test_a_body_may_have_a_size() -> None:
    """It is refused before it is all kept."""
    framing = Framing(limit=100)

    assert framing.feed(b"{" + b" " * 99) == []
    assert types(framing.feed(b" ")) == ["too_large"]


@given(JSON)
def test_any_json_is_some_events(value: Any) -> None:
    """Whatever an upstream answers, it is events or a failure, and no exception."""
    assert events_of(value, PLAN)


@given(JSON, JSON, JSON)
def test_any_fields_of_a_response(status: Any, output: Any, error: Any) -> None:
    """With the right names but any values, too."""
    assert events_of({"status": status, "output": output, "error": error}, PLAN)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "context_length_exceeded", "message": "Too long."}},
        {"error": {"code": "context_length_exceeded", "message": "Too long."}, "output": [], "status": "completed"},
        {"status": 400, "error": {"code": "context_length_exceeded", "message": "Too long."}},
        {"object": "error", "type": "context_length_exceeded", "message": "Too long.", "code": 400},
        {"output": None, "errors": [{"code": "context_length_exceeded", "message": "Too long."}]},
    ],
)
def test_an_overflow_in_a_body(body: dict[str, Any]) -> None:
    """However it stands there, and without numbers that nobody told."""
    (failure,) = events_of(body, PLAN)

    assert isinstance(failure, Failure)
    assert failure.message == "prompt is too long: Too long."


@pytest.mark.parametrize("error", [None, {"code": "server_error", "message": "stale"}])
def test_an_answer_that_says_something_is_one(error: Any) -> None:
    """Whatever else stands in it."""
    said = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    body = {"status": "completed", "output": [said], "error": error, "base_resp": {"status_code": 0, "status_msg": ""}}

    assert types(events_of(body, PLAN)) == ["response.completed"]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("words", [b"Rate limit exceeded", b"error: slow down", b"d"])
def test_a_line_of_text_is_an_error(words: bytes, size: int) -> None:
    """It is no stream, however it was cut; a beginning that could be one is a cut stream."""
    framing = Framing(PLAN)
    events = [event for at in range(0, len(words), size) for event in framing.feed(words[at : at + size])]
    events += framing.finish()

    assert [event.message for event in events if isinstance(event, Failure)] == (
        [] if words == b"d" else [words.decode()]
    )


def test_a_stream_may_begin_oddly() -> None:
    """A line that no stream should have is passed over."""
    assert types(read(b"hello: there\n" + DELTA + DONE)) == ["response.output_text.delta", "response.completed"]


# -- the reader -------------------------------------------------------------------------------------


class _Chunks:
    """What each read of a connection yields."""

    def __init__(self, *chunks: bytes | Failure) -> None:
        self._chunks = iter(chunks)

    def __aiter__(self) -> _Chunks:
        return self

    async def __anext__(self) -> bytes | Failure:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


async def test_reads_are_batches() -> None:
    """One batch for each read that finishes something; the end lets go of what was held back."""
    reader = UpstreamReader(_Chunks(DELTA + DELTA, DELTA[:9], DELTA[9:], DONE[:-1]), Framing())

    assert [types(list(batch)) for batch in [batch async for batch in reader]] == [
        ["response.output_text.delta"] * 2,
        ["response.output_text.delta"],
        ["response.completed"],
    ]


async def test_a_broken_connection_is_the_last_batch() -> None:
    """A failure of the connection follows what had come, and nothing follows it."""
    broken = Failure(Kind.UPSTREAM, "Broken.")
    batches = [batch async for batch in UpstreamReader(_Chunks(DELTA, broken, DELTA), Framing())]

    assert [types(list(batch)) for batch in batches] == [["response.output_text.delta"], [None]]


async def test_an_empty_body_is_no_batch() -> None:
    """Nothing is nothing; asking again changes nothing."""
    reader = UpstreamReader(_Chunks(), Framing())

    assert [batch async for batch in reader] == []
    assert [batch async for batch in reader] == []


# -- what is large ------------------------------------------------------------------------------------

CROWD = b"[" + b"[]," * (json.LARGE // 3) + b"1]"


@pytest.mark.parametrize(
    ("before", "body"),
    [
        (2 * DELTA, b'data: {"type":"response.output_item.done","item":' + CROWD + b"}\n\n"),
        (b"", b'{"output":' + CROWD + b"}"),
    ],
    ids=["stream", "whole"],
)
def test_an_event_of_a_great_many_values_is_refused(before: bytes, body: bytes) -> None:
    """To read it would hold up everybody, though its bytes are within their limit; what came before it counts."""
    events = read(before + body, [len(DELTA), len(body) // 2])

    assert types(events) == [*types(read(before)), "too_large"]


async def test_only_what_is_large_is_read_beside_the_loop() -> None:
    """The batches say so; what they hold does not depend on it."""
    long = b'data: {"type":"response.output_text.done","text":"' + b"a" * 2 * LARGE_BATCH + b'"}\n\n'
    chunks = [DELTA, long[:LARGE_BATCH], long[LARGE_BATCH : 2 * LARGE_BATCH], long[2 * LARGE_BATCH :] + DELTA, DONE]

    async def body() -> Any:
        for chunk in chunks:
            yield chunk

    batches = [batch async for batch in UpstreamReader(body(), Framing(PLAN))]

    assert [type(batch) is LargeBatch for batch in batches] == [False, True, False]
    assert [event for batch in batches for event in batch] == read(b"".join(chunks))
