"""Which tools' arguments are repaired, and by what."""

from __future__ import annotations

from typing import Any

from stages.canonical.request import ServerTool, Tool
from stages.mapper.argument_shapes import argument_shapes
from stages.tables.identifiers import upstream_tool_name

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}},
}


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
