"""Tool schemas become ones that the upstream compiles, and lose nothing that it could live with."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import Disposition
from stages.schemas.folding import FORBIDDEN_AT_ROOT
from stages.schemas.repair import disposition_of, repair
from stages.wire import json
from tests.stages.strategies import JSON, OBJECTS, TEXTS
from tests.support.cases import cases
from tests.support.judges import judge_upstream_request

NAMES = st.sampled_from(["a", "b", "c", "pattern"])
LEAVES = st.fixed_dictionaries({"type": st.sampled_from(["string", "integer"])}, optional={"pattern": TEXTS})
ORDINARY: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={"type": st.just("object"), "properties": st.dictionaries(NAMES, LEAVES), "required": st.lists(NAMES)},
)
COMBINED = st.builds(
    lambda base, more: {**base, **more},
    ORDINARY,
    st.dictionaries(st.sampled_from(FORBIDDEN_AT_ROOT[:3]), st.lists(ORDINARY, max_size=3), max_size=2),
)
FORGED = st.dictionaries(
    st.sampled_from(["type", "properties", "required", "pattern", *FORBIDDEN_AT_ROOT]),
    st.one_of(JSON, st.lists(OBJECTS)),
)


def _names(schema: dict[str, Any]) -> set[str]:
    options = [option for keyword in FORBIDDEN_AT_ROOT[:3] for option in schema.get(keyword, ())]
    return {name for part in (schema, *options) for name in part.get("properties", {})}


def test_a_good_schema_is_left_alone() -> None:
    """Keywords that the upstream can live with stay as they are, in their order."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^x+$", "anyOf": [{"minLength": 1}]}},
        "required": ["a"],
        "additionalProperties": False,
    }

    assert repair(schema) == (schema, ())
    assert list(repair(schema)[0]) == list(schema)


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"properties": None}, {"type": ["object", "null"]}])
def test_the_root_is_an_object_with_properties(schema: dict[str, Any]) -> None:
    """A function's parameters are an object, even if it takes none."""
    repaired, changes = repair(schema)

    assert repaired == {"type": "object", "properties": {}}
    assert bool(changes) == bool(schema)


@given(COMBINED)
def test_repair_is_idempotent(schema: dict[str, Any]) -> None:
    """What was repaired needs no repair."""
    repaired, _ = repair(schema)

    assert repair(repaired) == (repaired, ())


@given(COMBINED)
def test_no_property_is_lost(schema: dict[str, Any]) -> None:
    """Folding keeps every property of every option, and the root has no combinator left."""
    repaired, changes = repair(schema)

    assert set(repaired["properties"]) == _names(schema)
    assert not set(FORBIDDEN_AT_ROOT) & set(repaired)
    assert bool(changes) or not set(FORBIDDEN_AT_ROOT) & set(schema)


@pytest.mark.parametrize(("keyword", "required"), [("anyOf", ["a"]), ("oneOf", ["a"]), ("allOf", ["a", "b", "c"])])
def test_what_options_require(keyword: str, required: list[str]) -> None:
    """Of alternatives, what all of them require; of a conjunction, what any does."""
    options = [{"required": ["a", "b"]}, {"required": ["c", "a"]}]

    assert repair({keyword: options})[0].get("required") == required


def test_the_roots_own_words_win() -> None:
    """A property of the root is not replaced by an option's, and what it requires stays required."""
    schema = {
        "properties": {"a": {"type": "string"}},
        "required": ["z"],
        "anyOf": [{"properties": {"a": {"type": "integer"}, "b": {}}}],
    }

    repaired, changes = repair(schema)

    assert repaired == {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["z"]}
    assert changes == ("anyOf at the top was folded",)


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", "(", "a{2,1}", "x" + "(" * 200])
def test_patterns_that_do_not_compile_are_dropped(pattern: str) -> None:
    """At any depth, with a note that quotes nothing, and nothing else with them."""
    inner = {"type": "string", "pattern": pattern, "minLength": 1}

    repaired, changes = repair({"properties": {"a": {"items": inner}, "pattern": {"type": "string"}}})

    assert repaired["properties"] == {
        "a": {"items": {"type": "string", "minLength": 1}},
        "pattern": {"type": "string"},
    }
    assert changes == ("a pattern that the upstream cannot compile was dropped",)


def test_a_pattern_of_another_dialect_is_translated() -> None:
    """What Python says in other words is said in these."""
    repaired, changes = repair({"properties": {"a": {"pattern": "(?<y>x)"}}, "patternProperties": {"(": {}, "b": {}}})

    assert repaired["properties"] == {"a": {"pattern": "(?P<y>x)"}}
    assert repaired["patternProperties"] == {"b": {}}
    assert changes == (
        "a pattern was put into the upstream's dialect",
        "a pattern that the upstream cannot compile was dropped",
    )


@pytest.mark.parametrize("pattern", ["[[a]", "[a||b]", "[a&&b]"])
def test_odd_patterns_warn_nobody(pattern: str) -> None:
    """A pattern that compiles with a warning is kept, and the warning is not ours to show."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re.purge()
        repaired, changes = repair({"properties": {pattern: {"pattern": pattern}}})

    assert repaired["properties"][pattern] == {"pattern": pattern}
    assert changes == ()


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": [1]},
        {"properties": "ab"},
        {"required": True, "anyOf": []},
        {"required": [["a"]], "anyOf": []},
        {"required": [1, "a"], "anyOf": [{}]},
        {"anyOf": [{"properties": [1]}]},
        {"anyOf": [{"required": 5}]},
    ],
)
def test_nonsense_is_no_crash(schema: dict[str, Any]) -> None:
    """A keyword of a wrong form counts as absent where it must be read."""
    repaired, _ = repair(schema)

    assert (repaired["type"], repaired["properties"]) == ("object", {})


@given(FORGED)
def test_any_object_is_repaired(schema: dict[str, Any]) -> None:
    """Clients may send anything as a schema; what comes out has the form of one."""
    repaired, _ = repair(schema)

    assert repaired["type"] == "object"
    assert isinstance(repaired["properties"], dict)


def test_results_are_remembered() -> None:
    """The same tools come with every turn."""
    schema = {"properties": {"once": {"type": "string"}}}

    assert repair(dict(schema)) is repair(schema)


ALTERED = [
    ({"type": "array"}, {"type": "array", "items": {}}, "an array without items got some of any kind"),
    (
        {"type": ["array", "null"], "prefixItems": [{}]},
        {"type": ["array", "null"], "prefixItems": [{}], "items": {}},
        "an array without items got some of any kind",
    ),
    (
        {"type": "array", "items": [{"type": "string"}], "additionalItems": False},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
        "items of a tuple were renamed prefixItems",
    ),
    ({"enum": []}, {}, "an enum that the upstream cannot read was dropped"),
    ({"enum": "ab"}, {}, "an enum that the upstream cannot read was dropped"),
    ({"enum": [1, True, 1, "a", "a"]}, {"enum": [1, True, "a"]}, "an enum lost values that it had twice"),
    ({"type": "str"}, {}, "a type that the upstream cannot read was dropped"),
    ({"type": []}, {}, "a type that the upstream cannot read was dropped"),
    ({"required": "a"}, {}, "a keyword that the upstream cannot read was dropped"),
    ({"properties": ["a"]}, {}, "a keyword that the upstream cannot read was dropped"),
    ({"anyOf": {}}, {}, "a keyword that the upstream cannot read was dropped"),
    ({"patternProperties": []}, {}, "a keyword that the upstream cannot read was dropped"),
    ({"$ref": "#/$defs/none"}, {}, "a reference that the upstream cannot read was dropped"),
    ({"$ref": "https://example.com/a"}, {}, "a reference that the upstream cannot read was dropped"),
    ({"properties": {"b": True}}, {"properties": {"b": {}}}, "true or false in place of a schema was written out"),
    ({"anyOf": [False]}, {"anyOf": [{"not": {}}]}, "true or false in place of a schema was written out"),
    ({"required": ["a", "a"]}, {"required": ["a"]}, None),
    ({"type": ["null", "null"]}, {"type": ["null"]}, None),
    ({"additionalProperties": False}, {"additionalProperties": False}, None),
    ({"$ref": "#/properties/a"}, {"$ref": "#/properties/a"}, None),
    (
        {"enum": [{"pattern": "("}], "default": {"type": "str"}, "examples": [{"enum": []}], "const": {"required": 1}},
        {"enum": [{"pattern": "("}], "default": {"type": "str"}, "examples": [{"enum": []}], "const": {"required": 1}},
        None,
    ),
]


@cases(("schema", "expected", "change"), ALTERED)
def test_what_the_upstream_cannot_live_with(schema: Any, expected: Any, change: str | None) -> None:
    """Each such keyword, deep inside, and nothing else; data that only looks like a schema is data."""
    whole = {"type": "object", "properties": {"a": schema, "b": {"not": {"then": schema}}}}

    repaired, changes = repair(whole)

    assert repaired["properties"] == {"a": expected, "b": {"not": {"then": expected}}}
    assert changes == (() if change is None else (change,))


def test_what_a_change_is_worth() -> None:
    """The same in other words is a translation; what is lost is not."""
    changes = {change for _, _, change in ALTERED if change is not None}

    assert {disposition_of(change) for change in changes} == {Disposition.TRANSLATED, Disposition.APPROXIMATED}
    assert {change for change in changes if disposition_of(change) is Disposition.APPROXIMATED} == {
        change for change in changes if change.endswith("cannot read was dropped")
    }


def test_what_is_nested_too_deeply_is_no_crash() -> None:
    """A schema that nobody can read takes no arguments, and that is said."""
    schema: dict[str, Any] = {}
    for _ in range(400):
        schema = {"not": schema}

    assert repair(schema) == (
        {"type": "object", "properties": {}},
        ("the schema is nested too deeply and was dropped",),
    )


def test_every_recorded_schema_is_left_alone(shared: Path) -> None:
    """What Claude Code and the SDKs send needs no repair, and the judge agrees."""
    schemas = recorded_schemas(shared)
    assert len(schemas) > 50
    for schema in schemas:
        repaired, changes = repair(schema)
        assert (repaired, changes) == ({"properties": {}, **schema}, ())
        tool = {"type": "function", "name": "f", "parameters": repaired, "strict": False}
        assert judge_upstream_request({"model": "m", "input": "x", "tools": [tool]}) == []


def recorded_schemas(shared: Path) -> list[dict[str, Any]]:
    """Find every tool's schema in requests to Anthropic's API."""
    found: dict[bytes, dict[str, Any]] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict) and isinstance(value.get("input_schema"), dict):
            found[json.encode(value["input_schema"])] = value["input_schema"]
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    for folder in ("claude_code", "anthropic"):
        for path in (shared / "recordings" / folder).rglob("*.json"):
            walk(json.decode(path.read_bytes()))
    return list(found.values())
