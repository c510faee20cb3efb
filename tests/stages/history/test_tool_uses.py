"""Old results of tools are cleared as Anthropic does, and what was cleared once stays cleared."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Request, Text, ToolResult, ToolUse
from stages.history import edit_history
from stages.history.tool_uses import CLEARED_RESULT
from stages.wire.messages_request import structure

Json = dict[str, Any]


def conversation(*uses: tuple[str, int], edit: Json | None = None) -> Request:
    """One call and its result after the other: the tool's name, and the characters of what it returned."""
    messages: list[Json] = [{"role": "user", "content": "Go."}]
    for at, (name, length) in enumerate(uses):
        call = {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": {"path": "a" * 40}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{at}", "content": "x" * length}
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    asked = {"type": "clear_tool_uses_20250919", **(edit or {})}
    return structure({"model": "m", "messages": messages, "context_management": {"edits": [asked]}})


def cleared(request: Request) -> list[int]:
    """The numbers of the calls whose results are gone."""
    found = [block for message in request.messages for block in message.content if isinstance(block, ToolResult)]
    return [at for at, result in enumerate(found) if result.content == (Text(CLEARED_RESULT),)]


LOW = {"type": "input_tokens", "value": 100}


@pytest.mark.parametrize(
    ("uses", "edit", "gone"),
    [
        ([("a", 900)] * 6, {}, []),  # far from a hundred thousand tokens
        ([("a", 900)] * 6, {"trigger": LOW}, [0, 1, 2]),  # three are kept
        ([("a", 900)] * 6, {"trigger": LOW, "keep": {"type": "tool_uses", "value": 1}}, [0, 1, 2, 3, 4]),
        ([("a", 900)] * 6, {"trigger": LOW, "keep": {"type": "tool_uses", "value": 0}}, [0, 1, 2, 3, 4, 5]),
        ([("a", 900), ("b", 900)] * 3, {"trigger": LOW, "exclude_tools": ["a"]}, [1]),
        ([("a", 46)] * 3 + [("a", 900)] * 4, {"trigger": LOW}, [3]),  # small ones neither go nor count
        ([("a", 900)] * 5, {"trigger": {"type": "tool_uses", "value": 4}}, [0, 1]),
        ([("a", 900)] * 4, {"trigger": {"type": "tool_uses", "value": 4}}, []),
        ([("a", 900)] * 8, {"trigger": LOW, "clear_at_least": {"type": "input_tokens", "value": 100_000}}, []),
    ],
)
def test_which_results_go(uses: list[tuple[str, int]], edit: Json, gone: list[int]) -> None:
    """Oldest first, all but the latest, and none where the conversation is small."""
    assert cleared(edit_history(conversation(*uses, edit=edit), len)) == gone


def test_batches() -> None:
    """What is freed at once is at least what was asked; a batch that is not full waits for the next call."""
    freed = 900 - len(CLEARED_RESULT)
    edit = {"trigger": LOW, "clear_at_least": {"type": "input_tokens", "value": 2 * freed}}
    assert [cleared(edit_history(conversation(*[("a", 900)] * n, edit=edit), len)) for n in (4, 5, 6, 7)] == [
        [],
        [0, 1],
        [0, 1],
        [0, 1, 2, 3],
    ]


def test_what_was_done_is_said() -> None:
    """In Anthropic's shape, with the tokens of the results and, where they go as well, of what the calls asked for."""
    plain = edit_history(conversation(*[("a", 900)] * 4, edit={"trigger": LOW}), len).edits
    whole = edit_history(conversation(*[("a", 900)] * 4, edit={"trigger": LOW, "clear_tool_inputs": True}), len)
    entry = {
        "type": "clear_tool_uses_20250919",
        "cleared_tool_uses": 1,
        "cleared_input_tokens": 900 - len(CLEARED_RESULT),
    }
    assert plain.applied == (entry,)
    assert plain.cleared_tokens == entry["cleared_input_tokens"]
    assert [str(note.place) for note in plain.notes] == ["messages.2.content.0"]
    assert whole.edits.cleared_tokens == plain.cleared_tokens + len('"path":"') + 40 + len('"')
    call = whole.messages[1].content[0]
    assert isinstance(call, ToolUse)
    assert call.input == {}


def test_a_conversation_that_asks_for_nothing() -> None:
    """Stays the same object: nobody pays for what nobody asked."""
    request = attrs.evolve(conversation(("a", 900)), extra={})
    assert edit_history(request, len) is request


edits = st.fixed_dictionaries(
    {"trigger": st.builds(lambda n: {"type": "input_tokens", "value": n}, st.integers(0, 3000))},
    optional={
        "keep": st.builds(lambda n: {"type": "tool_uses", "value": n}, st.integers(0, 4)),
        "clear_at_least": st.builds(lambda n: {"type": "input_tokens", "value": n}, st.integers(0, 2000)),
        "clear_tool_inputs": st.booleans(),
        "exclude_tools": st.sampled_from(([], ["a"])),
    },
)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 600)), max_size=20), edits)
def test_cuts_only_grow(uses: list[tuple[str, int]], edit: Json) -> None:
    """Turn after turn: what was cleared stays so, and a turn that clears nothing more repeats the one before it."""
    before: Request | None = None
    for turns in range(len(uses) + 1):
        now = edit_history(conversation(*uses[:turns], edit=edit), len)
        if before is not None:
            gone, was_gone = cleared(now), cleared(before)
            assert gone[: len(was_gone)] == was_gone
            if gone == was_gone:
                assert now.messages[: len(before.messages)] == before.messages
        before = now
