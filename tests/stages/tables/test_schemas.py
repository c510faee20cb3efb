"""Tool schemas become ones that the upstream compiles, and lose nothing that it could live with."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables import schemas
from stages.tables.schemas import FORBIDDEN_AT_ROOT, fits_strict, repair
from tests.stages.strategies import JSON, OBJECTS, TEXTS

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
    assert repair(schema)[0] == {"type": "object", "properties": {}}


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


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", "(", "(?<name>x)", "a{2,1}", "x" + "(" * 200])
def test_patterns_that_do_not_compile_are_dropped(pattern: str) -> None:
    """At any depth, with a note for each that quotes nothing, and nothing else with them."""
    inner = {"type": "string", "pattern": pattern, "minLength": 1}

    repaired, changes = repair({"properties": {"a": {"items": [inner]}, "pattern": {"type": "string"}}})

    assert repaired["properties"] == {
        "a": {"items": [{"type": "string", "minLength": 1}]},
        "pattern": {"type": "string"},
    }
    assert changes == ("a pattern that the upstream cannot compile was dropped",)


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


def test_results_are_remembered_within_bounds() -> None:
    """The same tools come with every turn; a flood of others does not fill the memory."""
    schema = {"properties": {"once": {"type": "string"}}}
    first = repair(schema)

    assert repair(dict(schema)) is first
    for n in range(1100):
        repair({"properties": {f"n{n}": {}}})
    assert repair(schema) == first
    assert len(schemas._CACHE) <= 1024


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"anyOf": [{"type": "null"}, {"type": "integer"}]}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        (CLOSED, True),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "required": ["a"]}, False),
        ({**CLOSED, "allOf": []}, False),
        ({**CLOSED, "properties": {"a": CLOSED, "b": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"a": {"type": "object"}, "b": {}}}, False),
        ({**CLOSED, "$defs": {"d": {**CLOSED, "required": []}}}, False),
        ({"type": ["object", "null"]}, False),
        ({"properties": {}}, False),
        ({"type": "string"}, True),
    ],
)
def test_strict_takes_closed_objects_alone(schema: dict[str, Any], fits: bool) -> None:
    """One open object or optional property anywhere, and strict mode would refuse the whole schema."""
    assert fits_strict(schema) is fits
