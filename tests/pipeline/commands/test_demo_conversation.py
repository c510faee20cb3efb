"""The conversation of `dragoman demo`."""

from __future__ import annotations

from pipeline.commands.demo_conversation import SHOPPING_LIST, Answer, first_request, next_request
from tests.pipeline.commands.helpers import folded


def test_an_answer_isfolded() -> None:
    """Deltas join, arguments are parsed, a call without arguments keeps its empty ones."""
    answer = folded()

    assert answer.blocks == [
        {"type": "thinking", "thinking": "ab", "signature": "s"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t", "name": "Read", "input": {"a": 1}},
        {"type": "tool_use", "id": "u", "name": "Now", "input": {}},
    ]
    assert (answer.stop_reason, answer.usage, answer.error) == ("tool_use", {"output_tokens": 3}, None)


def test_an_error_is_kept() -> None:
    """A stream may end with one."""
    answer = Answer()

    answer.take({"type": "error", "error": {"type": "api_error", "message": "x"}})

    assert answer.error == {"type": "api_error", "message": "x"}


def test_the_next_turn_extends_the_first() -> None:
    """The answer goes back as it came, with a result for each call."""
    request, answer = first_request(), folded()

    following = next_request(request, answer)

    assert following["messages"][:1] == request["messages"]
    assert following["messages"][1] == {"role": "assistant", "content": answer.blocks}
    assert [(one["tool_use_id"], one["content"]) for one in following["messages"][2]["content"]] == [
        ("t", SHOPPING_LIST),
        ("u", SHOPPING_LIST),
    ]
    assert {**following, "messages": 0} == {**request, "messages": 0}
