"""Structured output: the format that the answer's text must have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stages.canonical.omittable import OmittableMembers, StructuredAnswer
from stages.canonical.place import ROOT, Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request
from stages.schemas.references import resolve_reference
from stages.schemas.repair import disposition_of, repair
from stages.schemas.strict import convert
from stages.tables.identifiers import digest
from stages.wire import json
from stages.wire.lenient import listed

MEMBER = "answer"
"""The name of what is asked for, in an object around an answer that is no object."""

_DEFINITIONS = ("$defs", "definitions")


def output_format(request: Request, report: Report) -> tuple[dict[str, Any], StructuredAnswer | None]:
    """Translate `output_config.format`, or `output_format`, as it was called before.

    Returns:
        The `text` field of the upstream request, empty where no format is asked for, and what must be undone on the
        answer; None when nothing.
    """
    place, wanted = _asked(request)
    if wanted is None:
        return {}, None
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        report.dropped(place, "the upstream knows no other format than json_schema")
        return {}, None
    schema = wanted.get("schema")
    if not isinstance(schema, dict):
        report.dropped(place, "there is no schema in it")
        return {}, None
    member = "" if _is_object(schema) or not _movable(schema) else MEMBER
    if member:
        report.emulated(place.field("schema"), "asked for inside an object, and taken out of it again")
        schema = _wrapped(schema)
    sent, strict, omittable = _strictly(schema, place, report)
    name = f"{MEMBER}_{digest(json.encode(sent).decode(), 12)}"
    text = {"format": {"type": "json_schema", "name": name, "schema": sent, "strict": strict}}
    return {"text": text}, StructuredAnswer(omittable, member) if member or omittable is not None else None


def format_asked(request: Request) -> bool:
    """Whether a format is asked for, be it one that the upstream has or not."""
    return _asked(request)[1] is not None


def _asked(request: Request) -> tuple[Place, Any]:
    """What is asked for, and where."""
    if request.output_config is not None and request.output_config.format is not None:
        return ROOT.field("output_config").field("format"), request.output_config.format
    return ROOT.field("output_format"), request.extra.get("output_format")


def _strictly(schema: JsonObject, place: Place, report: Report) -> tuple[JsonObject, bool, OmittableMembers | None]:
    """The schema as it is sent, whether the upstream enforces it, and what that makes necessary to leave out."""
    repaired, changes = repair(schema)
    for change in changes:
        report.note(place.field("schema"), disposition_of(change), change)
    strict = convert(repaired)
    if strict is None:
        report.approximated(place, "the schema is outside the upstream's strict subset, so it is only asked for")
        return repaired, False, None
    for disposition, reason in strict.notes:
        report.note(place.field("schema"), disposition, reason)
    return strict.schema, True, strict.omittable


def _is_object(document: JsonObject) -> bool:
    """Whether a schema describes objects alone, as far as it, or something that holds with it, says so."""
    seen = set[int]()
    waiting: list[Any] = [document]
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        if schema.get("type", "object" if "properties" in schema else "") == "object":
            return True
        if "type" not in schema:
            waiting += [resolve_reference(document, schema.get("$ref")), *listed(schema.get("allOf"))]
    return False


def _movable(schema: JsonObject) -> bool:
    """Whether a schema means the same one level deeper: it refers to nothing but its definitions."""
    return all(str(reference).startswith(("#/$defs/", "#/definitions/")) for reference in _references(schema))


def _references(document: JsonObject) -> Iterator[Any]:
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "$ref" in value:
                yield value["$ref"]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _wrapped(schema: JsonObject) -> JsonObject:
    inside = {key: value for key, value in schema.items() if key not in _DEFINITIONS}
    definitions = {key: schema[key] for key in _DEFINITIONS if key in schema}
    around = {"type": "object", "properties": {MEMBER: inside}, "required": [MEMBER], "additionalProperties": False}
    return {**around, **definitions}
