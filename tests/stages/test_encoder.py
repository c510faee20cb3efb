"""The bytes of a stream: as the official client reads them, in any batches, with one beginning and one ending."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import attrs
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.collector import Collector
from stages.encoder import Encoder
from stages.wire import json
from tests.stages.answers import PLAIN, added_up, answers
from tests.stages.strategies import TEXTS

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", input_tokens=42)
BROKEN = Failure(Kind.UPSTREAM, "Broken.", error_code="why")
END = MessageEnd("end_turn", Usage(1, 2, 3, 4))


def encoder() -> Encoder:
    """Make an encoder of its own."""
    return Encoder(PLAN, "req_1")


def events_in(stream: bytes) -> list[dict[str, Any]]:
    """The payloads of a stream; each frame must be named as its payload is."""
    frames = [frame.split(b"\ndata: ") for frame in stream.split(b"\n\n")[:-1]]
    payloads = [json.decode(data) for _, data in frames]
    assert [name for name, _ in frames] == [b"event: " + payload["type"].encode() for payload in payloads]
    return payloads


def types_in(stream: bytes) -> list[str]:
    """The names of a stream's events, in order."""
    return [payload["type"] for payload in events_in(stream)]


@given(answers(TEXTS.filter(bool)))
def test_a_stream_adds_up_to_the_collected_message(events: list[AnswerEvent]) -> None:
    """Who streams and who does not get the same message, whatever its texts hold."""
    collector = Collector(PLAN)
    collector.collect(events)
    streamed, whole = added_up(encoder().encode(events)), collector.message()

    # The final truth about written tokens has no split in `message_delta`.
    streamed["usage"].pop("cache_creation")
    whole["usage"].pop("cache_creation")
    assert streamed == whole


@pytest.fixture(scope="module")
def official() -> Iterator[tuple[anthropic.Anthropic, list[bytes]]]:
    """Give the official client, and the place for the stream that it is to read."""
    place: list[bytes] = [b""]

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=place[0])

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        yield anthropic.Anthropic(api_key="x", base_url="http://here", http_client=http), place


@given(events=answers(PLAIN, server_tools=False))
def test_the_official_client_reads_the_collected_message(
    official: tuple[anthropic.Anthropic, list[bytes]], events: list[AnswerEvent]
) -> None:
    """Anthropic's own accumulation of our stream is our own message."""
    client, place = official
    place[0] = encoder().encode(events)
    collector = Collector(PLAN)
    collector.collect(events)
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
        read = stream.get_final_message().model_dump(mode="json")

    whole = collector.message()
    for field in ("id", "model", "role", "stop_reason"):
        assert read[field] == whole[field]
    assert read["usage"]["output_tokens"] == whole["usage"]["output_tokens"]
    assert len(read["content"]) == len(whole["content"])
    for mine, theirs in zip(whole["content"], read["content"], strict=True):
        assert {key: theirs[key] for key in mine} == mine


@given(answers(TEXTS.filter(bool)), st.lists(st.integers(min_value=1, max_value=5), max_size=20))
def test_batches_never_matter(events: list[AnswerEvent], sizes: list[int]) -> None:
    """The same events in any batches give the same bytes."""
    cut, rest, stream = encoder(), list(events), b""
    for size in [*sizes, len(events)]:
        batch, rest = rest[:size], rest[size:]
        stream += cut.encode(batch)

    assert stream == encoder().encode(events)


def test_the_beginning_comes_once_and_carries_the_estimate() -> None:
    """Whoever asks first gets `message_start`; after that there is nothing to begin."""
    made = encoder()
    (start,) = events_in(made.begin())

    assert start["message"]["usage"]["input_tokens"] == 42
    assert (start["message"]["id"], start["message"]["model"]) == ("msg_1", "claude-x")
    assert made.begin() == b""
    assert made.encode([]) == b""
    assert types_in(made.encode([TextStart()])) == ["content_block_start", "ping"]


def test_what_only_some_clients_ask_for_stands_on_the_message() -> None:
    """In `message_start`, and on the collected message; nobody else gets the field."""
    plan = attrs.evolve(PLAN, extras={"diagnostics": None})
    collector = Collector(plan)
    collector.collect([END])

    assert events_in(Encoder(plan, "req_1").begin())[0]["message"]["diagnostics"] is None
    assert collector.message()["diagnostics"] is None
    assert "diagnostics" not in events_in(encoder().begin())[0]["message"]


def test_a_ping_begins_the_message() -> None:
    """No client takes a ping before `message_start`."""
    made = encoder()

    assert types_in(made.ping()) == ["message_start", "ping"]
    assert types_in(made.ping()) == ["ping"]


def test_the_first_block_is_followed_by_a_ping() -> None:
    """And no other block."""
    stream = encoder().encode([TextStart(), TextDelta("a"), BLOCK_STOP, TextStart(), BLOCK_STOP, END])

    assert types_in(stream) == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event["index"] for event in events_in(stream) if "index" in event] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("start", "delta"),
    [
        (TextStart(), {"type": "text_delta", "text": ""}),
        (ThinkingStart(), {"type": "thinking_delta", "thinking": ""}),
        (ToolUseStart("a", "f"), {"type": "input_json_delta", "partial_json": ""}),
        (ServerToolUseStart("a", "f"), {"type": "input_json_delta", "partial_json": ""}),
    ],
)
def test_a_nudge_is_an_empty_delta_of_the_open_block(start: Any, delta: dict[str, str]) -> None:
    """It adds nothing, and it is content for a client's clock."""
    made = encoder()
    made.encode([TextStart(), BLOCK_STOP, start])

    assert events_in(made.progress_delta()) == [{"type": "content_block_delta", "index": 1, "delta": delta}]


def test_without_a_block_that_grows_a_nudge_is_a_ping() -> None:
    """Before the first block, between blocks, and in a block that was whole at once."""
    made = encoder()
    assert types_in(made.progress_delta()) == ["message_start", "ping"]
    made.encode([TextStart(), BLOCK_STOP])
    assert types_in(made.progress_delta()) == ["ping"]
    made.encode([ResultStart({"type": "web_search_tool_result"})])
    assert types_in(made.progress_delta()) == ["ping"]


@pytest.mark.parametrize("before", [[], [TextStart(), TextDelta("a")], [TextStart(), BLOCK_STOP]])
@pytest.mark.parametrize(("ending", "last"), [(BROKEN, "error"), (END, "message_stop")])
def test_after_the_ending_comes_nothing(before: list[AnswerEvent], ending: Any, last: str) -> None:
    """What else was in the batch is left out (law 1)."""
    made = encoder()
    types = types_in(made.encode([*before, ending, BLOCK_STOP, END, BROKEN]))

    assert made.ended
    assert types[-1] == last
    assert sum(name in ("error", "message_stop") for name in types) == 1


def test_an_error_is_an_envelope() -> None:
    """The event is what an HTTP body would have been."""
    assert events_in(encoder().encode([BROKEN]))[-1] == {
        "type": "error",
        "error": {"type": "api_error", "message": "Broken.", "details": {"error_code": "why"}},
        "request_id": "req_1",
    }


def test_every_kind_of_delta_has_its_field() -> None:
    """Each in the block that is open."""
    events: list[AnswerEvent] = [
        ThinkingStart(),
        ThinkingDelta("t"),
        SignatureDelta("s"),
        BLOCK_STOP,
        ToolUseStart("toolu_1", "f"),
        JsonDelta('{"a":'),
    ]
    deltas = [(e["index"], e["delta"]) for e in events_in(encoder().encode(events)) if "delta" in e]

    assert deltas == [
        (0, {"type": "thinking_delta", "thinking": "t"}),
        (0, {"type": "signature_delta", "signature": "s"}),
        (1, {"type": "input_json_delta", "partial_json": '{"a":'}),
    ]
