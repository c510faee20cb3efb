"""Which fillers a schema forbids: null, and the empty string."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.schemas.budget import Budget
from stages.schemas.unset_values import Fillers
from tests.stages.strategies import JSON
from tests.support.cases import cases

DOCUMENT = {"$defs": {"t": {"type": "integer"}, "loop": {"$ref": "#/$defs/loop"}}}


@cases(
    ("schema", "null", "empty"),
    [
        ({}, True, True),
        (True, True, True),
        (False, False, False),
        ("nonsense", True, True),
        ({"type": "string"}, False, True),
        ({"type": "integer"}, False, False),
        ({"type": ["object", "null"]}, True, False),
        ({"type": "whatever"}, True, True),
        ({"type": ["string", {}]}, True, True),
        ({"type": "string", "nullable": True}, True, True),
        ({"enum": ["a"]}, False, False),
        ({"enum": ["", None]}, True, True),
        ({"enum": "a"}, True, True),
        ({"const": ""}, False, True),
        ({"const": None}, True, False),
        ({"minLength": 1}, True, False),
        ({"minLength": 0}, True, True),
        ({"minLength": "1"}, True, True),
        ({"pattern": "^x"}, True, False),
        ({"pattern": "x*"}, True, True),
        ({"pattern": r"^\p{L}+$"}, True, False),
        ({"pattern": 1}, True, True),
        ({"format": "uri"}, True, False),
        ({"format": "regex"}, True, True),
        ({"format": ["uri"]}, True, True),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, True, False),
        ({"oneOf": [{"type": "integer"}]}, False, False),
        ({"anyOf": [], "type": "integer"}, False, False),
        ({"anyOf": {}}, True, True),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, False, False),
        ({"$ref": "#/$defs/t"}, False, False),
        ({"$ref": "#/$defs/none"}, True, True),
        ({"$ref": "#/$defs/loop"}, True, True),
    ],
)
def test_what_is_forbidden(schema: Any, null: bool, empty: bool) -> None:
    """Only what a schema is sure to forbid; the rest stays in."""
    omittable_names = Fillers(DOCUMENT, Budget(1000))
    assert (omittable_names.allows(schema, None), omittable_names.allows(schema, "")) == (null, empty)


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(["type", "enum", "pattern", "format", "$ref", "anyOf"]), JSON)))
def test_any_schema_has_an_answer(schema: Any) -> None:
    """Clients may write anything where a schema belongs."""
    omittable_names = Fillers({}, Budget(1000))
    assert isinstance(omittable_names.allows(schema, None), bool)
    assert isinstance(omittable_names.allows(schema, ""), bool)
