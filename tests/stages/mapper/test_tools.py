"""Tools and the choice among them: declared once, in one order, under names that the upstream allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import Disposition, Report
from stages.canonical.request import (
    AnyTool,
    Message,
    Request,
    ServerTool,
    Tool,
    ToolChoice,
    ToolReference,
    ToolResult,
)
from stages.mapper.tool_choice import tool_choice
from stages.mapper.tools import PLACEHOLDER, Toolbox, toolbox
from stages.tables.identifiers import upstream_tool_name
from tests.stages.strategies import TEXTS

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
CLOSED: dict[str, Any] = {**SCHEMA, "additionalProperties": False, "required": []}
SEARCH = ServerTool("web_search_20250305", "web_search", {"type": "web_search_20250305", "name": "web_search"})


def tool(name: str, **changes: Any) -> Tool:
    """A tool without arguments."""
    return Tool(**{"name": name, "input_schema": SCHEMA, **changes})


def referring(*names: str) -> Message:
    """A message with a result that refers to these tools."""
    return Message("user", (ToolResult("t", tuple(map(ToolReference, names))),))


def boxed(
    *tools: AnyTool, messages: tuple[Message, ...] = (), in_place: bool = False, available: bool = True
) -> tuple[Toolbox, list[tuple[str, Disposition]]]:
    """Sort tools; return the box and what was reported."""
    report = Report()
    box = toolbox(Request("m", messages, tools=tools), report, in_place=in_place, available=available)
    return box, [(note.path, note.disposition) for note in report.notes]


def names(box: Toolbox) -> list[str]:
    """What is declared, by name."""
    return [declared.get("name", declared["type"]) for declared in box.declared]


def test_a_tool_becomes_a_function() -> None:
    """Name, description and schema are kept, and `strict` is always said: its absence would mean strict."""
    box, notes = boxed(tool("look", description="Looks."))

    assert box.declared == [
        {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": False}
    ]
    assert box.names == {"look": "look"}
    assert notes == []


def test_strictness_is_kept_where_it_can_be() -> None:
    """A schema that can be said in the strict subset is; any other is only asked for; both are reported."""
    optional = {**CLOSED, "properties": {"a": {"type": "string", "minLength": 1}}}
    box, notes = boxed(
        tool("a", input_schema=CLOSED, strict=True),
        tool("b", input_schema={"type": "object", "properties": {"a": {}}}, strict=True),
        tool("c", input_schema=optional, strict=False),
        tool("d", input_schema=optional, strict=True),
    )

    assert [declared["strict"] for declared in box.declared] == [True, False, False, True]
    assert [declared["parameters"] for declared in box.declared[::2]] == [CLOSED, optional]
    assert box.declared[3]["parameters"]["required"] == ["a"]
    assert notes == [
        ("tools.1.strict", Disposition.APPROXIMATED),
        ("tools.3.input_schema", Disposition.APPROXIMATED),
        ("tools.3.input_schema", Disposition.EMULATED),
    ]


def test_a_repaired_schema_is_reported() -> None:
    """The client learns which tool's schema was changed."""
    _, notes = boxed(tool("a"), tool("b", input_schema={"anyOf": [SCHEMA]}))

    assert notes == [("tools.1.input_schema", Disposition.APPROXIMATED)]


@given(st.lists(TEXTS, unique=True, max_size=5))
def test_names_can_be_restored(called: list[str]) -> None:
    """Every declared name leads back to the client's."""
    box, _ = boxed(*map(tool, called))

    assert [box.names[name] for name in names(box)] == called


def test_deferred_tools_wait_for_a_reference() -> None:
    """They come last, in the order of their first reference, so that those before them never move."""
    tools = (tool("late", defer_loading=True), tool("a"), tool("later", defer_loading=True), tool("b"))

    assert names(boxed(*tools)[0]) == ["a", "b"]
    assert names(boxed(*tools, messages=(referring("later"),))[0]) == ["a", "b", "later"]
    assert names(boxed(*tools, messages=(referring("later", "gone"), referring("late", "later")))[0]) == [
        "a",
        "b",
        "later",
        "late",
    ]


def test_deferred_tools_stay_aside_where_they_can_be_added_in_place() -> None:
    """The conversation adds them; `tools` never changes. Their names are known from the start."""
    box, _ = boxed(tool("a"), tool("late.er", defer_loading=True), messages=(referring("late.er"),), in_place=True)

    assert names(box) == ["a"]
    assert box.deferred["late.er"]["name"] == upstream_tool_name("late.er")
    assert box.names[upstream_tool_name("late.er")] == "late.er"


def test_the_placeholder_is_nobodys_tool() -> None:
    """Claude Code lists it so that the list is not empty; the model must never see it."""
    assert boxed(tool(PLACEHOLDER))[0].declared == []


def test_a_web_search_is_hosted() -> None:
    """It stands first, counts as a tool that the upstream runs, and keeps its limit."""
    box, notes = boxed(tool("a"), ServerTool(SEARCH.type, SEARCH.name, {**SEARCH.body, "max_uses": 3}))

    assert names(box) == ["web_search", "a"]
    assert (box.server_tools.names, box.server_tools.limit) == ({"web_search": "web_search"}, 3)
    assert notes == []


def searched(
    *tools: AnyTool, native: bool, asked: ToolChoice | None = None
) -> tuple[Toolbox, list[tuple[str, Disposition]]]:
    """Sort tools that are found by a search on the server."""
    report = Report()
    find = ServerTool("tool_search_tool_bm25", "tool_search_tool_bm25", {"type": "tool_search_tool_bm25"})
    request = Request("m", (referring("late"),), tools=(*tools, find), tool_choice=asked)
    box = toolbox(request, report, in_place=True, native_search=native)
    return box, [(note.path, note.disposition) for note in report.notes]


LATE = (tool("late", defer_loading=True), tool("a"), tool("a late one", defer_loading=True))


def test_a_search_on_the_server_must_know_what_there_is() -> None:
    """The deferred tools are declared as such, always in one order, and none is added in the conversation."""
    box, notes = searched(*LATE, native=True)

    assert names(box) == ["tool_search", "a", upstream_tool_name("a late one"), "late"]
    assert [declared.get("defer_loading") for declared in box.declared] == [None, None, True, True]
    assert box.functions["late"] == box.declared[3]
    assert box.deferred == {}
    assert [path for path, _ in notes] == ["tools.2.name"]


def test_where_nobody_searches_all_tools_are_declared() -> None:
    """And that is reported, because the model reads all of them in every turn."""
    box, notes = searched(*LATE, native=False)

    assert names(box) == ["a", upstream_tool_name("a late one"), "late"]
    assert not any("defer_loading" in declared for declared in box.declared)
    assert ("tools.3", Disposition.APPROXIMATED) in notes


def test_a_forced_tool_does_not_wait_to_be_found() -> None:
    """A choice of a deferred function could not be met."""
    asked = ToolChoice("tool", "late")
    box, _ = searched(*LATE, native=True, asked=asked)

    assert "defer_loading" not in box.functions["late"]
    assert tool_choice(asked, box, Report()) == {"tool_choice": {"type": "function", "name": "late"}}


@pytest.mark.parametrize(
    ("server_tool", "available"), [(SEARCH, False), (ServerTool("bash_29991231", "bash", {}), True)]
)
def test_what_has_no_counterpart_is_dropped_and_reported(server_tool: ServerTool, available: bool) -> None:
    """A tool that nobody would run is not declared."""
    box, notes = boxed(tool("a"), server_tool, available=available)

    assert names(box) == ["a"]
    assert (box.server_tools.names, box.server_tools.limit) == ({}, None)
    assert notes == [("tools.1", Disposition.DROPPED)]


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (None, {}),
        (ToolChoice("auto"), {"tool_choice": "auto"}),
        (ToolChoice("any"), {"tool_choice": "required"}),
        (ToolChoice("none"), {"tool_choice": "none"}),
        (ToolChoice("tool", "a.b"), {"tool_choice": {"type": "function", "name": upstream_tool_name("a.b")}}),
        (
            ToolChoice("tool", "web_search"),
            {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}},
        ),
        (
            ToolChoice("auto", disable_parallel_tool_use=True),
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
    ],
)
def test_choices_are_translated(asked: ToolChoice | None, fields: dict[str, Any]) -> None:
    """Every kind of choice, and that there may be one call at most; without tools there is nothing to choose."""
    box, _ = boxed(tool("a.b"), SEARCH)
    report = Report()

    assert tool_choice(asked, box, report) == fields
    assert report.notes == []
    assert tool_choice(asked, boxed()[0], Report()) == {}


def test_a_tool_that_is_not_declared_cannot_be_forced() -> None:
    """The upstream would refuse the request for a name it does not know; the choice is left to the model, reported."""
    report = Report()

    assert tool_choice(ToolChoice("tool", "gone"), boxed(tool("a"))[0], report) == {"tool_choice": "auto"}
    assert [(note.path, note.disposition) for note in report.notes] == [("tool_choice", Disposition.APPROXIMATED)]
