"""Structured output: enforced where the upstream can, asked for where not, and undone where it had to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from stages.canonical.omittable import StructuredAnswer
from stages.canonical.report import Disposition, Report
from stages.canonical.request import Message, OutputConfig, Request, Text
from stages.mapper.formats import output_format
from stages.wire import json
from tests.stages.declared import SCHEMAS
from tests.stages.strategies import JSON
from tests.support.judges import judge_upstream_request

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
OPTIONAL = {"type": "object", "properties": {"a": {"type": "string"}}}
PATH = "output_config.format"


def asking(asked: Any) -> Request:
    """Make a request for a format, in the newer way."""
    return Request("m", (Message("user", (Text("x"),)),), output_config=OutputConfig(format=asked))


def translated(schema: Any) -> tuple[dict[str, Any], StructuredAnswer | None, list[tuple[str, Disposition]]]:
    """Translate a JSON schema; return the format, what must be undone, and what was reported."""
    report = Report()
    fields, structure = output_format(asking({"type": "json_schema", "schema": schema}), report)
    return fields["text"]["format"], structure, [(note.path, note.disposition) for note in report.notes]


def test_a_schema_that_fits() -> None:
    """It is sent as it is, enforced, under a name that depends on it alone, and nothing is reported."""
    layout, structure, notes = translated(CLOSED)

    assert (layout["schema"], layout["strict"], structure, notes) == (CLOSED, True, None, [])
    assert layout["name"] == translated(dict(CLOSED))[0]["name"] != translated(OPTIONAL)[0]["name"]


def test_the_older_field_means_the_same() -> None:
    """It is reported under its own name; the newer one wins."""
    asked, other = {"type": "json_schema", "schema": OPTIONAL}, {"type": "json_schema", "schema": CLOSED}
    older, report = Request("m", (), extra={"output_format": asked}), Report()

    assert output_format(older, report)[0] == output_format(asking(asked), Report())[0]
    assert {note.path for note in report.notes} == {"output_format.schema"}
    both = Request("m", (), output_config=OutputConfig(format=other), extra={"output_format": asked})
    assert output_format(both, Report())[0]["text"]["format"]["schema"] == CLOSED


def test_a_schema_that_can_be_converted() -> None:
    """It is enforced as well, and what that adds to the answer is left out again."""
    layout, structure, notes = translated(OPTIONAL)

    assert layout["strict"] is True
    assert layout["schema"]["required"] == ["a"]
    assert structure is not None
    assert structure.omittable is not None
    assert structure.omittable.member("a").null
    assert notes == [(f"{PATH}.schema", Disposition.EMULATED)]


def test_a_schema_that_cannot_be_converted() -> None:
    """It is only asked for, mended where the upstream would refuse it, and all of that is reported."""
    layout, structure, notes = translated({"type": "object", "properties": {"a": {}, "b": {"pattern": "("}}})

    assert (layout["strict"], layout["schema"]["properties"]) == (False, {"a": {}, "b": {}})
    assert structure is None
    assert notes == [(f"{PATH}.schema", Disposition.APPROXIMATED), (PATH, Disposition.APPROXIMATED)]


@pytest.mark.parametrize(
    ("schema", "inside"),
    [
        ({"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
        ({"anyOf": [CLOSED, {"type": "null"}]}, {"anyOf": [CLOSED, {"type": "null"}]}),
        ({"$ref": "#/$defs/t", "$defs": {"t": {"type": "integer"}}}, {"$ref": "#/$defs/t"}),
        ({"enum": ["a", "b"]}, {"enum": ["a", "b"], "type": "string"}),
    ],
)
def test_an_answer_that_is_no_object(schema: dict[str, Any], inside: dict[str, Any]) -> None:
    """The upstream answers with objects alone, so one is made around it, and taken away again."""
    layout, structure, notes = translated(schema)

    assert layout["schema"]["properties"] == {"answer": inside}
    assert layout["schema"].get("$defs") == schema.get("$defs")
    assert layout["strict"] is True
    assert structure == StructuredAnswer(None, "answer")
    assert notes == [(f"{PATH}.schema", Disposition.EMULATED)]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/t", "$defs": {"t": CLOSED}},
        {"properties": CLOSED["properties"], "required": ["a"]},
        {"allOf": [CLOSED]},
    ],
)
def test_an_object_by_another_name(schema: dict[str, Any]) -> None:
    """A root that says in its own way that it is an object is one."""
    layout, structure, _ = translated(schema)

    assert layout["schema"]["properties"] == CLOSED["properties"]
    assert (layout["strict"], structure) == (True, None)


def test_a_schema_that_cannot_be_moved() -> None:
    """What refers to its own root would mean something else one level deeper, so it is mended in place."""
    layout, structure, notes = translated({"anyOf": [CLOSED, {"type": "array", "items": {"$ref": "#"}}]})

    assert layout["schema"]["properties"] == CLOSED["properties"]
    assert structure is None or structure.member == ""
    assert (f"{PATH}.schema", Disposition.APPROXIMATED) in notes


@pytest.mark.parametrize(
    "asked", [{}, {"type": "text"}, {"type": None}, {"type": "json_schema"}, {"type": "json_schema", "schema": []}]
)
def test_other_formats_are_dropped(asked: dict[str, Any]) -> None:
    """What the upstream does not know is reported."""
    report = Report()

    assert output_format(asking(asked), report) == ({}, None)
    assert [(note.path, note.disposition) for note in report.notes] == [(PATH, Disposition.DROPPED)]


def test_without_a_format_there_is_nothing_to_say() -> None:
    """Neither field, nor one that says nothing."""
    report = Report()

    assert output_format(asking(None), report) == ({}, None)
    assert output_format(Request("m", ()), report) == ({}, None)
    assert report.notes == []


@given(JSON)
def test_any_format_is_taken_or_left(value: Any) -> None:
    """Clients may send anything."""
    for asked in (value, {"type": "json_schema", "schema": value}):
        fields, _ = output_format(Request("m", (), extra={"output_format": asked}), Report())
        assert fields == {} or isinstance(value, dict)


@given(SCHEMAS)
def test_the_judge_agrees(shared: Path, schema: dict[str, Any]) -> None:
    """Whatever is asked for, the upstream takes what it is sent."""
    assert shared.is_dir()
    for asked in (schema, {"anyOf": [schema["properties"]], "$defs": schema["$defs"]}):
        layout, _, _ = translated(asked)
        assert judge_upstream_request({"model": "m", "input": "x", "text": {"format": layout}}) == []


def test_recorded_formats_fit(shared: Path) -> None:
    """What Anthropic's SDKs send for structured output is enforced as it is."""
    for path in (shared / "recordings" / "anthropic" / "structured_output").glob("*.json"):
        schema = json.decode(path.read_bytes())["request"]["output_config"]["format"]["schema"]
        layout, structure, notes = translated(schema)
        assert (layout["schema"], layout["strict"], structure, notes) == (schema, True, None, [])
