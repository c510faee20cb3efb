"""Tools that come and go: what a conversation says about them, and what is left of that when it is summed up."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Compaction, Message, Request
from stages.tools.changes import NO_CHANGES, net_changes, tool_changes, tools_of, wire_form
from stages.wire.messages_request import structure

Json = dict[str, Any]

FRESH: Json = {"name": "fresh", "input_schema": {"type": "object"}}
NEWER: Json = {**FRESH, "description": "Newer."}
SEARCH: Json = {"type": "web_search_20250305", "name": "web_search"}


def added(name: str) -> Json:
    """An addition by name."""
    return {"type": "tool_addition", "tool": {"type": "tool_reference", "name": name}}


def removed(name: str) -> Json:
    """A removal."""
    return {"type": "tool_removal", "tool": {"type": "tool_reference", "name": name}}


def brought(definition: Json) -> Json:
    """An addition by value."""
    return {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": definition}}


def referring(*names: str) -> Json:
    """A result that refers to tools."""
    content = [{"type": "tool_reference", "tool_name": name} for name in names]
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content}


def talk(*blocks: Json, **fields: Any) -> Request:
    """A conversation of these blocks, each in a message of its own."""
    messages = [{"role": "system", "content": [block]} for block in blocks]
    return structure({"model": "m", "messages": [{"role": "user", "content": "x"}, *messages], **fields})


def test_most_conversations_change_nothing() -> None:
    """The very same value for all of them."""
    assert tool_changes(talk({"type": "text", "text": "x"})) is NO_CHANGES


def test_tools_have_places() -> None:
    """Those of the request, and those that messages bring along, also in a summary."""
    summary = {"type": "compaction", "content": "s", "tool_changes": [removed("a"), brought(SEARCH)]}
    request = talk(brought(FRESH), summary, added("a"), tools=[{**FRESH, "name": "a"}])
    assert [(tool.name, str(place)) for tool, place in tools_of(request)] == [
        ("a", "tools.0"),
        ("fresh", "messages.1.content.0.tool.definition"),
        ("web_search", "messages.2.content.0.tool_changes.1.tool.definition"),
    ]


@pytest.mark.parametrize(
    ("blocks", "gone"),
    [
        ((removed("a"),), ["a"]),
        ((removed("a"), added("a")), []),
        ((removed("a"), brought({**FRESH, "name": "a"})), []),
        ((added("a"), removed("a"), removed("b"), added("b")), ["a"]),
        ((removed("a"), referring("a")), ["a"]),  # a search finds what is there, and gives nothing back
    ],
)
def test_the_last_word_counts(blocks: tuple[Json, ...], gone: list[str]) -> None:
    """About each tool by itself."""
    assert tool_changes(talk(*blocks)).removed == {("tool", name) for name in gone}


@pytest.mark.parametrize(
    ("blocks", "net"),
    [
        ((), ()),
        ((removed("a"), added("a")), (added("a"),)),
        ((added("a"), removed("a")), (removed("a"),)),
        ((brought(FRESH), removed("fresh")), ()),
        ((brought(FRESH), added("fresh")), (brought(FRESH),)),
        ((brought(FRESH), removed("a"), brought(NEWER)), (brought(NEWER), removed("a"))),
        ((brought({**SEARCH, "cache_control": {"type": "ephemeral"}}),), (brought(SEARCH),)),
        ((referring("late", "later"),), (added("late"), added("later"))),
        (
            ({"type": "compaction", "content": "s", "tool_changes": [removed("a")]}, added("b")),
            (removed("a"), added("b")),
        ),
    ],
)
def test_what_is_left_of_them(blocks: tuple[Json, ...], net: tuple[Json, ...]) -> None:
    """The changes that lead from the request's tools to those at the end, as the API writes them."""
    changes = net_changes(talk(*blocks).messages)
    assert tuple(map(wire_form, changes)) == net
    again = Message("assistant", (Compaction("s", None, changes),))
    assert net_changes([again]) == changes
