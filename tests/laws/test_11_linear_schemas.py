"""Law 11: what a schema costs grows with its bytes, and with nothing else that it holds.

Counted in steps of the interpreter, for everything that reads a client's schema: the declaration of a tool, strict and
not, the format of an answer, and the count of a tool's tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import Report
from stages.canonical.request import OutputConfig, Request, Tool
from stages.counter.signatures import signature
from stages.mapper.formats import output_format
from stages.mapper.functions import function_of
from stages.wire import json
from tests.support.steps import steps_of

PER_BYTE = 250
"""Steps for each byte of a schema."""

AT_LEAST = 200_000
"""Steps that a schema may take however short it is."""

Schema = dict[str, Any]


def _levels(n: int, level: Callable[[Schema], Schema], end: Schema) -> Schema:
    """Definitions each of which is made of the next."""
    below = {f"d{at}": level({"$ref": f"#/$defs/d{at + 1}"}) for at in range(n)}
    return {**below, f"d{n}": end}


def _member(definitions: Schema) -> Schema:
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions}


def _root(definitions: Schema) -> Schema:
    return {"$ref": "#/$defs/d0", "$defs": definitions}


def _nested(n: int, around: Callable[[Any], Schema]) -> Schema:
    schema: Schema = {"type": "string"}
    for _ in range(n):
        schema = around(schema)
    return {"type": "object", "properties": {"a": schema}}


def _crossed(n: int) -> Schema:
    """Alternatives of conjunctions of the level below, each with a member of its own kind."""
    choice = {
        f"d{at}": {
            "anyOf": [
                {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"properties": {"x": {"title": f"{side}{at}"}}}]}
                for side in "lr"
            ]
        }
        for at in range(n)
    }
    return _root({**choice, f"d{n}": {"properties": {"x": {"type": "string"}}}})


def _crossed_members(n: int) -> Schema:
    """Objects that are conjunctions, so that each reading of one is a pair of readings of the next."""
    return _member(
        _levels(
            n,
            lambda below: {
                "allOf": [
                    {"properties": {"x": below}},
                    {"anyOf": [{"properties": {"x": below, "y": below}}, {"properties": {"x": {"minLength": 1}}}]},
                ]
            },
            {"type": "string"},
        )
    )


STRING: Schema = {"type": "string"}
FAMILIES: dict[str, Callable[[int], Schema]] = {
    "a choice between twice the same": lambda n: _member(_levels(n, lambda d: {"anyOf": [d, d]}, STRING)),
    "one of twice the same": lambda n: _member(_levels(n, lambda d: {"oneOf": [d, {"anyOf": [d, d]}]}, STRING)),
    "both of twice the same": lambda n: _member(_levels(n, lambda d: {"allOf": [d, d]}, STRING)),
    "a choice at the root": lambda n: _root(_levels(n, lambda d: {"anyOf": [d, d]}, {"properties": {"x": STRING}})),
    "both at the root": lambda n: _root(_levels(n, lambda d: {"allOf": [d, d]}, {"properties": {"x": STRING}})),
    "crossed at the root": _crossed,
    "crossed members": _crossed_members,
    "a pair of members": lambda n: _member(
        _levels(n, lambda d: {"type": "object", "properties": {"l": d, "r": d}}, STRING)
    ),
    "rounds": lambda n: _member(_levels(n, lambda d: {"anyOf": [d, {"$ref": "#"}, {"$ref": "#/$defs/d0"}]}, STRING)),
    "rounds at the root": lambda n: _root(
        _levels(n, lambda d: {"allOf": [d, {"$ref": "#"}, {"$ref": "#/$defs/d0"}, d]}, {"properties": {"x": STRING}})
    ),
    "choices that all hold": lambda n: {
        "type": "object",
        "allOf": [{"anyOf": [{"properties": {f"l{at}": STRING}}, {"required": [f"r{at}"]}]} for at in range(n)],
    },
    "choices that all hold, in a member": lambda n: {
        "type": "object",
        "properties": {"a": {"allOf": [{"anyOf": [{"minLength": 1}, {"properties": {"b": {}}}]} for _ in range(n)]}},
    },
    "types": lambda n: _nested(n, lambda s: {"type": ["object", "null", "array"], "properties": {"p": s}}),
    "choices inside choices": lambda n: _nested(n, lambda s: {"anyOf": [s, {"type": "null"}]}),
    "one after another": lambda n: _member(_levels(n, lambda d: d, STRING)),
    "one inside another": lambda n: _nested(n, lambda s: {"allOf": [s], f"k{len(s)}": 1}),
    "parts": lambda n: {"allOf": [{"properties": {f"x{at}": STRING}} for at in range(n)]},
    "options": lambda n: {"anyOf": [{"properties": {"x": {"title": str(at)}}} for at in range(n)]},
    "sets of names": lambda n: {"anyOf": [{"properties": {"x": {}}, "required": [f"r{at}"]} for at in range(n)]},
    "options of a member": lambda n: {
        "type": "object",
        "properties": {"a": {"anyOf": [{"type": "object", "properties": {f"x{at}": {}}} for at in range(n)]}},
    },
    "names": lambda n: {
        "type": "object",
        "properties": {f"x{at}": {"type": "integer"} for at in range(n)},
        "required": [f"x{at}" for at in range(0, n, 2)],
    },
    "names and conditions": lambda n: {
        "type": "object",
        "properties": {f"x{at}": {"type": "integer"} for at in range(n)},
        "allOf": [{"required": [f"x{at}"]} for at in range(n)],
    },
    "values": lambda n: {"type": "object", "properties": {"a": {"enum": [at + 0.5 for at in range(n)]}}},
    "values of one number": lambda n: {
        "type": "object",
        "properties": {"a": {"enum": [(2**61 - 1) * at for at in range(n)]}},
    },
    "objects in a row": lambda n: _member(
        _levels(n, lambda d: {"type": "object", "properties": {"p": d}}, {"properties": {"p": STRING}})
    ),
}  # fmt: skip


def everything(schema: Schema) -> None:
    """Do all that a request can have done to a schema."""
    for strict in (False, True):
        function_of(Tool("f", schema, strict=strict))
    signature("f", "", json.encode(schema))
    output_format(
        Request("m", (), output_config=OutputConfig(format={"type": "json_schema", "schema": schema})), Report()
    )


def most(schema: Schema) -> int:
    """Allow a schema its steps."""
    return AT_LEAST + PER_BYTE * len(json.encode(schema))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("n", [20, 150])
def test_cost_grows_with_bytes(name: str, n: int) -> None:
    """However a family of schemas repeats itself, a larger one costs what its bytes cost."""
    schema = FAMILIES[name](n)
    assert steps_of(lambda: everything(schema), most(schema)) > 0


_NAMES = st.sampled_from("abc")
_LEAVES = st.sampled_from(
    [
        {}, True, False, 1, STRING, {"type": "object"}, {"type": ["object", "null"]}, {"$ref": "#"},
        *({"$ref": f"#/$defs/{name}"} for name in "abc"), {"$ref": "#/properties/a"}, {"enum": ["", None, 1]},
        {"required": ["a", "b"]}, {"pattern": "(a?|b?){9}c"}, {"additionalProperties": False},
    ]
)  # fmt: skip


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=4)
    return st.fixed_dictionaries(
        {},
        optional={
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "items": inner,
            "additionalProperties": inner,
            "properties": st.dictionaries(_NAMES, inner, max_size=3),
            "type": st.sampled_from(["object", ["object", "array"], "string"]),
        },
    )


@given(
    st.fixed_dictionaries(
        {"$defs": st.dictionaries(_NAMES, st.recursive(_LEAVES, _larger, max_leaves=20))},
        optional={
            "properties": st.dictionaries(_NAMES, st.recursive(_LEAVES, _larger, max_leaves=20)),
            "allOf": st.lists(st.recursive(_LEAVES, _larger, max_leaves=20), max_size=4),
            "anyOf": st.lists(st.recursive(_LEAVES, _larger, max_leaves=20), max_size=4),
            "type": st.just("object"),
        },
    )
)
def test_any_schema_is_read_in_time(schema: Schema) -> None:
    """Whatever refers to whatever."""
    steps_of(lambda: everything(schema), most(schema))
