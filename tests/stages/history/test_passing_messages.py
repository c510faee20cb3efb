"""System messages that are said for one turn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Caller
from stages.history import edit_history
from stages.history.passing_messages import PASSED
from stages.mapper import Target, map_request
from stages.wire.messages_request import structure

PASSING = "next_user_message"
ADDED = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "look"}}


def system(text: str, clear_at: Any = PASSING) -> dict[str, Any]:
    """A message of the system."""
    return {"role": "system", "content": [{"type": "text", "text": text}], "clear_at": clear_at}


def user(text: str) -> dict[str, Any]:
    """A message of the user."""
    return {"role": "user", "content": text}


def shown(*messages: dict[str, Any]) -> tuple[str, list[str]]:
    """What goes upstream of a conversation, and the places of what has passed."""
    body = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": list(messages)}
    request = edit_history(structure(body), len)
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")
    assert mapped.report.unfaithful() is None
    return str(mapped.body["input"]), [note.path for note in mapped.report.notes if note.reason == PASSED]


@pytest.mark.parametrize(("clear_at", "passed"), [(PASSING, ["messages.1"]), ("never", []), (None, [])])
def test_its_turn_is_over(clear_at: Any, passed: list[str]) -> None:
    """Once the user speaks again; until then the model reads it."""
    now = [user("One."), system("Briefly.", clear_at)]
    assert shown(*now)[1] == []
    assert "Briefly." in shown(*now)[0]
    said, places = shown(*now, {"role": "assistant", "content": "1"}, user("Two."))
    assert places == passed
    assert ("Briefly." in said) == (not passed)


def test_what_stays() -> None:
    """Tools that came with it; and what other roles say, whatever they say of it."""
    body = {
        "model": "m",
        "messages": [
            user("One."),
            {"role": "system", "content": [ADDED, {"type": "text", "text": "x"}], "clear_at": PASSING},
            {**user("Two."), "clear_at": PASSING},
            user("Three."),
        ],
    }
    messages = edit_history(structure(body), len).messages
    assert [len(message.content) for message in messages] == [1, 1, 1, 1]


kinds = st.lists(st.sampled_from(["user", "passing", "staying"]), max_size=8)


@given(before=kinds, after=kinds)
def test_it_passes_for_good(before: list[str], after: list[str]) -> None:
    """What is not shown in one turn is not shown in any later one."""
    made = {"user": user("u"), "passing": system("p"), "staying": system("s", "never")}
    conversation = [made[kind] for kind in ["user", *before, *after]]

    def emptied(messages: list[dict[str, Any]]) -> set[int]:
        request = edit_history(structure({"model": "m", "messages": messages}), len)
        return {at for at, message in enumerate(request.messages) if not message.content}

    assert emptied(conversation[: len(before) + 1]) <= emptied(conversation)
