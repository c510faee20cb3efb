"""From a client's schema to one of strict mode's subset, which the upstream then enforces, and how to undo it.

Every object is closed and requires all it declares; what was optional may be null instead, and `omittable` says
which nulls are left out of the answer again.  Keywords of the subset: OpenAI's guide to structured outputs.  What the
subset has no keyword for is told in the description, where the model still reads it; what cannot be told stays outside:
objects with names of their own, tuples, conditions.
"""

from __future__ import annotations

from typing import Any

import attrs

from stages.canonical.omittable import OmittableMembers
from stages.canonical.report import Disposition
from stages.canonical.request import JsonObject
from stages.schemas import strict_subset as subset
from stages.schemas.budget import TooIntricateError
from stages.schemas.omittable import strict_nulls_of
from stages.schemas.references import resolve_reference
from stages.wire import json
from stages.wire.cache import by_content


@attrs.frozen
class Strict:
    """A schema that strict mode takes.

    Attributes:
        schema: what is sent; the client's own, in its own order, if that fits already.
        notes: what was changed, as dispositions and sentences for the report.
        omittable: what is left out of the answer again; None when nothing is.
    """

    schema: JsonObject = attrs.field(repr=False)
    notes: tuple[tuple[Disposition, str], ...] = ()
    omittable: OmittableMembers | None = attrs.field(default=None, repr=False)


@by_content
def convert(schema: JsonObject) -> Strict | None:
    """Convert a schema with an object at its root; None when the subset cannot express it."""
    try:
        converter = _Converter(schema)
        converted = converter.convert()
        return Strict(converted, converter.notes(), strict_nulls_of(schema) if converter.filled else None)
    except (_OutsideError, TooIntricateError, RecursionError):
        return None


class _OutsideError(Exception):
    """Strict mode has no way to say it."""


class _Converter:
    """Converts one schema, and counts what is limited."""

    def __init__(self, document: JsonObject) -> None:
        self.filled = False
        self._document = document
        self._told: set[str] = set()
        self._renamed = False
        self._properties = self._values = self._characters = 0

    def convert(self) -> JsonObject:
        """Return the document as strict mode takes it; raises when it cannot be said there."""
        if self._document.get("type") != "object" or "$ref" in self._document:
            raise _OutsideError
        return self._node(self._document, 1)

    def notes(self) -> tuple[tuple[Disposition, str], ...]:
        """Say what was changed, in words that no client chose."""
        notes = []
        if self._told:
            disposition = (
                Disposition.TRANSLATED if subset.ANNOTATIONS.issuperset(self._told) else Disposition.APPROXIMATED
            )
            notes.append((disposition, f"strict mode has no {', '.join(sorted(self._told))}: told in the description"))
        if self._renamed:
            notes.append((Disposition.APPROXIMATED, "strict mode has no oneOf: anyOf stands for it"))
        if self.filled:
            notes.append(
                (Disposition.EMULATED, "strict mode requires every property: null is asked for, and left out again")
            )
        return tuple(notes)

    def _node(self, schema: Any, level: int) -> JsonObject:
        if not isinstance(schema, dict) or level > subset.MAX_LEVELS or not subset.IMPOSSIBLE.isdisjoint(schema):
            raise _OutsideError
        schema = self._joined(schema)
        if "$ref" in schema:
            converted = self._reference(schema)
        elif "anyOf" in schema:
            converted = self._union(schema, level)
        else:
            converted = self._plain(schema, level)
        converted |= self._definitions(schema)
        return {key: converted[key] for key in (*schema, *converted) if key in converted}

    def _definitions(self, schema: JsonObject) -> JsonObject:
        """Convert the definitions; nested ones cannot be referred to."""
        groups = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
        if groups and schema is not self._document:
            raise _OutsideError
        converted: JsonObject = {}
        for key, definitions in groups.items():
            if not isinstance(definitions, dict):
                raise _OutsideError
            self._characters += sum(map(len, definitions))
            converted[key] = {name: self._node(inner, 1) for name, inner in definitions.items()}
        return converted

    def _joined(self, schema: JsonObject) -> JsonObject:
        """Replace `oneOf`, and an `allOf` of one."""
        if "oneOf" in schema and "anyOf" not in schema:
            self._renamed = True
            schema = {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}
        every = schema.get("allOf", [{}])
        if isinstance(every, list) and all(
            isinstance(part, dict) and subset.DESCRIBABLE.issuperset(part) for part in every
        ):
            return schema  # rules for a plain value, which a description can tell
        if not isinstance(every, list) or len(every) != 1 or not isinstance(every[0], dict) or "oneOf" in schema:
            raise _OutsideError
        if "allOf" in schema:
            around = {key: value for key, value in schema.items() if key != "allOf"}
            if not subset.ANNOTATIONS.issuperset(around.keys() & every[0].keys()):
                raise _OutsideError
            schema = self._joined({**every[0], **around})
            if not subset.IMPOSSIBLE.isdisjoint(schema):
                raise _OutsideError
        return schema

    def _reference(self, schema: JsonObject) -> JsonObject:
        """A reference stands alone; what is said beside it goes around it."""
        reference = schema["$ref"]
        target = resolve_reference(self._document, reference)
        if not isinstance(target, dict) or not subset.REFERENCE.fullmatch(reference):
            raise _OutsideError
        around = self._annotated({key: value for key, value in schema.items() if key not in _BESIDE})
        return {"anyOf": [{"$ref": reference}], **around} if around else {"$ref": reference}

    def _union(self, schema: JsonObject, level: int) -> JsonObject:
        options = schema["anyOf"]
        if not isinstance(options, list) or not options:
            raise _OutsideError
        around = self._annotated({key: value for key, value in schema.items() if key not in _BESIDE})
        return {"anyOf": [self._node(option, level) for option in options], **around}

    def _annotated(self, around: JsonObject) -> JsonObject:
        """Keep what only describes; anything else beside a combinator would have to hold with it."""
        if not subset.ANNOTATIONS.issuperset(around):
            raise _OutsideError
        return self._described({}, around)

    def _plain(self, schema: JsonObject, level: int) -> JsonObject:
        types = _types(schema)
        kept: JsonObject = {} if "type" in schema else {"type": types[0] if len(types) == 1 else types}
        keywords = subset.KEPT.union(*(subset.KEPT_BY_TYPE.get(kind, ()) for kind in types))
        if "object" in types:
            kept |= self._object(schema, level)
        if "array" in types:
            kept["items"] = self._node(schema.get("items"), level + 1)
        self._count_values(schema)
        around = {}
        for key, value in schema.items():
            if key in ("properties", "required", "additionalProperties", "unevaluatedProperties", "items"):
                continue
            if key in keywords and subset.VALUE_CHECKS.get(key, lambda _: True)(value):
                kept[key] = value
            elif key not in _BESIDE:
                around[key] = value
        return self._described(kept, around)

    def _object(self, schema: JsonObject, level: int) -> JsonObject:
        """Close an object and require all of it."""
        properties, required = schema.get("properties", {}), schema.get("required", [])
        closed = False in (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
        open_rules = [schema.get(key, False) for key in ("additionalProperties", "unevaluatedProperties")]
        if not isinstance(properties, dict) or not isinstance(required, list) or open_rules != [False, False]:
            raise _OutsideError
        if not (properties or closed) or not all(isinstance(name, str) and name in properties for name in required):
            raise _OutsideError
        self._properties += len(properties)
        self._characters += sum(map(len, properties))
        self._check_limits()
        converted = {name: self._node(inner, level + 1) for name, inner in properties.items()}
        optional = [name for name in properties if name not in required]
        self.filled = self.filled or bool(optional)
        return {
            "properties": converted | {name: nullable(converted[name]) for name in optional},
            "required": [*dict.fromkeys(required), *optional],
            "additionalProperties": False,
        }

    def _count_values(self, schema: JsonObject) -> None:
        values = schema.get("enum", [])
        self._values += len(values)
        self._characters += sum(len(value) for value in (*values, schema.get("const")) if isinstance(value, str))
        self._check_limits()

    def _check_limits(self) -> None:
        counted = (self._properties, self._values, self._characters)
        if any(
            n > most
            for n, most in zip(counted, (subset.MAX_PROPERTIES, subset.MAX_VALUES, subset.MAX_CHARACTERS), strict=True)
        ):
            raise _OutsideError

    def _described(self, kept: JsonObject, around: JsonObject) -> JsonObject:
        """Put what has no keyword into the description."""
        rest = {key: value for key, value in around.items() if key not in (*subset.DESCRIBING, *subset.MUTE)}
        kept = kept | {key: value for key, value in around.items() if key in subset.DESCRIBING}
        if rest.get("default", "") is None:
            del rest["default"]  # null says nothing that an optional member does not say
        if rest:
            self._told.update(key if key in subset.DESCRIBABLE else "keyword of another vocabulary" for key in rest)
            words = "; ".join(f"{key}: {json.encode(value).decode()}" for key, value in rest.items())
            before = kept.get("description")
            kept["description"] = f"{before} ({words})" if before else f"({words})"
        return kept


def nullable(schema: JsonObject) -> JsonObject:
    """Let a converted schema be null as well."""
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    types = schema.get("type")
    if "$ref" in schema or types == "object":
        return {"anyOf": [schema, {"type": "null"}]}
    named = types if isinstance(types, list) else [types]
    changed = {**schema, "type": [*named, "null"]} if "null" not in named else dict(schema)
    values = [changed.pop("const")] if "const" in changed else changed.get("enum")
    if isinstance(values, list):
        changed["enum"] = values if None in values else [*values, None]
    return changed


def _types(schema: JsonObject) -> list[str]:
    """The types that a schema names, or that its values and keywords imply."""
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    elif "enum" in schema or "const" in schema:
        values = schema["enum"] if isinstance(schema.get("enum"), list) else [schema.get("const")]
        types = list(dict.fromkeys(subset.TYPE_OF.get(type(value), "") for value in values))
    else:
        types = ["object" for key in ("properties",) if key in schema]
    if not types or not all(isinstance(kind, str) and kind in subset.JSON_TYPES for kind in types):
        raise _OutsideError
    if not isinstance(schema.get("enum", []), list) or not all(
        type(value) in subset.TYPE_OF for value in (*schema.get("enum", ()), schema.get("const"))
    ):
        raise _OutsideError
    return types


_BESIDE = frozenset({"$ref", "anyOf", "$defs", "definitions"})
"""Keywords that are dealt with before the others."""
