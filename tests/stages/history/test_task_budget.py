"""What a model is told of the tokens that its task may take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.history import edit_history
from stages.mapper import Target, map_request
from stages.wire import json
from stages.wire.messages_request import structure

CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}


def result(words: str) -> dict[str, Any]:
    """What came of the call."""
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": words}]}


TURN: list[dict[str, Any]] = [
    {"role": "user", "content": "Do it."},
    {"role": "assistant", "content": [CALL]},
    result("x" * 100),
]


def told(messages: list[dict[str, Any]], budget: Any, **fields: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The input of a request with a budget, and the fates of what the report names."""
    config = {"output_config": {"task_budget": budget}} if budget else {}
    request = edit_history(structure({"model": "claude-sonnet-5-5", "messages": messages, **config, **fields}), len)
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")
    return mapped.body["input"], {note.path: note.disposition.value for note in mapped.report.notes}


def reminders(items: list[dict[str, Any]]) -> list[str]:
    """What the developer says."""
    return [item["content"][0]["text"] for item in items if item.get("role") == "developer"]


def test_a_countdown() -> None:
    """Behind each message that goes in; what the model wrote and got back is used, and the first message is not."""
    items, fates = told(TURN, {"type": "tokens", "total": 1000})

    first, second = reminders(items)
    assert first.startswith("About 1000 of 1000 tokens are left for this task. Thinking,")
    assert second == "About 872 of 1000 tokens are left for this task."  # by characters here, and 22 for borders
    assert [item.get("role", item["type"]) for item in items] == [
        "user",
        "developer",
        "function_call",
        "function_call_output",
        "developer",
    ]
    assert fates["output_config.task_budget"] == "emulated"


def test_a_budget_of_another_context() -> None:
    """`remaining` is what is left of it where this one begins; none is told as none."""
    items, _ = told(TURN, {"type": "tokens", "total": 1000, "remaining": 50})

    first, second = reminders(items)
    assert first.startswith("About 50 of 1000 tokens")
    assert second.startswith("The budget of 1000 tokens for this task is used up")


def test_what_is_cleared_has_been_used() -> None:
    """An edit takes it out of the prompt, and not out of the budget."""
    turn = [{**TURN[1], "content": [{**CALL, "id": "toolu_2"}]}, result("y" * 200)]
    turn[1]["content"][0]["tool_use_id"] = "toolu_2"
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "tool_uses", "value": 1}, "keep": {"value": 1}}
    budget = {"type": "tokens", "total": 9000}
    cleared, _ = told([*TURN, *turn], budget, context_management={"edits": [edit]})

    assert "x" * 100 not in str(cleared)
    assert reminders(cleared) == reminders(told([*TURN, *turn], budget)[0])


def test_without_a_budget_nothing_is_said() -> None:
    """As before."""
    assert reminders(told(TURN, None)[0]) == []


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6), st.integers(0, 400))
def test_what_was_told_is_told_again(said: list[str], total: int) -> None:
    """A longer conversation begins with the bytes of the shorter one (law 9)."""
    budget = {"type": "tokens", "total": total}
    messages = [
        message
        for words in said
        for message in ({"role": "user", "content": f"a{words}"}, {"role": "assistant", "content": f"b{words}"})
    ]
    whole, _ = told(messages, budget)
    for end in range(1, len(messages), 2):
        shorter, _ = told(messages[:end], budget)
        assert json.encode(whole[: len(shorter)]) == json.encode(shorter)


@pytest.mark.parametrize(
    ("budget", "complaint"),
    [
        ({"type": "tokens"}, "output_config.task_budget.total: Field required"),
        ({"type": "tokens", "total": "9"}, "output_config.task_budget.total: Input should be a valid integer"),
        ({"type": "tokens", "total": True}, "output_config.task_budget.total: Input should be a valid integer"),
        (
            {"type": "tokens", "total": 9, "remaining": -1},
            "output_config.task_budget.remaining: Input should be greater than or equal to 0",
        ),
        ({"type": "tokens", "total": 9, "remaining": None}, None),
    ],
)
def test_what_is_wrong_is_said(budget: Any, complaint: str | None) -> None:
    """In the API's words."""
    body = {"model": "m", "max_tokens": 9, "messages": TURN[:1], "output_config": {"task_budget": budget}}
    found = decode_request(json.encode(body))

    assert (None if isinstance(found, Request) else found.message) == complaint
