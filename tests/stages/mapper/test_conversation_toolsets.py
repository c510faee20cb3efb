"""Calls of client tools and of toolset members in a conversation: named as they are declared, results in any form."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import UNFAITHFUL
from stages.canonical.request import Caller
from stages.mapper import Mapped, Target, map_request
from stages.wire.messages_request import structure
from tests.support.judges import judge_upstream_request

PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
TOOLS = [
    {"type": "browser_toolset_20260801"},
    {"type": "computer_toolset_20260801"},
    {"type": "bash_20250124", "name": "bash"},
    {"name": "screenshot", "input_schema": {"type": "object"}},
]


def talk(*calls: dict[str, Any], results: list[Any]) -> Mapped:
    """Map a conversation in which these calls got these results."""
    said = [{"type": "tool_use", "id": f"toolu_{at}", "input": {}, **call} for at, call in enumerate(calls)]
    heard = [
        {"type": "tool_result", "tool_use_id": f"toolu_{at}", "content": content, **_echoed(calls[at])}
        for at, content in enumerate(results)
    ]
    messages = [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": said},
        {"role": "user", "content": heard},
    ]
    request = structure({"model": "claude-opus-5-5", "max_tokens": 100, "messages": messages, "tools": TOOLS})
    made = map_request(request, Caller(), Target(), message_id="msg_1")
    assert judge_upstream_request(made.body) == []
    return made


def _echoed(call: dict[str, Any]) -> dict[str, Any]:
    return {"toolset_name": call["toolset_name"]} if "toolset_name" in call else {}


def items(made: Mapped, kind: str) -> list[dict[str, Any]]:
    """The items of a kind."""
    return [item for item in made.body["input"] if item["type"] == kind]


@pytest.mark.usefixtures("shared")
def test_calls_are_named_as_their_tools_are_declared() -> None:
    """The same name may be a member of either toolset, or the client's own tool."""
    made = talk(
        {"name": "screenshot", "toolset_name": "browser"},
        {"name": "screenshot", "toolset_name": "computer"},
        {"name": "screenshot"},
        {"name": "screenshot", "toolset_name": None},
        {"name": "bash"},
        results=["a", "b", "c", "d", "e"],
    )
    called = [item["name"] for item in items(made, "function_call")]

    assert called == ["browser__screenshot", "computer__screenshot", "screenshot", "screenshot", "bash"]
    assert set(called) <= {tool["name"] for tool in made.body["tools"]}


@pytest.mark.parametrize("call", [{"name": "screenshot", "toolset_name": "browser"}, {"name": "bash"}])
@pytest.mark.usefixtures("shared")
def test_a_picture_is_a_result(call: dict[str, Any]) -> None:
    """A screenshot reaches the model as a picture, beside what is said about it."""
    made = talk(call, results=[[{"type": "text", "text": "Here."}, PICTURE]])

    assert items(made, "function_call_output")[0]["output"] == [
        {"type": "input_text", "text": "Here."},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
    ]
    assert not [note for note in made.report.notes if note.disposition in UNFAITHFUL]


@pytest.mark.usefixtures("shared")
def test_the_state_of_a_browser_is_told() -> None:
    """In words, without a loss; what has not the block's shape is shown as any unknown block."""
    state = {"type": "browser_state", "tabs": [{"tab_id": "t1", "title": "A", "url": "https://a", "active": True}]}
    click = {"name": "left_click", "toolset_name": "browser"}
    made = talk(click, results=[[{"type": "text", "text": "Clicked."}, state]])
    odd = talk(click, results=[[state | {"tabs": "many"}]])

    assert str(items(made, "function_call_output")[0]["output"]).count('- t1: "A", https://a (active)') == 1
    assert not [note for note in made.report.notes if note.disposition in UNFAITHFUL]
    assert "browser_state" in str(items(odd, "function_call_output")[0]["output"])
    assert [note for note in odd.report.notes if note.disposition in UNFAITHFUL]


@pytest.mark.usefixtures("shared")
def test_members_that_nobody_knows_are_no_reason_to_fail() -> None:
    """A conversation may come from elsewhere, or from a time when more was switched on."""
    made = talk({"name": "teleport", "toolset_name": "spaceship"}, results=["ok"])

    assert items(made, "function_call")[0]["name"] == "spaceship__teleport"
