"""Promises of safety: what cannot keep them is refused, and is never left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Caller
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES
from stages.wire.messages_request import structure
from tests.stages.tools.test_changes import brought

SEARCH = {"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["a.org"]}
FETCH = {"type": "web_fetch_20250910", "name": "web_fetch", "blocked_domains": ["a.org"]}


def mapped(target: Target, **fields: Any) -> Mapped:
    """Map a request for a target."""
    messages = [{"role": "user", "content": "x"}, *fields.pop("messages", [])]
    request = structure({"model": "claude-sonnet-5-5", "messages": messages, **fields})
    return map_request(request, Caller(), target, message_id="msg_1")


def broken(made: Mapped) -> list[str]:
    """What is refused."""
    return [str(note.place) for note in made.broken]


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"tools": [SEARCH]}, ["tools.0.blocked_domains"]),
        ({"tools": [FETCH]}, ["tools.0.blocked_domains"]),
        ({"tools": [{**SEARCH, "blocked_domains": []}]}, []),
        ({"tools": [{**SEARCH, "blocked_domains": None, "allowed_domains": ["b.org"]}]}, []),
        (
            {"messages": [{"role": "system", "content": [brought(SEARCH)]}]},
            ["messages.1.content.0.tool.definition.blocked_domains"],
        ),
    ],
)
def test_blocked_domains(fields: dict[str, Any], places: list[str]) -> None:
    """Wherever a search is declared that would look at them."""
    assert broken(mapped(Target(), **fields)) == places
    assert broken(mapped(Target(PROFILES["llama.cpp"]), **fields)) == []  # which searches nothing
    open_minded = mapped(Target(breaks_promises=True), **fields)
    assert broken(open_minded) == []
    said = {str(note.place): note.disposition.value for note in open_minded.report.notes}
    assert [said[place] for place in places] == ["dropped"] * len(places)


SERVER = {"type": "url", "name": "wiki", "url": "https://w/mcp"}


@pytest.mark.parametrize(
    ("toolset", "places"),
    [
        ({"configs": {"erase": {"enabled": False}}}, ["tools.0.configs.erase.enabled"]),
        ({"default_config": {"enabled": False}, "configs": {"ask": {"enabled": True}}}, []),
        ({"tools": [{"name": "ask"}, {"name": "erase"}], "configs": {"erase": {"enabled": False}}}, []),
    ],
)
def test_tools_of_a_server_that_are_switched_off(toolset: dict[str, Any], places: list[str]) -> None:
    """Where the model would be offered one all the same; no server is spoken to elsewhere."""
    tools = [{"type": "mcp_toolset", "mcp_server_name": "wiki", **toolset}]
    asked: dict[str, Any] = {"tools": tools, "mcp_servers": [SERVER]}

    assert broken(mapped(Target(), **asked)) == places
    assert broken(mapped(Target(PROFILES["llama.cpp"]), **asked)) == []
    assert broken(mapped(Target(breaks_promises=True), **asked)) == []


@pytest.mark.parametrize(
    ("region", "asked", "refused", "said"),
    [
        ("eu", "eu", False, "kept"),
        ("eu", "us", True, "dropped"),
        ("eu", "global", False, "kept"),
        ("eu", None, False, "kept"),
        (None, "us", False, "dropped"),
    ],
)
def test_regions(region: str | None, asked: str | None, refused: bool, said: str | None) -> None:
    """Where the upstream is certain to compute elsewhere; where nobody can tell, the report says so."""
    made = mapped(Target(region=region), inference_geo=asked)
    assert broken(made) == ["inference_geo"] * refused
    assert {str(note.place): note.disposition.value for note in made.report.notes}.get("inference_geo") == said
