"""Characters that the upstream cuts in half: a half waits for the other one, and is told as U+FFFD if none comes."""

from __future__ import annotations

from typing import Any

import pytest

from stages.wire import json, responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import HOT, added, ended, message, parts, say, told

HIGH, LOW = "\ud83d", "\ude00"


def piece(kind: str, text: str, ident: str = "i", index: int = 0) -> StreamEvent:
    """More content of an item, read as it comes from the upstream."""
    event: dict[str, Any] = {"type": HOT[kind], "delta": text, "item_id": ident, "output_index": index}
    return responses_stream.decode(json.encode(event))


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a" + HIGH], "a\ufffd"),
        (["a", HIGH], "a\ufffd"),
        ([HIGH], "\ufffd"),
        ([HIGH, HIGH], "\ufffd\ufffd"),
        ([LOW + HIGH], "\ufffd\ufffd"),
        (["a" + HIGH, LOW], "a\U0001f600"),
    ],
)
def test_text_that_ends_in_a_half(pieces: list[str], text: str) -> None:
    """Whoever tells the whole says what became of it, and it is said once."""
    heard = [piece("text", one) for one in pieces]
    part = StreamEvent(
        "response.content_part.done",
        item_id="i",
        output_index=0,
        part=responses_stream.dump({"type": "output_text", "text": text}),
    )
    for rest in ([], [part], [say("text_done", text, item_id="i", output_index=0)]):
        assert told(parts(*heard, *rest, ended())) == [f"text: {text}.", "end_turn"]
    assert told(parts(*heard, ended(output=[message(text, ident="i")]))) == [f"text: {text}.", "end_turn"]


def test_thinking_that_ends_in_a_half() -> None:
    """Before an answer that follows, too."""
    heard = parts(piece("raw", "hm" + HIGH), piece("text", "a", "m", 1), ended())

    assert [line[:13] for line in told(heard)] == ["thinking: hm\ufffd", "text: a.", "end_turn"]


def test_arguments_that_are_cut_in_a_half() -> None:
    """The call was not whole, but what was said of it is."""
    opened = added("function_call", 0, id="i", call_id="call_1", name="f")
    heard = parts(opened, piece("arguments", '{"a":"' + HIGH), ended("incomplete"))

    assert told(heard) == ['call f toolu_call_1: {"a":" cut\ufffd.', "max_tokens"]
