"""Schemas become ones of strict mode's subset, and what strict mode makes of an answer is undone exactly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stages.canonical.report import Disposition
from stages.filters.argument_repair import Scanner
from stages.schemas.strict import Strict, convert, nullable
from stages.wire import json
from tests.stages.declared import SCHEMAS, instances
from tests.support.cases import cases
from tests.support.json_schema import is_valid
from tests.support.judges import judge_upstream_request

CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"anyOf": [{"type": "null"}, {"type": "integer"}]}},
    "required": ["b", "a"],
    "additionalProperties": False,
}


def converted(schema: dict[str, Any]) -> Strict:
    """Convert what must be convertible."""
    strict = convert(schema)
    assert strict is not None
    return strict


def member(schema: dict[str, Any]) -> Any:
    """Convert a required property's schema."""
    root = {"type": "object", "properties": {"a": schema}, "required": ["a"], "$defs": {"t": CLOSED}}
    return converted(root).schema["properties"]["a"]


def loose(schema: Any) -> Iterator[Any]:
    """Find what strict mode would refuse: open objects, optional properties, keywords it does not know."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if kind == "object" and (
            schema.get("additionalProperties") is not False or set(schema["required"]) != set(schema["properties"])
        ):
            yield schema
        if {"oneOf", "allOf", "default", "minLength"} & schema.keys() or ("$ref" in schema and len(schema) > 1):
            yield schema
        for key in ("properties", "$defs"):
            for inner in schema.get(key, {}).values():
                yield from loose(inner)
        for inner in (*schema.get("anyOf", ()), schema.get("items")):
            yield from loose(inner)


def undone(strict: Strict, value: Any) -> Any:
    """Read an answer as the client gets it."""
    text = json.encode(value).decode()
    scanner = Scanner(strict.omittable) if strict.omittable is not None else None
    return json.decode(scanner.feed(text) + scanner.finish() if scanner is not None else text)


def filled(schema: dict[str, Any], value: Any, document: dict[str, Any]) -> Iterator[Any]:
    """Say a value as strict mode would: each optional member that is absent is null. Options give several ways."""
    if "$ref" in schema:
        yield from filled(document["$defs"]["node"], value, document)
    elif options := [schema[key] for key in ("anyOf", "oneOf", "allOf") if key in schema]:
        for option in options[0]:
            if is_valid(option, value, document):
                yield from filled(option, value, document)
    elif isinstance(value, dict) and "properties" in schema:
        if value.keys() <= schema["properties"].keys():
            members = {n: next(filled(schema["properties"][n], v, document), v) for n, v in value.items()}
            yield {name: members.get(name) for name in schema["properties"]}
    elif isinstance(value, list):
        yield [next(filled(schema["items"], item, document), item) for item in value]
    else:
        yield value


def clashing(schema: Any, document: dict[str, Any]) -> bool:
    """Whether a `oneOf` has two options that take null, so that it takes none: nobody declares that on purpose."""
    if isinstance(schema, list):
        return any(clashing(item, document) for item in schema)
    if not isinstance(schema, dict):
        return False
    nulls = [option for option in schema.get("oneOf", ()) if is_valid(option, None, document)]
    return len(nulls) > 1 or any(clashing(inner, document) for inner in schema.values())


def said(value: Any) -> Any:
    """A value without members that are null: absent, for a reader who allows both."""
    if isinstance(value, dict):
        return {name: said(inner) for name, inner in value.items() if inner is not None}
    return [said(item) for item in value] if isinstance(value, list) else value


@given(SCHEMAS)
def test_what_is_converted_is_strict(schema: dict[str, Any]) -> None:
    """Whatever was declared: closed, required, and without a keyword that the subset lacks; and that stays so."""
    strict = convert(schema)
    assume(strict is not None)
    assert strict is not None

    assert list(loose(strict.schema)) == []
    again = converted(strict.schema)
    assert (again.schema, again.notes, again.omittable) == (strict.schema, (), None)


@given(SCHEMAS, st.data())
def test_what_the_client_meant_comes_back(schema: dict[str, Any], data: st.DataObject) -> None:
    """A valid value can be said in strict mode, and undoing that gives a valid value that says the same."""
    strict = convert(schema)
    assume(strict is not None)
    assert strict is not None
    strategy = instances(schema, schema)
    assume(not strategy.is_empty and not clashing(schema, schema))
    value = data.draw(strategy)

    ways = [way for way in filled(schema, value, schema) if is_valid(strict.schema, way)]
    assert ways
    for way in ways:
        back = undone(strict, way)
        assert said(back) == said(value)
        assert is_valid(schema, back)


def test_what_fits_stays() -> None:
    """A schema of the subset is sent as it is, in its own order, and nothing is reported."""
    strict = converted(CLOSED)

    assert (strict.schema, strict.notes, strict.omittable) == (CLOSED, (), None)
    assert json.encode(strict.schema) == json.encode(CLOSED)


@cases(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 2}, {"type": "string", "description": "(minLength: 2)"}),
        (
            {"type": "string", "description": "A.", "default": "x", "format": "uri"},
            {"type": "string", "description": 'A. (default: "x"; format: "uri")'},
        ),
        ({"type": "string", "format": "date", "pattern": "^2"}, {"type": "string", "format": "date", "pattern": "^2"}),
        ({"type": "string", "pattern": "^(?!x)"}, {"type": "string", "description": '(pattern: "^(?!x)")'}),
        ({"enum": ["a", 1]}, {"enum": ["a", 1], "type": ["string", "integer"]}),
        ({"const": True}, {"const": True, "type": "boolean"}),
        ({"oneOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}),
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        ({"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "b"}]},
         {"type": "string", "description": '(allOf: [{"pattern":"a"},{"pattern":"b"}])'}),
        ({"$ref": "#/$defs/t"}, {"$ref": "#/$defs/t"}),
        ({"$ref": "#/$defs/t", "description": "D."}, {"anyOf": [{"$ref": "#/$defs/t"}], "description": "D."}),
        ({"$ref": "#"}, {"$ref": "#"}),
        ({"type": "array", "items": {"type": "null"}, "minItems": 1, "uniqueItems": True},
         {"type": "array", "items": {"type": "null"}, "minItems": 1, "description": "(uniqueItems: true)"}),
        ({"type": "integer", "default": None, "$comment": "mine"}, {"type": "integer"}),
        ({"properties": {}, "additionalProperties": False},
         {"type": "object", "properties": {}, "required": [], "additionalProperties": False}),
    ],
)  # fmt: skip
def test_each_keyword(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """What the subset knows stays, what it does not is told, and what means the same is said its way."""
    assert member(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"type": "string", "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "const": "a"}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"anyOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"anyOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}),
        ({"$ref": "#"}, {"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
        (CLOSED, {"anyOf": [CLOSED, {"type": "null"}]}),
    ],
)
def test_nullable(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Null is one more value, however the others are said."""
    assert nullable(schema) == expected


@cases(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "null"}}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": "a"},
        {"type": "object", "properties": [], "additionalProperties": False},
        {"type": "object", "patternProperties": {"a": {}}, "additionalProperties": False},
        {"type": "array"},
        {"type": "array", "items": {}},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
        {"type": "string", "not": {"const": "a"}},
        {"type": "nothing"},
        {"type": []},
        {"enum": [{}]},
        {"enum": "ab"},
        {"anyOf": []},
        {"anyOf": [{"type": "string"}], "minLength": 1},
        {"anyOf": [{"type": "string"}], "oneOf": [{"type": "string"}]},
        {"allOf": [{"type": "string"}, {"minLength": 1}]},
        {"allOf": [{"type": "string"}], "type": "string"},
        {"allOf": [{"minLength": 1}], "$ref": "#/$defs/t"},
        {"allOf": [{"type": "string", "not": {}}]},
        {"$ref": "#/$defs/none"},
        {"$ref": "#/properties/a"},
        {"$ref": "#/$defs/t", "minLength": 1},
        {"type": "string", "$defs": {}},
        {"enum": [str(n) for n in range(1001)]},
        {"const": "x" * 120_000},
        {
            "type": "object",
            "properties": {f"p{n}": {"type": "null"} for n in range(5001)},
        },
    ],
)
def test_what_strict_mode_cannot_say(schema: Any) -> None:
    """One such place, and the whole schema stays outside."""
    root = {"type": "object", "properties": {"a": schema}, "required": ["a"], "$defs": {"t": CLOSED}}

    assert convert(root) is None


@pytest.mark.parametrize(
    "root",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "$ref": "#/$defs/t", "$defs": {"t": CLOSED}},
        {"type": "object", "anyOf": [CLOSED]},
        {**CLOSED, "$defs": []},
    ],
)
def test_roots_that_strict_mode_refuses(root: dict[str, Any]) -> None:
    """The root is an object, and says so itself."""
    assert convert(root) is None


def test_levels_are_limited() -> None:
    """Ten objects inside each other pass, eleven do not."""

    def nested(levels: int) -> dict[str, Any]:
        inner = {"a": nested(levels - 1)} if levels > 1 else {}
        return {"type": "object", "properties": inner, "required": list(inner), "additionalProperties": False}

    assert convert(nested(10)) is not None
    assert convert(nested(11)) is None


def test_a_null_that_could_mean_two_things_is_not_asked_for() -> None:
    """By one option it would mean "left out", by the other null, which must stay: nobody could undo that."""
    one = {"type": "object", "properties": {"a": {"type": "string"}}}
    other = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]}

    assert convert({"type": "object", "properties": {"x": {"anyOf": [one, other]}}}) is None
    assert convert({"type": "object", "properties": {"x": {"anyOf": [one, one]}}}) is not None


def test_changes_are_noted_without_the_clients_words() -> None:
    """Keywords of the standard are named; others are not, since a client may have invented them."""
    notes = converted(
        {
            "type": "object",
            "properties": {"a": {"type": "string", "maxLength": 3, "x-secret": 1}, "b": {"allOf": [{"type": "null"}]}},
            "required": ["a"],
        }
    ).notes

    assert notes == (
        (
            Disposition.APPROXIMATED,
            "strict mode has no keyword of another vocabulary, maxLength: told in the description",
        ),
        (Disposition.EMULATED, "strict mode requires every property: null is asked for, and left out again"),
    )
    assert "secret" not in repr(notes)


@pytest.mark.parametrize(
    ("schema", "fates"),
    [
        ({"type": "string"}, []),
        ({"type": "string", "default": "x"}, [Disposition.TRANSLATED]),
        ({"type": "string", "minLength": 1}, [Disposition.APPROXIMATED]),
        ({"oneOf": [{"type": "string"}]}, [Disposition.APPROXIMATED]),
        ({"allOf": [{"type": "string"}]}, []),
    ],
)
def test_what_each_change_is_worth(schema: dict[str, Any], fates: list[Disposition]) -> None:
    """What the model still knows is translated; what it is no longer held to is approximated."""
    root = {"type": "object", "properties": {"a": schema}, "required": ["a"]}

    assert [disposition for disposition, _ in converted(root).notes] == fates


def test_results_are_remembered() -> None:
    """The same schema comes with every turn."""
    assert convert(CLOSED) is convert(dict(CLOSED))


@given(SCHEMAS)
def test_the_judge_agrees(shared: Path, schema: dict[str, Any]) -> None:
    """A body with a converted schema, as a tool's and as a format's, is one that the API takes."""
    assert shared.is_dir()
    strict = convert(schema)
    assume(strict is not None)
    assert strict is not None
    tool = {"type": "function", "name": "f", "parameters": strict.schema, "strict": True}
    layout = {"type": "json_schema", "name": "f", "schema": strict.schema, "strict": True}

    assert judge_upstream_request({"model": "m", "input": "x", "tools": [tool], "text": {"format": layout}}) == []
