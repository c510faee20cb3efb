"""Tools that come and go in mid-conversation: declared where that is said, or behind all others, and never cut out."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Caller
from stages.history import edit_history
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES
from stages.wire.messages_request import structure
from tests.stages.tools.test_changes import FRESH, NEWER, SEARCH, added, brought, referring, removed

Json = dict[str, Any]

LOOK: Json = {"name": "look", "input_schema": {"type": "object"}}
LATE: Json = {"name": "late", "input_schema": {"type": "object"}, "defer_loading": True}
IN_PLACE, AT_THE_END = "gpt-6-astra", "gpt-5.4"


def mapped(*blocks: Json, model: str = IN_PLACE, profile: str = "openai", **fields: Any) -> Mapped:
    """Map a conversation with these blocks, each in a system message of its own."""
    told = [
        {"role": "assistant" if block["type"] == "compaction" else "system", "content": [block]} for block in blocks
    ]
    body = {"model": model, "tools": [LOOK, LATE], "messages": [{"role": "user", "content": "x"}, *told], **fields}
    request = edit_history(structure(body), len)
    return map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1")


def loaded(made: Mapped) -> list[list[str]]:
    """What the items of the conversation declare, each."""
    items = (item for item in made.body["input"] if item["type"] == "additional_tools")
    return [[tool.get("name", tool["type"]) for tool in item["tools"]] for item in items]


def declared(made: Mapped) -> list[str]:
    """What the request declares."""
    return [tool.get("name", tool["type"]) for tool in made.body["tools"]]


CHANGES = (added("late"), brought(FRESH), removed("look"), added("late"), brought(FRESH), brought(SEARCH))


def test_in_place() -> None:
    """Each tool once, behind the words that say so; the list of tools stays as it was."""
    made = mapped(*CHANGES)
    assert declared(made) == ["look"]
    assert loaded(made) == [["late"], ["fresh"], ["web_search"]]
    said = [
        item["content"][0]["text"]
        for item in made.body["input"]
        if item.get("role") == "developer" and "content" in item
    ]
    assert said[0] == "The tool late is available from here on."
    assert said[2] == "The tool look is no longer available."
    assert [item["type"] for item in made.body["input"][1:4]] == ["message", "additional_tools", "message"]


def test_at_the_end() -> None:
    """Behind all others, in the order in which the conversation speaks of them."""
    made = mapped(referring("late"), *CHANGES, model=AT_THE_END)
    assert declared(made) == ["look", "late", "fresh", "web_search"]
    assert loaded(made) == []


@pytest.mark.parametrize(
    ("model", "listed", "items"), [(IN_PLACE, ["look"], [["fresh"], ["fresh"]]), (AT_THE_END, ["look", "fresh"], [])]
)
def test_a_newer_definition(model: str, listed: list[str], items: list[list[str]]) -> None:
    """Is told where it stands, or takes the place of the older one; its calls are the same tool's."""
    made = mapped(brought(FRESH), brought(NEWER), model=model)
    assert (declared(made), loaded(made)) == (listed, items)
    newest = [*made.body["tools"], *(tool for item in made.body["input"] for tool in item.get("tools", ()))][-1]
    assert newest["description"] == "Newer."


ALLOWED = [{"type": "function", "name": "late"}, {"type": "web_search"}]


@pytest.mark.parametrize("model", [IN_PLACE, AT_THE_END])
@pytest.mark.parametrize(
    ("choice", "becomes"),
    [
        (None, {"type": "allowed_tools", "mode": "auto", "tools": ALLOWED}),
        ({"type": "any"}, {"type": "allowed_tools", "mode": "required", "tools": ALLOWED}),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "late"}, {"type": "function", "name": "late"}),
    ],
)
def test_what_was_removed_is_not_allowed(model: str, choice: Json | None, becomes: Any) -> None:
    """It stays in the list, whose bytes begin every prompt; a forced choice stays forced."""
    made = mapped(removed("look"), added("late"), brought(SEARCH), model=model, tool_choice=choice)
    assert made.body["tool_choice"] == becomes
    assert "look" in declared(made)


def test_all_are_removed_or_come_back() -> None:
    """Where nothing is left, nothing may be called; where all is back, nothing is chosen."""
    assert mapped(removed("look")).body["tool_choice"] == "none"
    assert "tool_choice" not in mapped(removed("look"), added("look")).body


def test_a_server_that_obeys_no_list() -> None:
    """What was removed is not declared any more, and the report says so."""
    made = mapped(removed("look"), added("late"), model="tiny", profile="llama.cpp", tool_choice={"type": "any"})
    assert declared(made) == ["late"]
    assert made.body["tool_choice"] == "required"
    assert ("messages", "emulated") in {(note.path, note.disposition.value) for note in made.report.notes}


def test_a_call_is_known_by_its_name() -> None:
    """A name that had to change upstream is the client's in the answer."""
    long = {**FRESH, "name": "x" * 100}
    made = mapped(brought(long))
    ((name,),) = loaded(made)
    assert len(name) <= 64
    assert made.plan.tool_names[name] == "x" * 100


@pytest.mark.parametrize("model", [IN_PLACE, AT_THE_END])
def test_what_was_cut_stays_loaded(model: str) -> None:
    """By a summary: whether the client still sends what it stands for, or what the server said had changed."""
    sent = mapped(
        added("late"), brought(FRESH), removed("look"), {"type": "compaction", "content": "So far."}, model=model
    )
    told = {
        "type": "compaction",
        "content": "So far.",
        "tool_changes": [added("late"), brought(FRESH), removed("look")],
    }
    again = mapped(told, model=model)
    for made in (sent, again):
        assert {*declared(made), *(name for names in loaded(made) for name in names)} == {"look", "late", "fresh"}
        assert made.body["tool_choice"]["tools"] == [{"type": "function", "name": name} for name in ("late", "fresh")]


def test_what_was_cleared_stays_loaded() -> None:
    """By an edit: the result is gone, and what it had found is not."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    found = {**referring("late"), "content": [*referring("late")["content"], {"type": "text", "text": "word " * 40}]}
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "tool_uses", "value": 0}, "keep": {"value": 0}}
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [found]},
    ]
    made = mapped(messages=messages, context_management={"edits": [edit]})
    assert made.plan.applied_edits
    assert loaded(made) == [["late"]]


def test_a_summary_tells_the_changes() -> None:
    """For a client that will send nothing else of the conversation."""
    made = mapped(brought(FRESH), removed("look"), compaction={"type": "summarize"})
    assert made.plan.tool_changes == (brought(FRESH), removed("look"))
    assert mapped(compaction={"type": "summarize"}).plan.tool_changes == ()
    assert mapped(brought(FRESH)).plan.tool_changes is None


def test_nothing_is_lost_in_silence() -> None:
    """Fields that nobody knows, also inside of what a message brings along; and what can only be told."""
    tool = {"type": "mcp_tool_reference", "server_name": "books", "name": "find"}
    made = mapped(brought({**FRESH, "odd": 1}), {"type": "tool_removal", "tool": tool, "odder": 2})
    said = {note.path: note.disposition.value for note in made.report.notes}
    assert said["messages.1.content.0.tool.definition.odd"] == "dropped"
    assert said["messages.2.content.0.odder"] == "dropped"
    assert said["messages.2.content.0.tool.name"] == "approximated"
