"""Combinators at a tool's root are folded into one object, with as little lost as one object can hold."""

from __future__ import annotations

from typing import Any

from stages.schemas.folding import FORBIDDEN_AT_ROOT, TOO_INTRICATE, fold
from tests.support.cases import cases

A, B = {"type": "string"}, {"type": "integer"}


def folded(schema: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Fold; return the result and what was changed."""
    changes: list[str] = []
    return fold(schema, changes), changes


def test_a_conjunction_loses_nothing() -> None:
    """All properties, all requirements; where two speak about one property, both hold."""
    schema = {
        "allOf": [
            {"properties": {"a": A, "c": A}, "required": ["a"], "minProperties": 1},
            {"properties": {"a": {"minLength": 1}, "c": A}, "required": ["b"]},
        ],
        "required": ["c"],
        "title": "T",
    }

    assert folded(schema) == (
        {
            "minProperties": 1,
            "title": "T",
            "properties": {"a": {"allOf": [A, {"minLength": 1}]}, "c": A},
            "required": ["a", "b", "c"],
        },
        ["allOf at the top was folded"],
    )


def test_alternatives_keep_every_option() -> None:
    """A property may be what any option says, and which go together is told."""
    schema = {
        "description": "Asks.",
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "x": A}, "required": ["kind", "x"]},
            {"properties": {"kind": {"const": "b"}, "x": A, "y": B}, "required": ["kind", "y"]},
            {"properties": {"kind": {"const": "b"}}, "required": ["kind"]},
        ],
    }

    assert folded(schema) == (
        {
            "description": "Asks. Needs one of these sets of properties: x; y; none.",
            "properties": {"kind": {"anyOf": [{"const": "a"}, {"const": "b"}]}, "x": A, "y": B},
            "required": ["kind"],
        },
        ["oneOf at the top was folded"],
    )


def test_options_of_requirements_alone() -> None:
    """The usual case of a tool with two ways to call it, without a description of its own."""
    schema = {"properties": {"a": A, "b": A}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}

    assert folded(schema)[0] == {
        "properties": {"a": A, "b": A},
        "description": "Needs one of these sets of properties: a; b.",
    }


def test_references_are_followed() -> None:
    """At the root and as options; what is around them stays, and circles end."""
    schema: dict[str, Any] = {
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {"properties": {"a": A}, "required": ["a"], "additionalProperties": False, "description": "An a."},
            "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]},
        },
    }

    result, changes = folded(schema)
    assert result == {**schema["$defs"]["a"], "$defs": schema["$defs"]}
    assert changes == ["the reference at the top was replaced by what it refers to"]
    assert folded({**schema, "$ref": "#/$defs/b"})[0]["properties"] == {"a": A}
    assert folded({"$ref": "#"})[0] == {"properties": {}}


def test_options_that_are_no_objects_do_not_count() -> None:
    """Arguments are an object, whatever else would do."""
    schema = {"anyOf": [{"properties": {"a": A}, "required": ["a"]}, {"type": "null"}, {"type": ["array", "string"]}]}

    assert folded(schema)[0] == {"properties": {"a": A}, "required": ["a"]}
    assert folded({"anyOf": [{"type": ["object", "null"], "properties": {"a": A}}]})[0]["properties"] == {"a": A}


def test_nested_combinators_are_folded_too() -> None:
    """Options may be combined themselves."""
    schema = {"anyOf": [{"allOf": [{"properties": {"a": A}}, {"oneOf": [{"properties": {"b": B}}, {}]}]}]}

    assert folded(schema)[0]["properties"] == {"a": A, "b": B}


def test_a_closed_part_does_not_close_the_whole() -> None:
    """What one part forbids, another declares: nothing would be left."""
    schema = {"properties": {"b": B}, "allOf": [{"properties": {"a": A}, "additionalProperties": False}]}

    assert folded(schema)[0] == {"properties": {"b": B, "a": A}}


@cases("keyword", FORBIDDEN_AT_ROOT)
@cases("value", [None, [], [1, "a"], {"a": 1}, True])
def test_nonsense_is_dropped(keyword: str, value: Any) -> None:
    """And what can only be dropped is said to be."""
    result, changes = folded({keyword: value, "title": "T"})

    assert {key for key, inner in result.items() if inner != {}} == {"title"}
    assert changes == [f"{keyword} at the top was {'dropped' if keyword in ('enum', 'not') else 'folded'}"]


def test_what_is_too_intricate_is_dropped() -> None:
    """A few lines that stand for a million alternatives: the schema's own properties stay, and it is said."""
    levels = {
        f"d{n}": {
            "anyOf": [{"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"properties": {"x": {"title": s * n}}}]} for s in "lr"]
        }
        for n in range(40)
    }
    schema = {"properties": {"a": A}, "$ref": "#/$defs/d0", "$defs": {**levels, "d40": {"properties": {"x": A}}}}

    result, changes = folded(schema)
    assert result["properties"] == {"a": A}
    assert changes == [TOO_INTRICATE]
