"""A declared schema becomes the shape by which arguments are repaired, which never touches what is valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stages.canonical.omittable import OmittableMembers
from stages.schemas.budget import TooIntricateError
from stages.schemas.omittable import omittable_of, strict_nulls_of
from tests.stages.declared import SCHEMAS, instances
from tests.stages.strategies import JSON, OBJECTS
from tests.support.cases import cases
from tests.support.json_schema import is_valid

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
LOOP = {
    "properties": {"next": {"$ref": "#"}, "n": NUMBER},
    "type": "object",
}


def told(omittable: OmittableMembers | None, depth: int = 3) -> Any:
    """A shape as plain values: name to what is left out (n: null, e: empty), then what is inside."""
    if omittable is None or depth == 0:
        return None
    members = {
        name: ("n" * member.null + "e" * member.empty, told(member.inside, depth - 1))
        for name, member in omittable.members.items()
    }
    return (members, told(omittable.others, depth - 1), told(omittable.items, depth - 1))


def of(schema: dict[str, Any], depth: int = 3) -> Any:
    """Compile, and tell."""
    return told(omittable_of(schema), depth)


def leaf(**members: str) -> Any:
    """What `told` says of an object with nothing inside."""
    return ({name: (omittable_names, None) for name, omittable_names in members.items()}, None, None)


def repaired(value: Any, omittable: OmittableMembers | None) -> Any:
    """Leave out of a value what its shape says."""
    if omittable is None:
        return value
    if isinstance(value, list):
        return [repaired(item, omittable.items) for item in value]
    if not isinstance(value, dict):
        return value
    known = {name: omittable.member(name) for name in value}
    return {
        name: repaired(inner, known[name].inside)
        for name, inner in value.items()
        if not ((inner is None and known[name].null) or (inner == "" and known[name].empty))
    }


@cases(
    ("schema", "expected"),
    [
        ({"properties": {"a": TEXT, "b": NUMBER}}, leaf(a="n", b="ne")),
        ({"properties": {"a": TEXT, "b": NUMBER}, "required": ["a"]}, leaf(b="ne")),
        ({"properties": {"a": TEXT, "b": NUMBER}, "required": ["a", "b"]}, None),
        ({"properties": {"a": {}, "b": True, "c": {"type": ["string", "null"]}}}, None),
        ({"properties": {"a": False}}, leaf(a="ne")),
        ({"type": "string", "properties": {"a": TEXT}}, None),
        ({"const": 1, "properties": {"a": TEXT}}, None),
        ({"enum": ["a"], "properties": {"a": TEXT}}, None),
        ({"enum": [{}], "properties": {"a": TEXT}}, leaf(a="n")),
        ({}, None),
        ({"properties": []}, None),
    ],
)
def test_optional_members_with_forbidden_values(schema: dict[str, Any], expected: Any) -> None:
    """Required members never, allowed values never; where nothing is left out there is no shape."""
    assert of(schema) == expected


@cases(
    ("schema", "expected"),
    [
        ({"properties": {"o": {**LOOP, "properties": {"n": NUMBER}}}, "required": ["o"]},
         ({"o": ("", leaf(n="ne"))}, None, None)),
        ({"properties": {"l": {"type": "array", "items": {"properties": {"a": TEXT}}}}, "required": ["l"]},
         ({"l": ("", ({}, None, leaf(a="n")))}, None, None)),
        ({"properties": {"t": {"prefixItems": [TEXT], "items": {"properties": {"a": TEXT}}}}}, None),
        ({"properties": {"t": {"items": [{"properties": {"a": TEXT}}]}}}, None),
        ({"additionalProperties": {"properties": {"a": TEXT}}}, ({}, leaf(a="n"), None)),
        ({"additionalProperties": {"properties": {"a": TEXT}}, "patternProperties": {}}, None),
        ({"properties": {"p": TEXT}, "patternProperties": {"x": {}}}, leaf(p="n")),
        ({"allOf": [{"properties": {"a": TEXT}}, {"required": ["a"], "properties": {"b": TEXT}}]}, leaf(b="n")),
        ({"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"a": TEXT}}}}, leaf(a="n")),
        ({"$ref": "#/$defs/none", "properties": {"a": TEXT}}, leaf(a="n")),
    ],
)  # fmt: skip
def test_what_is_inside(schema: dict[str, Any], expected: Any) -> None:
    """Objects, lists, maps and references are followed; tuples and names by pattern are nobody's business."""
    assert of(schema) == expected


def test_shapes_may_contain_themselves() -> None:
    """A reference to the whole ends in itself."""
    omittable = omittable_of(LOOP)

    assert omittable is not None
    assert omittable.omittable_names == ("next", "n")
    inside = omittable.member("next").inside
    assert inside is not None
    assert inside.member("next").inside is inside


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([{"required": ["a"]}, {"required": ["b"]}], leaf(a="ne", b="ne")),
        ([{"required": ["a"]}, {"required": ["a", "b"]}], leaf(b="ne")),
        ([{"properties": {"a": {"type": "null"}}}, {}], leaf(a="ne", b="ne")),
        ([], leaf(a="ne", b="ne")),
    ],
)
def test_alternatives(options: list[Any], expected: Any) -> None:
    """A member goes if every way to read the object forbids it and one does not ask for it."""
    assert of({"properties": {"a": NUMBER, "b": NUMBER}, "anyOf": options}) == expected


def test_alternatives_that_differ() -> None:
    """What one option leaves open is allowed; what it closes is forbidden as well."""
    one: dict[str, Any] = {"properties": {"a": NUMBER}}
    other: dict[str, Any] = {"properties": {"b": {}}}

    assert of({"oneOf": [one, other]}) is None
    assert of({"oneOf": [one, {**other, "additionalProperties": False}]}) == leaf(a="ne")
    assert of({"oneOf": [one, {"properties": {"a": {"type": "null"}}}]}) == leaf(a="e")
    assert of({"oneOf": [one, {"additionalProperties": {"type": "null"}}]}) == leaf(a="e")
    assert of({"oneOf": [one, {"type": "null"}, False]}) == leaf(a="ne")


def test_the_inside_of_alternatives() -> None:
    """Looked into only as far as all ways agree."""
    closed = {"properties": {"o": {"properties": {"x": TEXT}}}, "additionalProperties": False}
    loose: dict[str, Any] = {"properties": {"o": {"properties": {"x": {}}}}}

    assert of({"anyOf": [closed, closed], "required": ["o"]}) == ({"o": ("", leaf(x="n"))}, None, None)
    assert of({"anyOf": [closed, loose], "required": ["o"]}) is None
    assert of({"anyOf": [closed, {}], "required": ["o"]}) is None


def test_too_many_ways_are_not_read() -> None:
    """A schema that would take forever is left alone."""
    options = [{"properties": {f"p{n}": NUMBER}} for n in range(9)]

    assert omittable_of({"allOf": [{"anyOf": options}, {"anyOf": options}, {"anyOf": options}]}) is None
    assert omittable_of({"anyOf": options, "oneOf": options}) is None


def test_undoing_strict_mode() -> None:
    """Where objects are closed, null goes wherever it stands for "absent", and stays where it was allowed."""
    schema = {
        "properties": {"a": TEXT, "b": {"type": ["string", "null"]}, "c": NUMBER},
        "required": ["c"],
        "type": "object",
    }

    assert told(strict_nulls_of(schema)) == leaf(a="n")
    one, other = {"properties": {"x": TEXT, "y": TEXT}, "required": ["x"]}, {"properties": {"x": TEXT}}
    assert told(strict_nulls_of({"anyOf": [one, other]})) == leaf(x="n", y="n")
    with pytest.raises(TooIntricateError):
        strict_nulls_of({"anyOf": [other, {"properties": {"x": {}}, "required": ["x"]}]})


@given(SCHEMAS, st.data())
def test_what_is_valid_is_left_alone(schema: dict[str, Any], data: st.DataObject) -> None:
    """No valid value loses a member, whatever the schema."""
    strategy = instances(schema, schema)
    assume(not strategy.is_empty)
    value = data.draw(strategy)

    assert repaired(value, omittable_of(schema)) == value


@given(SCHEMAS, st.data())
def test_repair_only_helps(schema: dict[str, Any], data: st.DataObject) -> None:
    """Fillers among the members of a valid value are left out, or nothing that was valid becomes invalid."""
    strategy = instances(schema, schema)
    assume(not strategy.is_empty)
    value = data.draw(strategy)
    omittable_names = {
        name: data.draw(st.sampled_from([None, ""])) for name in schema["properties"] if name not in value
    }

    whole = repaired({**value, **omittable_names}, omittable_of(schema))

    assert is_valid(schema, whole) or not is_valid(schema, {**value, **omittable_names})
    for name, filler in omittable_names.items():
        assert name not in whole or is_valid(schema["properties"][name], filler, schema) or _composed(schema, name)


def _composed(schema: dict[str, Any], name: str) -> bool:
    """Whether a property's schema has a `oneOf` anywhere, whose exclusiveness nobody counts on."""
    return "oneOf" in repr((schema["properties"][name], schema["$defs"]))


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(["properties", "anyOf", "$ref", "required", "items"]), JSON)))
def test_any_schema_is_survived(schema: Any) -> None:
    """Clients may send anything; what is no schema has no shape or one that is never wrong."""
    if isinstance(schema, dict):
        omittable = omittable_of(schema)
        assert (
            omittable is None or omittable.omittable_names or omittable.members or omittable.items or omittable.others
        )


@given(OBJECTS)
def test_a_shape_shows_nothing(value: dict[str, Any]) -> None:
    """Names of properties are the client's (law 7)."""
    omittable = omittable_of({"properties": {f"secret{name}": NUMBER for name in value}})

    assert repr(omittable) in ("None", "OmittableMembers()")


def test_a_member_with_too_many_ways_says_nothing_about_itself() -> None:
    """Its neighbours are still repaired."""
    many = {"anyOf": [{"type": "object", "properties": {f"x{n}": NUMBER}} for n in range(100)]}

    assert of({"type": "object", "properties": {"many": many, "n": NUMBER}}) == leaf(many="ne", n="ne")
