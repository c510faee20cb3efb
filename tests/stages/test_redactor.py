"""Facts for the log: complete, and never content (law 7)."""

from __future__ import annotations

from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    CitationsDelta,
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
from stages.redactor import SIZE_ONLY, Fact, redact
from tests.support.cases import cases

SECRET = "Geheimnis"
END = MessageEnd(
    "refusal",
    Usage(1, 2, 3, 4, 5, 6),
    stop_sequence=SECRET,
    stop_details={"explanation": SECRET},
    server_tools=(("web_search", 7), (SECRET, 1)),
    container={"id": SECRET},
    left_out=(("image_generation_call", 2), ("untyped event", 3)),
)


@cases(
    ("event", "fact"),
    [
        (TextDelta(SECRET), Fact("delta", (("characters", 9),))),
        (ThinkingDelta(SECRET), Fact("delta", (("characters", 9),))),
        (SignatureDelta(SECRET), Fact("delta", (("characters", 9),))),
        (JsonDelta(SECRET), Fact("delta", (("characters", 9),))),
        (CitationsDelta({"url": SECRET}), Fact("citation")),
        (TextStart(), Fact("block_start", (("type", "text"),))),
        (ThinkingStart(), Fact("block_start", (("type", "thinking"),))),
        (ToolUseStart(SECRET, SECRET), Fact("block_start", (("type", "tool_use"),))),
        (ServerToolUseStart(SECRET, SECRET), Fact("block_start", (("type", "server_tool_use"),))),
        (ResultStart({"content": SECRET}), Fact("block_start", (("type", "server_tool_result"),))),
        (BLOCK_STOP, Fact("block_stop")),
        (Failure(Kind.POLICY, SECRET, SECRET, 3, SECRET), Fact("failure", (("kind", "policy"), ("status", 400)))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_known_of_an_event(event: AnswerEvent | Failure, fact: Fact) -> None:
    """Sizes, types and kinds: nothing that a person or a model wrote."""
    assert redact(event) == fact
    assert SECRET not in repr(redact(event))


def test_what_is_known_of_an_ending() -> None:
    """The reason, the price, and how much was left out."""
    fact = redact(END)

    assert fact.name == "message_end"
    assert dict(fact.values) == {
        "stop_reason": "refusal",
        "input_tokens": 1,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
        "long_lived_tokens": 6,
        "output_tokens": 4,
        "hosted_web_search": 7,
        "left_out": 5,
    }
    assert SECRET not in repr(fact)


def test_repairs_are_counted() -> None:
    """How many members were left out of arguments is told where there were any."""
    assert ("repaired", 2) in redact(MessageEnd("end_turn", repaired=2)).values
    assert "repaired" not in dict(redact(MessageEnd("end_turn")).values)


def test_withheld_reasoning_is_counted() -> None:
    """Why the model did not see its earlier reasoning is told; a word that is not of the table is not."""
    end = MessageEnd("end_turn", dropped_reasoning=(("prefix_mismatch", 2), (SECRET, 1)))

    assert ("withheld_prefix_mismatch", 2) in redact(end).values
    assert SECRET not in repr(redact(end))


def test_hot_classes_tell_only_sizes() -> None:
    """What a quiet logger need not see is what comes often and says little."""
    assert {TextDelta, ThinkingDelta, JsonDelta, SignatureDelta, type(BLOCK_STOP)} == SIZE_ONLY
