"""A request for a summary is the next turn of the conversation, with the instructions as the user's."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import Disposition
from stages.canonical.request import Caller
from stages.mapper import Target, map_request
from stages.mapper.summarising import INSTRUCTIONS
from stages.wire.messages_request import structure

LOOK = {"name": "look", "input_schema": {"type": "object"}}
TALK: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 900,
    "tools": [LOOK],
    "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello!"}],
}


@pytest.mark.parametrize(
    ("instructions", "asked"),
    [
        ({}, INSTRUCTIONS),
        ({"instructions": None}, INSTRUCTIONS),
        ({"instructions": " \n"}, INSTRUCTIONS),
        ({"instructions": "In one line."}, "In one line."),
    ],
)
def test_what_is_asked(instructions: dict[str, Any], asked: str) -> None:
    """The same input with one message more, the same settings, and no call."""
    plain = map_request(structure(TALK), Caller(), Target(), message_id="msg_1")
    request = structure({**TALK, "compaction": {"type": "summarize", **instructions}})
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")
    question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": asked}]}
    assert mapped.body == {**plain.body, "input": [*plain.body["input"], question], "tool_choice": "none"}
    assert mapped.plan.summarises
    assert not plain.plan.summarises
    assert mapped.report.unfaithful() is None
    assert {note.path for note in mapped.report.notes if note.disposition is Disposition.EMULATED} == {"compaction"}
