"""What stands in a message and is an item of its own."""

from __future__ import annotations

from typing import Any

import pytest

from stages.correlator.folded import flat, unfolded

CHAT = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PART = {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}
SAID = {"type": "output_text", "text": "Aye."}


def _seen(item: dict[str, Any]) -> list[Any]:
    kinds = {"reasoning": "content", "message": "content", "function_call": "arguments"}
    return [[found["type"], found[kinds[found["type"]]]] for found in unfolded(item)]


@pytest.mark.parametrize(
    ("fields", "items"),
    [
        ({"content": [SAID]}, [["message", [SAID]]]),
        ({"content": "Aye.", "tool_calls": []}, [["message", "Aye."]]),
        ({"content": "", "tool_calls": [CHAT]}, [["function_call", "{}"]]),
        (
            {"content": [SAID], "function_call": {"name": "f", "arguments": {}}},
            [["message", [SAID]], ["function_call", "{}"]],
        ),
        ({"content": [SAID, PART]}, [["message", [SAID]], ["function_call", '{"a":1}']]),
        ({"content": [PART]}, [["function_call", '{"a":1}']]),
        ({"content": None, "refusal": "No."}, [["message", [None, {"type": "refusal", "refusal": "No."}]]]),
        ({"content": [SAID], "refusal": None}, [["message", [SAID]]]),
        ({"content": "Aye.", "reasoning_content": "Hm."}, [["reasoning", ["Hm."]], ["message", "Aye."]]),
        ({"content": [{"thinking": "Hm."}, SAID]}, [["reasoning", ["Hm."]], ["message", [SAID]]]),
    ],
)
def test_each_thing_in_a_message_is_an_item(fields: dict[str, Any], items: list[Any]) -> None:
    """What was thought, what is said, what is called, in this order."""
    assert _seen({"type": "message", "id": "m", **fields}) == items


def test_a_call_in_a_message_is_known_by_its_own_id() -> None:
    """And only what was thought shares the message's."""
    thought, _, call = unfolded({"type": "message", "id": "m", "thinking": "Hm.", "content": "x", "tool_calls": [CHAT]})

    assert thought["id"] == "m"
    assert call["call_id"] == "c"


def test_a_call_is_told_once() -> None:
    """One that stands in a message as well as beside it."""
    own = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    told = [unfolded({"type": "message", "content": "Aye.", "tool_calls": [CHAT]}), unfolded(own)]

    assert [item["type"] for item in flat(told)] == ["message", "function_call"]
