"""Example values fit their schemas."""

from __future__ import annotations

from typing import Any

from pipeline.emulator.example import example
from tests.support.cases import cases

_CHAIN = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            "required": ["name", "next"],
        }
    },
}


@cases(
    ("schema", "value"),
    [
        (True, "example"),
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "number"}, 1.0),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "example"),
        ({"type": "string", "maxLength": 3}, "exa"),
        ({"type": "string", "minLength": 9}, "example.."),
        ({"type": "string", "format": "uri"}, "https://example.com/"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "array"}, []),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"const": "x"}]}, "x"),
        ({"properties": {"a": {}, "b": {}}, "required": ["b"]}, {"b": "example"}),
        ({"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"type": "object"}]}, {"a": 1}),
        ({"type": "object", "required": ["unknown"]}, {"unknown": "example"}),
        ({"$ref": "#/$defs/nowhere"}, "example"),
        ({"anyOf": [{"$ref": "#"}, {"type": "null"}]}, None),
    ],
)
def test_example(schema: Any, value: Any) -> None:
    """The plainest value for each keyword that clients use."""
    assert example(schema) == value


def test_recursion_ends() -> None:
    """A schema that refers to itself gives a value of bounded depth."""
    value, depth = example(_CHAIN), 0
    while value is not None:
        assert value["name"] == "example"
        value, depth = value["next"], depth + 1

    assert 1 < depth <= 12


def test_a_loop_of_references_ends() -> None:
    """Even one that never says anything."""
    assert example({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}) == "example"
