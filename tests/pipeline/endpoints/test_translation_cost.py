"""What a turn costs that mostly repeats the one before, counted: calls are the same on every machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from pipeline.endpoints.translation import Question, Translated, translate
from stages.canonical.request import Caller
from stages.mapper import Target
from stages.wire import json
from tests.support.counting import calls_of

EXCHANGE = 60
"""Calls that a known exchange of two messages may cost a whole translation; it was 281 when each was read again, and
200 when each was mapped and written again."""

TOOL = 12
"""Calls that a known tool may cost; it was 57 when each was checked and declared again, and 40 when each of those
stages that must see them all looked at each."""

MORE = 100
"""Exchanges or tools by which the bodies that are compared differ."""

QUESTION = Question(Caller(), Target(), "msg_1")


def body(exchanges: int, tools: int = 0) -> bytes:
    """Write a conversation of calls and their results, with a question before them."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Look."}]
    for at in range(exchanges):
        call = {"type": "tool_use", "id": f"t{at}", "name": "look", "input": {"at": at}}
        result = {"type": "tool_result", "tool_use_id": f"t{at}", "content": f"found {at} " * 50}
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    listed = [{"name": f"tool_{at}", "input_schema": {"type": "object", "properties": {}}} for at in range(tools)]
    return json.encode({"model": "claude-x", "max_tokens": 5000, "messages": messages, "tools": listed})


def cost(said: bytes) -> int:
    """Count the calls of translating a body whose messages and tools are known."""
    assert isinstance(translate(QUESTION, said), Translated)
    return calls_of(partial(translate, QUESTION, said))


def test_known_messages_are_not_read_again() -> None:
    """What a long conversation costs beside a short one is the mapping of what is known, and nothing else."""
    assert cost(body(20 + MORE)) - cost(body(20)) < EXCHANGE * MORE


def test_known_tools_are_not_declared_again() -> None:
    """What many tools cost beside few is a look-up for each, and a glance of those stages that must see them all."""
    assert cost(body(1, 10 + MORE)) - cost(body(1, 10)) < TOOL * MORE
