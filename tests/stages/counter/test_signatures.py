"""Tools are rendered as TypeScript, whatever their schema holds."""

from __future__ import annotations

from typing import Any

import pytest

from stages.counter.signatures import MAX_DEPTH, signature
from stages.wire import json
from tests.support.cases import cases


def rendered(schema: Any, description: str = "") -> str:
    """Render a function `f` with these parameters."""
    return signature("f", description, json.encode(schema))


def test_a_function_without_arguments() -> None:
    """No properties: nothing between the parentheses."""
    assert (
        rendered({"type": "object", "properties": {}}, "Says\nhello.") == "// Says\n// hello.\ntype f = () => any;\n\n"
    )


def test_a_whole_function() -> None:
    """Comments, optional marks, defaults and nesting stand where the model sees them."""
    schema = {
        "type": "object",
        "required": ["place"],
        "properties": {
            "place": {"type": "string", "description": "Where."},
            "unit": {"enum": ["c", "f"], "default": "c"},
            "near": {"type": "array", "items": {"type": "object", "properties": {"km": {"type": "integer"}}}},
        },
    }

    assert rendered(schema) == (
        "type f = (_: {\n"
        "// Where.\nplace: string,\n"
        'unit?: "c" | "f", // default: "c"\n'
        "near?: {\nkm?: number,\n}[],\n"
        "}) => any;\n\n"
    )


@cases(
    ("schema", "shown"),
    [
        ({"type": "boolean"}, "boolean"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "string | number"),
        ({"oneOf": [{"const": 1}, {"const": "a"}]}, '1 | "a"'),
        ({"type": "object"}, "object"),
        ({"type": "object", "properties": {}}, "object"),
        ({"type": "array"}, "any[]"),
        ({"$ref": "#/$defs/x"}, "any"),
        (True, "any"),
        ({"type": {"odd": 1}}, "any"),
        ({}, "any"),
    ],
)
def test_types(schema: Any, shown: str) -> None:
    """Each form of a type, odd ones too, has one rendering."""
    assert rendered({"properties": {"x": schema}}) == f"type f = (_: {{\nx?: {shown},\n}}) => any;\n\n"


@pytest.mark.parametrize("schema", [[], 5, None, {"properties": {"x": {}}, "required": "x"}])
def test_no_schema_at_all(schema: Any) -> None:
    """Whatever a client sends for a schema is rendered somehow."""
    assert rendered(schema).startswith("type f = (")


def test_depth_is_bounded() -> None:
    """A schema nested as deep as JSON allows costs a bounded number of levels."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"x": schema}}

    assert rendered(schema).count("{") <= MAX_DEPTH + 1
