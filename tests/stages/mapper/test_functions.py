"""One declared tool: made once for equal ones, with what its arguments may need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.canonical.report import Report
from stages.canonical.request import AnyTool, Request, ServerTool, Tool
from stages.canonical.shape import Shape
from stages.mapper.functions import function_of
from stages.mapper.tools import toolbox
from stages.tables.identifiers import upstream_tool_name

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}},
}


def argument_shapes(tools: list[AnyTool]) -> Mapping[str, Shape]:
    """Declare these tools; return the shapes of their arguments, by the upstream's name."""
    return toolbox(Request("m", (), tools=tuple(tools)), Report(), in_place=True).shapes


def test_a_tool_is_declared_once() -> None:
    """A turn that brings the same tools costs a look-up; one that differs in anything is another tool."""
    tool = Tool("a", PARAMETERS, "Looks.")

    assert function_of(tool) is function_of(tool)
    assert function_of(tool).declared != function_of(Tool("a", PARAMETERS, "Hears.")).declared
    assert function_of(tool).declared != function_of(Tool("a", PARAMETERS, "Looks.", strict=True)).declared


def test_tools_with_optional_members() -> None:
    """By the upstream's name; a tool with nothing to repair is not there."""
    bare = Tool("bare", input_schema={"type": "object", "properties": {"a": {}}})
    shapes = argument_shapes([bare, Tool("a.b", input_schema=PARAMETERS), ServerTool("web_search_20250305", "s", {})])

    assert list(shapes) == [upstream_tool_name("a.b")]
    assert shapes[upstream_tool_name("a.b")].fillers == ("b",)


def test_strict_tools() -> None:
    """What strict mode made nullable is undone; where it cannot be strict, what was declared counts."""
    loose = {**PARAMETERS, "additionalProperties": {"type": "string"}}
    shapes = argument_shapes(
        [Tool("a", input_schema=PARAMETERS, strict=True), Tool("b", input_schema=loose, strict=True)]
    )

    assert {name: shape.fillers for name, shape in shapes.items()} == {"a": ("b",), "b": ("b",)}


def test_anthropics_client_tools() -> None:
    """Tools that Anthropic defines have optional members too."""
    shapes = argument_shapes([ServerTool("text_editor_20250728", "str_replace_based_edit_tool", {})])

    assert "view_range" in shapes["str_replace_based_edit_tool"].fillers
