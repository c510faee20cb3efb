"""One declared tool: made once for equal ones, with what its arguments may need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.canonical.omittable import OmittableMembers
from stages.canonical.report import Report
from stages.canonical.request import AnyTool, Request, ServerTool, Tool
from stages.mapper.functions import function_of
from stages.mapper.tools import toolbox
from stages.tables.identifiers import upstream_tool_name

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}},
}


def argument_shapes(tools: list[AnyTool]) -> Mapping[str, OmittableMembers]:
    """Declare these tools; return the shapes of their arguments, by the upstream's name."""
    return toolbox(Request("m", (), tools=tuple(tools)), Report(), in_place=True).omittables


def test_a_tool_is_declared_once() -> None:
    """A turn that brings the same tools costs a look-up; one that differs in anything is another tool."""
    tool = Tool("a", PARAMETERS, "Looks.")

    assert function_of(tool) is function_of(tool)
    assert function_of(tool).declared != function_of(Tool("a", PARAMETERS, "Hears.")).declared
    assert function_of(tool).declared != function_of(Tool("a", PARAMETERS, "Looks.", strict=True)).declared


def test_tools_with_optional_members() -> None:
    """By the upstream's name; a tool with nothing to repair is not there."""
    bare = Tool("bare", input_schema={"type": "object", "properties": {"a": {}}})
    omittables = argument_shapes(
        [bare, Tool("a.b", input_schema=PARAMETERS), ServerTool("web_search_20250305", "s", {})]
    )

    assert list(omittables) == [upstream_tool_name("a.b")]
    assert omittables[upstream_tool_name("a.b")].omittable_names == ("b",)


def test_strict_tools() -> None:
    """What strict mode made nullable is undone; where it cannot be strict, what was declared counts."""
    loose = {**PARAMETERS, "additionalProperties": {"type": "string"}}
    omittables = argument_shapes(
        [Tool("a", input_schema=PARAMETERS, strict=True), Tool("b", input_schema=loose, strict=True)]
    )

    assert {name: omittable.omittable_names for name, omittable in omittables.items()} == {"a": ("b",), "b": ("b",)}


def test_anthropics_client_tools() -> None:
    """Tools that Anthropic defines have optional members too."""
    omittables = argument_shapes([ServerTool("text_editor_20250728", "str_replace_based_edit_tool", {})])

    assert "view_range" in omittables["str_replace_based_edit_tool"].omittable_names
