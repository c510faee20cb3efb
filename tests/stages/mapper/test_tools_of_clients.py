"""Anthropic's client tools among a request's tools, and choices that they and deferred tools make hard."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from stages.canonical.report import Disposition, Report
from stages.canonical.request import (
    AnyTool,
    Caller,
    Message,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolChoice,
    ToolReference,
    ToolResult,
)
from stages.mapper import Mapped, Target, map_request
from stages.mapper.tool_choice import tool_choice
from stages.mapper.tools import Toolbox, toolbox
from tests.support.judges import judge_upstream_request

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
BASH = ServerTool("bash_20250124", "bash", {"type": "bash_20250124", "name": "bash"})
SEARCH = ServerTool("web_search_20250305", "web_search", {"type": "web_search_20250305", "name": "web_search"})
LATER = ServerTool("later_20270101", "later", {"type": "later_20270101", "name": "later"})
IN_PLACE, AT_THE_END = "gpt-6.1-sol", "gpt-5"


def toolset(kind: str, **configs: Any) -> ServerTool:
    """An entry of a toolset, with switches."""
    dated = f"{kind}_toolset_20260801"
    return ServerTool(dated, None, {"type": dated, **({"configs": configs} if configs else {})})


def own(name: str, **changes: Any) -> Tool:
    """A tool of the client's own."""
    return Tool(name, SCHEMA, **changes)


def boxed(*tools: AnyTool, asked: ToolChoice | None = None, in_place: bool = False) -> tuple[Toolbox, Report]:
    """Sort tools; return the box and the report."""
    report = Report()
    return toolbox(Request("m", (), tools=tools, tool_choice=asked), report, in_place=in_place), report


def names(box: Toolbox) -> list[str]:
    """What is declared, by name."""
    return [declared.get("name", declared["type"]) for declared in box.declared]


def notes(report: Report) -> list[tuple[str, Disposition]]:
    """What was reported, without the reasons."""
    return [(note.path, note.disposition) for note in report.notes]


def test_a_client_tool_becomes_a_function() -> None:
    """It stands where the client lists it, and keeps its name."""
    box, report = boxed(own("a"), BASH, own("b"))

    assert names(box) == ["a", "bash", "b"]
    assert box.declared[1]["parameters"]["properties"].keys() == {"command", "restart"}
    assert box.names["bash"] == "bash"
    assert (box.toolsets, notes(report)) == ({}, [("tools.1", Disposition.TRANSLATED)])


def test_members_of_toolsets_are_told_apart() -> None:
    """From each other, and from a tool of the client's that has the same name."""
    box, _ = boxed(toolset("browser"), toolset("computer"), own("screenshot"))

    assert len(box.declared) == 27 + 17 + 1
    assert len(set(names(box))) == len(box.declared)
    assert {name: box.names[name] for name in names(box) if "screenshot" in name} == {
        "browser__screenshot": "screenshot",
        "computer__screenshot": "screenshot",
        "screenshot": "screenshot",
    }
    assert box.toolsets["browser__screenshot"] == "browser"
    assert "screenshot" not in box.toolsets


def test_members_are_switched_on_and_off() -> None:
    """What the client withholds, the upstream never hears of."""
    box, _ = boxed(toolset("browser", zoom={"enabled": False}, javascript_exec={"enabled": True}))

    assert "browser__javascript_exec" in names(box)
    assert "browser__zoom" not in names(box)
    assert len(box.declared) == 27


def test_a_deferred_toolset_is_declared_at_once() -> None:
    """One reference would have to load all of it; that the model sees it from the start is reported."""
    entry = toolset("computer", **{name: {"defer_loading": True} for name in ("key", "zoom")})
    box, report = boxed(entry)

    assert len(box.declared) == 17
    assert box.deferred == {}
    assert notes(report)[1:] == [("tools.0.configs", Disposition.APPROXIMATED)]


@pytest.mark.parametrize(
    ("name", "odd"), [("a" * 128, False), ("a_-9", False), ("a" * 129, True), ("a.b", True), ("", True), ("é", True)]
)
def test_odd_names_are_mended_and_reported(name: str, odd: bool) -> None:
    """Anthropic's names may be longer than the upstream's, which is nobody's business; others Anthropic refuses."""
    box, report = boxed(own(name))

    assert box.names[names(box)[0]] == name
    assert notes(report) == ([("tools.0.name", Disposition.APPROXIMATED)] if odd else [])
    assert all("String should match pattern '^[a-zA-Z0-9_-]{1,128}$'" in note.reason for note in report.notes)


# -- choices -----------------------------------------------------------------------------------------------


LATE = own("late", defer_loading=True)
LOADED = Message("user", (ToolResult("t", (ToolReference("late"),)),))
FORCED = ToolChoice("tool", "late")


def mapped(
    model: str, *messages: Message, asked: ToolChoice | None = FORCED, tools: tuple[AnyTool, ...] = ()
) -> Mapped:
    """Map a request with a deferred tool, and have the upstream's judge look at it."""
    request = Request(
        model, messages or (Message("user", (Text("Go."),)),), 100, tools=tools or (LATE, own("a")), tool_choice=asked
    )
    made = map_request(request, Caller(), Target(), message_id="msg_1")
    assert judge_upstream_request(made.body) == []
    return made


@pytest.mark.parametrize("model", [IN_PLACE, AT_THE_END])
@pytest.mark.parametrize("messages", [(), (LOADED,)], ids=["not loaded", "loaded"])
@pytest.mark.usefixtures("shared")
def test_a_deferred_tool_can_be_forced(model: str, messages: tuple[Message, ...]) -> None:
    """It is declared after the others, once, wherever else it would have been; and the report says so."""
    made = mapped(model, *messages)

    assert [tool["name"] for tool in made.body["tools"]] == ["a", "late"]
    assert made.body["tool_choice"] == {"type": "function", "name": "late"}
    assert not any(item["type"] == "additional_tools" for item in made.body["input"])
    assert ("tools.0.defer_loading", Disposition.TRANSLATED) in notes(made.report)
    assert not any(
        note.path == "tool_choice" and note.disposition is Disposition.APPROXIMATED for note in made.report.notes
    )


@pytest.mark.usefixtures("shared")
def test_a_deferred_tool_that_is_not_forced_waits() -> None:
    """Another choice loads nothing."""
    for asked in (None, ToolChoice("any"), ToolChoice("tool", "a")):
        assert [tool["name"] for tool in mapped(IN_PLACE, asked=asked).body["tools"]] == ["a"]


@pytest.mark.usefixtures("shared")
def test_a_deferred_client_tool_can_be_forced() -> None:
    """Anthropic's tools wait and are forced like the client's own."""
    late = attrs.evolve(BASH, body={**BASH.body, "defer_loading": True})
    waiting = mapped(IN_PLACE, asked=None, tools=(late, own("a")))
    forced = mapped(IN_PLACE, asked=ToolChoice("tool", "bash"), tools=(late, own("a")))

    assert [tool["name"] for tool in waiting.body["tools"]] == ["a"]
    assert forced.body["tool_choice"] == {"type": "function", "name": "bash"}


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("any"), "required"),
        (ToolChoice("none"), "none"),
        (ToolChoice("tool", "bash"), {"type": "function", "name": "bash"}),
    ],
)
@pytest.mark.parametrize("single", [True, False])
def test_one_call_at_most_with_every_choice(asked: ToolChoice, chosen: Any, *, single: bool) -> None:
    """Whether several calls may come is a choice of its own; with `none`, the tools stay declared for the cache."""
    report = Report()
    fields = tool_choice(attrs.evolve(asked, disable_parallel_tool_use=single), boxed(BASH)[0], report)

    assert fields == {"tool_choice": chosen} | ({"parallel_tool_calls": False} if single else {})
    assert report.notes == []


def test_any_of_hosted_tools_alone() -> None:
    """A call of a tool that the upstream runs can be required as well."""
    assert tool_choice(ToolChoice("any"), boxed(SEARCH)[0], Report()) == {"tool_choice": "required"}


@pytest.mark.parametrize(("kind", "reported"), [("auto", False), ("none", False), ("any", True), ("tool", True)])
def test_what_is_not_declared_cannot_be_chosen(kind: Any, *, reported: bool) -> None:
    """Where the upstream has no counterpart for any tool, a call that must be made will not be: that is said."""
    box, _ = boxed(LATER)
    report = Report()

    assert tool_choice(ToolChoice(kind, "later"), box, report) == {}
    assert notes(report) == ([("tool_choice", Disposition.APPROXIMATED)] if reported else [])
