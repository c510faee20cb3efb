"""What numbers, words and messages must satisfy: each rule's sentence, and its other side."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Caller
from stages.decoder.rules import INTERLEAVED
from tests.stages.decoder.bodies import ASSISTANT, THINKING, TOOL, USER, body, refused, taken
from tests.support.cases import cases

NON_EMPTY = "all messages must have non-empty content except for the optional final assistant message"
EFFORTS = "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"
MARK = {"cache_control": {"type": "ephemeral"}}
MARKED = {"type": "text", "text": "x", **MARK}


def user(*content: dict[str, Any]) -> dict[str, Any]:
    """A message of the user's."""
    return {"role": "user", "content": list(content)}


@cases(
    ("fields", "message"),
    [
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        (
            {"thinking": {**THINKING, "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        ({"output_config": {"effort": "ultra"}}, f"output_config.effort: {EFFORTS}"),
        ({"output_config": {"effort": ""}}, f"output_config.effort: {EFFORTS}"),
        (
            {"messages": [USER, {"role": "system", "content": "s", "output_config": {"effort": "none"}}]},
            f"messages.1.output_config.effort: {EFFORTS}",
        ),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [ASSISTANT]}, 'messages: first message must use the "user" role'),
        ({"messages": [{**USER, "content": []}]}, f"messages.0: {NON_EMPTY}"),
        ({"messages": [USER, {**ASSISTANT, "content": []}, USER]}, f"messages.1: {NON_EMPTY}"),
        ({"messages": [{**USER, "content": ""}]}, "messages: text content blocks must be non-empty"),
        (
            {"messages": [USER, ASSISTANT, user(MARKED, {"type": "text", "text": " \n"})]},
            "messages: text content blocks must contain non-whitespace text",
        ),
        ({"stop_sequences": ["a", " \n"]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"stop_sequences": [""]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"max_tokens": 0, "stream": True}, "max_tokens: 0 is not supported together with stream"),
        ({"max_tokens": 0, "thinking": THINKING}, "max_tokens: 0 is not supported together with thinking.type"),
        (
            {"max_tokens": 0, "output_config": {"format": {"type": "json_schema"}}},
            "max_tokens: 0 is not supported together with output_config.format",
        ),
        (
            {"max_tokens": 0, "tools": [TOOL], "tool_choice": {"type": "any"}},
            "max_tokens: 0 is not supported together with tool_choice",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_is_said_in_anthropics_words(fields: dict[str, Any], message: str) -> None:
    """Each rule has its sentence."""
    assert refused(body(**fields)).message == message


@cases(
    "fields",
    [
        {"max_tokens": 0},
        {"max_tokens": 0, "tools": [TOOL], "tool_choice": {"type": "none"}, "thinking": {"type": "adaptive"}},
        {"max_tokens": 1025, "thinking": {**THINKING, "budget_tokens": 1024}},
        {"max_tokens": 1_000_000},
        {"thinking": {"type": "adaptive"}},
        *({"output_config": {"effort": effort}} for effort in ("low", "medium", "high", "xhigh", "max", None)),
        {"messages": [USER, {**ASSISTANT, "content": []}]},
        {"messages": [USER, {**ASSISTANT, "content": ""}]},
        {"messages": [USER, {**ASSISTANT, "content": [{"type": "text", "text": "  "}]}, USER]},
        {"messages": [USER, {"role": "system", "content": []}]},
        {"messages": [USER, {"role": "system", "content": ""}]},
        {"messages": [{"role": "system", "content": "s"}, USER]},
        {"messages": [USER, USER, ASSISTANT, ASSISTANT]},
    ],
    ids=str,
)
def test_what_is_allowed_is_not_refused(fields: dict[str, Any]) -> None:
    """The other side of each rule; too many `max_tokens` are for the mapper to lower."""
    taken(body(**fields))


@pytest.mark.parametrize(("most", "budget"), [(1024, 1024), (2000, 4000)])
def test_thinking_leaves_room_for_an_answer(most: int, budget: int) -> None:
    """Unless the client has asked for thinking between calls, whose budget is for the whole turn."""
    asked = {"max_tokens": most, "thinking": {**THINKING, "budget_tokens": budget}}

    assert refused(body(**asked)).message.startswith("`max_tokens` must be greater than `thinking.budget_tokens`. ")
    taken(body(**asked), Caller(betas=("other", INTERLEAVED)))


def test_a_count_has_no_room_to_leave() -> None:
    """Without `max_tokens` there is nothing to compare a budget with."""
    taken(body(max_tokens=..., thinking=THINKING), counting=True)


RESULT = {"type": "tool_result", "tool_use_id": "t", **MARK}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}, **MARK}


@pytest.mark.parametrize(
    "fifth",
    [
        {"tools": [{**TOOL, **MARK}]},
        {"tools": [{"type": "bash_20250124", "name": "bash", **MARK}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search", **MARK}]},
        {"system": [MARKED]},
        {"messages": [user(MARKED, MARKED), user(MARKED, MARKED, MARKED)]},
        {"messages": [user(MARKED, MARKED), {"role": "assistant", "content": [CALL]}, user(RESULT, MARKED)]},
        {"messages": [user(MARKED, MARKED), user({**RESULT, "content": [MARKED]}, MARKED)]},
        {"messages": [user(*[MARKED] * 4), {"role": "assistant", "content": [{"type": "server_tool_use", **MARK}]}]},
    ],
    ids=lambda value: str(value)[:50],
)
def test_four_parts_may_be_marked_for_the_cache(fifth: dict[str, Any]) -> None:
    """Wherever they stand; a fifth is one too many."""
    full = {"messages": [user(*[MARKED] * 4)]}

    taken(body(**full))
    for counting in (True, False):
        assert refused(body(**{**full, **fifth}), counting=counting).message == (
            "A maximum of 4 blocks with cache_control may be provided. Found 5."
        )


def test_what_is_no_mark_does_not_count() -> None:
    """Null is no mark, and the one at the top moves to a part that may have one already."""
    unmarked = {**MARKED, "cache_control": None}

    taken(body(messages=[user(*[MARKED] * 4, unmarked, unmarked)], cache_control={"type": "ephemeral"}))
