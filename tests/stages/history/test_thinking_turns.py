"""Reasoning of earlier turns is left out where the client asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Thinking
from stages.history import edit_history
from stages.wire.messages_request import structure

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Seen."}
TURNS = [
    {"role": "user", "content": "One."},
    {"role": "assistant", "content": [THOUGHT, CALL]},
    {"role": "user", "content": [RESULT]},  # no prompt: the turn goes on
    {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "1"}]},
    {"role": "user", "content": "Two."},
    {"role": "assistant", "content": [{"type": "text", "text": "2"}]},  # a turn without any counts for nothing
    {"role": "user", "content": "Three."},
    {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "3"}]},
    {"role": "user", "content": "Four."},
]


@pytest.mark.parametrize(
    ("keep", "left", "cleared_turns"),
    [
        ({}, [7], 1),
        ({"keep": {"type": "thinking_turns", "value": 1}}, [7], 1),
        ({"keep": {"type": "thinking_turns", "value": 2}}, [1, 3, 7], 0),
        ({"keep": {"type": "thinking_turns", "value": 0}}, [], 2),
        ({"keep": "all"}, [1, 3, 7], 0),
        ({"keep": {"type": "all"}}, [1, 3, 7], 0),
    ],
)
def test_which_turns_keep_it(keep: dict[str, Any], left: list[int], cleared_turns: int) -> None:
    """The latest ones; what was done is said in Anthropic's shape, and nothing where nothing was."""
    edit = {"type": "clear_thinking_20251015", **keep}
    request = edit_history(structure({"model": "m", "messages": TURNS, "context_management": {"edits": [edit]}}), len)
    found = [
        at for at, message in enumerate(request.messages) for block in message.content if isinstance(block, Thinking)
    ]
    assert found == left
    assert [entry["cleared_thinking_turns"] for entry in request.edits.applied or ()] == [cleared_turns] * (
        cleared_turns > 0
    )
