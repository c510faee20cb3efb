"""An answer that is a summary is one block, whole, or one that says that there is none."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.events import (
    BLOCK_STOP,
    CompactionDelta,
    CompactionStart,
    MessageEnd,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.filters.summariser import Summariser
from stages.wire.messages_stream import content_block
from stages.wire.summary_seal import seal

THOUGHT = (ThinkingStart(), ThinkingDelta("Hm."), BLOCK_STOP)
SAID = (TextStart(), TextDelta("They asked "), TextDelta("for a dragoman."), BLOCK_STOP)
USAGE = Usage(output_tokens=9)


def summed_up(*parts: Any) -> list[Any]:
    """Feed all parts."""
    stage = Summariser()
    return [passed for part in parts for passed in stage.feed(part)] + list(stage.finish())


def test_a_summary() -> None:
    """One block with one delta, sealed; what was thought is left out, and what it cost stays."""
    text = "They asked for a dragoman."
    assert summed_up(*THOUGHT, *SAID, MessageEnd("end_turn", USAGE)) == [
        CompactionStart(seal(text)),
        CompactionDelta(text),
        BLOCK_STOP,
        MessageEnd("compaction", USAGE),
    ]


def test_changes_of_tools() -> None:
    """Are told with the summary that stands for them."""
    change = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "f"}}
    stage = Summariser((change,))
    parts = [passed for part in (*SAID, MessageEnd("end_turn", USAGE)) for passed in stage.feed(part)]
    assert parts[0] == CompactionStart(seal("They asked for a dragoman."), (change,))
    block = {"type": "compaction", "content": None, "signature": parts[0].signature, "tool_changes": [change]}
    assert content_block(parts[0]) == block


@pytest.mark.parametrize(
    ("parts", "reason", "told"),
    [
        (SAID, "max_tokens", "max_tokens"),  # half a summary is none
        (SAID, "refusal", "refusal"),
        (THOUGHT, "end_turn", "compaction"),
        ((TextStart(), TextDelta(" \n"), BLOCK_STOP), "end_turn", "compaction"),
    ],
)
def test_no_summary(parts: tuple[Any, ...], reason: str, told: str) -> None:
    """A block without content, on which a client goes on with the conversation that it has."""
    assert summed_up(*parts, MessageEnd(reason, USAGE)) == [CompactionStart(), BLOCK_STOP, MessageEnd(told, USAGE)]


def test_a_failure() -> None:
    """Passes, and nothing comes before it."""
    failure = Failure(Kind.OVERLOADED, "Overloaded")
    assert summed_up(*SAID, failure) == [failure]
