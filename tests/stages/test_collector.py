"""The whole message for clients that do not stream."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    CitationsDelta,
    CompactionDelta,
    CompactionStart,
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
from stages.wire import json, sse
from tests.stages.answers import answers
from tests.stages.strategies import TEXTS

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", input_tokens=42)
BROKEN = Failure(Kind.UPSTREAM, "Broken.")
RESULT = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def collected(*events: AnswerEvent | Failure) -> Collector:
    """Collect events."""
    made = Collector(PLAN)
    made.collect(events)
    return made


@pytest.mark.parametrize("told", [None, (), ({"type": "thinking_dropped", "path": "messages.1.content.0"},)])
def test_thinking_that_was_not_shown(told: tuple[dict[str, Any], ...] | None) -> None:
    """Stands in the message, and beside the delta of a stream's end, for those who asked."""
    end, made = MessageEnd("end_turn", transformations=told), Collector(PLAN)
    made.collect([end])
    stream = sse.Decoder().feed(Encoder(PLAN, "req_1").encode([end]))
    (delta,) = (event for event in map(json.decode, stream) if event["type"] == "message_delta")
    expected = None if told is None else list(told)
    assert made.message().get("input_transformations") == delta.get("input_transformations") == expected


def test_edits_and_a_summary() -> None:
    """What was cleared is said, and a summary is a block with its seal."""
    made = Collector(attrs.evolve(PLAN, applied_edits=({"type": "clear_thinking_20251015"},)))
    made.collect((CompactionStart("sealed"), CompactionDelta("So far."), BLOCK_STOP, MessageEnd("compaction")))
    message = made.message()
    assert message["content"] == [{"type": "compaction", "content": "So far.", "signature": "sealed"}]
    assert message["context_management"] == {"applied_edits": [{"type": "clear_thinking_20251015"}]}
    assert "context_management" not in collected(MessageEnd("end_turn")).message()


def test_a_message_of_every_kind_of_block() -> None:
    """Deltas are joined into their blocks, the end fills in the rest."""
    usage = Usage(1, 2, 3, 4, thinking_tokens=5, long_lived_tokens=1)
    message = collected(
        ThinkingStart(),
        ThinkingDelta("let "),
        ThinkingDelta("me"),
        SignatureDelta("signed"),
        BLOCK_STOP,
        ServerToolUseStart("srvtoolu_1", "web_search"),
        JsonDelta('{"query":"x"}'),
        BLOCK_STOP,
        ResultStart(RESULT),
        BLOCK_STOP,
        TextStart(),
        TextDelta("a"),
        TextDelta("b"),
        BLOCK_STOP,
        TextStart(cited=True),
        CitationsDelta({"url": "https://a"}),
        CitationsDelta({"url": "https://b"}),
        TextDelta("c"),
        BLOCK_STOP,
        ToolUseStart("toolu_1", "f"),
        JsonDelta(""),
        JsonDelta('{"a"'),
        JsonDelta(":1}"),
        BLOCK_STOP,
        MessageEnd("tool_use", usage, server_tools=(("web_search", 1),)),
    ).message()

    direct = {"caller": {"type": "direct"}}
    assert message["content"] == [
        {"type": "thinking", "thinking": "let me", "signature": "signed"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}, **direct},
        RESULT,
        {"type": "text", "text": "ab"},
        {"citations": [{"url": "https://a"}, {"url": "https://b"}], "type": "text", "text": "c"},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}, **direct},
    ]
    assert (message["type"], message["role"], message["id"], message["model"]) == (
        "message",
        "assistant",
        "msg_1",
        "claude-x",
    )
    assert (message["stop_reason"], message["stop_sequence"], message["stop_details"]) == ("tool_use", None, None)
    assert message["usage"] == {
        "input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
        "output_tokens": 4,
        "output_tokens_details": {"thinking_tokens": 5},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard",
    }


def test_an_empty_message_is_whole() -> None:
    """Nothing but an end is a message too."""
    made = collected(MessageEnd("end_turn"))

    assert made.ended
    assert made.message()["content"] == []


@pytest.mark.parametrize("fragments", [[], [""], ["", "  "], ["", '{"a":'], ["[1]"], ["null"], ["nonsense"]])
def test_arguments_that_are_no_object_are_empty(fragments: list[str]) -> None:
    """A call that a limit cut short keeps what can be read of it."""
    made = collected(ToolUseStart("a", "f"), *map(JsonDelta, fragments), BLOCK_STOP, MessageEnd("max_tokens"))

    assert made.message()["content"][0]["input"] == {}


def test_the_first_failure_counts_and_ends() -> None:
    """There is no message, and what follows in the batch is not looked at."""
    made = collected(TextStart(), TextDelta("a"), BROKEN, BLOCK_STOP, MessageEnd("end_turn"))

    assert made.ended
    assert made.failure is BROKEN
    with pytest.raises(RuntimeError, match="not ended"):
        made.message()


def test_a_message_that_goes_on_has_not_ended() -> None:
    """Nobody can have half of it."""
    made = collected(TextStart(), TextDelta("a"), BLOCK_STOP)

    assert not made.ended
    with pytest.raises(RuntimeError, match="not ended"):
        made.message()


@given(answers(TEXTS.filter(bool)), st.lists(st.integers(min_value=1, max_value=5), max_size=20))
def test_batches_never_matter(events: list[AnswerEvent], sizes: list[int]) -> None:
    """The same events in any batches are the same message."""
    made, rest = Collector(PLAN), list(events)
    for size in [*sizes, len(events)]:
        batch, rest = rest[:size], rest[size:]
        made.collect(batch)

    assert made.message() == collected(*events).message()


def test_large_arguments_are_not_made_only_to_be_written() -> None:
    """They stay text; what is no object is none here either."""
    whole = json.encode({"a": "b" * json.LARGE}).decode()

    def made(text: str) -> Any:
        one = collected(ToolUseStart("a", "f"), JsonDelta(text), BLOCK_STOP, MessageEnd("tool_use"))
        return json.decode(json.encode(one.message()["content"][0]["input"]))

    assert made(whole) == json.decode(whole)
    assert made(f"[{whole}]") == made(whole[:-1]) == {}


@pytest.mark.parametrize(("start", "delta"), [(TextStart(), TextDelta), (ThinkingStart(), ThinkingDelta)])
def test_a_long_text_that_is_only_written_stays_in_its_pieces(start: Any, delta: Any) -> None:
    """Putting it together is a pause for everybody; a short one is a text, and what is written is the same."""
    long = [delta("ab" * json.LARGE), delta("c")]
    events = [start, *long, BLOCK_STOP, TextStart(), TextDelta("d"), TextDelta("e"), BLOCK_STOP, MessageEnd("end_turn")]
    to_write = Collector(PLAN, to_write=True)
    to_write.collect(events)

    first, second = to_write.message()["content"]
    assert [value.pieces for value in first.values() if isinstance(value, json.Long)] == [["ab" * json.LARGE, "c"]]
    assert second["text"] == "de"
    assert json.encode(to_write.message()) == json.encode(collected(*events).message())
