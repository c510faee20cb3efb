"""When a conversation is to be summed up before it is answered, and what is asked for that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.plan import Compacting
from stages.canonical.request import Request
from stages.counter import prompt_tokens
from stages.history import edit_history, summary_request
from stages.history.compaction import COMPACTED_FROM, SUMMARY_TOKENS
from stages.wire.messages_request import structure

SUMMARY = {"type": "compaction", "content": "So far: words."}


def edited(messages: list[dict[str, Any]], **edit: Any) -> Request:
    """A conversation after its edit."""
    edits = [{"type": "compact_20260112", **edit}]
    body = {"model": "m", "max_tokens": 9, "messages": messages, "context_management": {"edits": edits}}
    return edit_history(structure(body), len)


def over(value: Any) -> dict[str, Any]:
    """A trigger."""
    return {"type": "input_tokens", "value": value}


@pytest.mark.parametrize(
    ("words", "trigger", "due"),
    [
        (1_000, over(900), True),
        (1_000, over(2_000), False),
        (1_000, None, False),
        (COMPACTED_FROM, None, True),
        (1_000, over("900"), False),
        (1_000, over(value=True), False),
    ],
)
def test_when_it_is_due(words: int, trigger: Any, due: bool) -> None:
    """From the trigger's tokens on; a trigger that is no number counts as not said."""
    request = edited([{"role": "user", "content": "x" * words}], trigger=trigger)
    assert (request.edits.compacting is not None) == due
    assert bool(request.edits.notes) == due


def test_how() -> None:
    """The client's words, and whether it wants to go on by itself."""
    talk = [{"role": "user", "content": "x" * 99}]
    asked = edited(talk, trigger=over(1), instructions="Briefly.", pause_after_compaction=True)
    assert asked.edits.compacting == Compacting("Briefly.", pauses=True)
    assert edited(talk, trigger=over(1), instructions=7, pause_after_compaction="yes").edits.compacting == Compacting()


turns = st.lists(st.sampled_from(["word " * 9, "a", SUMMARY["content"]]), min_size=1, max_size=9)


@given(said=turns, before=turns, trigger=st.integers(0, 400))
def test_what_was_summed_up_counts_no_more(said: list[str], before: list[str], trigger: int) -> None:
    """A conversation behind a summary is due when it would be without what stands before that, and never by itself."""
    rest = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(said)]
    old = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(before)]
    head = {"role": "assistant", "content": [SUMMARY]}

    behind = edited([*old, head, *rest], trigger=over(trigger))
    assert (behind.edits.compacting is None) == (prompt_tokens(behind, len) < trigger)
    assert behind.edits.compacting == edited([head, *rest], trigger=over(trigger)).edits.compacting
    assert edited([*old, head], trigger=over(trigger)).edits.compacting is None


def test_what_is_asked_for_a_summary() -> None:
    """The same conversation, without the wishes that its answer had."""
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
        "stop_sequences": ["x"],
        "tool_choice": {"type": "any"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "output_format": {"type": "json_schema", "schema": {}},
    }
    plain = structure(body)
    asked = summary_request(plain, "Briefly.")
    assert (asked.messages, asked.system, asked.tools) == (plain.messages, plain.system, plain.tools)
    assert asked.extra == {"compaction": {"type": "summarize", "instructions": "Briefly."}}
    assert (asked.max_tokens, asked.stop_sequences, asked.tool_choice) == (SUMMARY_TOKENS, (), None)
    assert asked.output_config is not None
    assert (asked.output_config.effort, asked.output_config.format) == ("low", None)
