"""One plain object in place of a schema that combines several: the upstream takes no combinator at a tool's root.

A conjunction can be said by one object, alternatives only in part: every property of every option is declared, what all
of them require is required, and which properties go together is said in the description.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stages.canonical.request import JsonObject
from stages.schemas.references import resolve_reference
from stages.wire.lenient import mapping, objects, texts

FORBIDDEN_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
"""Keywords that a function's parameters may not have at their top."""

_FOLDED = ("allOf", "anyOf", "oneOf")
_MERGED = ("properties", "required", "additionalProperties", "type", "description", *FORBIDDEN_AT_ROOT)


def fold(schema: JsonObject, changes: list[str]) -> JsonObject:
    """Fold a schema's own combinators, whatever their options refer to.

    Args:
        schema: the whole document.
        changes: gets what was done, as sentences.
    """
    changes += [
        f"{keyword} at the top was {'folded' if keyword in _FOLDED else 'dropped'}"
        for keyword in FORBIDDEN_AT_ROOT
        if keyword in schema
    ]
    if "$ref" in schema:
        changes.append("the reference at the top was replaced by what it refers to")
    return _Folder(schema).fold(schema, ())


class _Folder:
    """Folds parts of one document; `inside` names the references that are being followed."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document

    def fold(self, schema: JsonObject, inside: tuple[str, ...]) -> JsonObject:
        """Merge a schema with what it refers to and combines; `inside` names the references that led here."""
        own = {key: value for key, value in schema.items() if key not in (*FORBIDDEN_AT_ROOT, "$ref")}
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in inside:
            own = _both(own, self._folded([resolve_reference(self._document, reference)], (*inside, reference)))
        own = _both(own, self._folded(schema.get("allOf"), inside))
        for keyword in ("oneOf", "anyOf"):
            own = _either(own, self._folded(schema.get(keyword), inside))
        return own

    def _folded(self, schemas: Any, inside: tuple[str, ...]) -> list[JsonObject]:
        return [self.fold(schema, inside) for schema in objects(schemas) if _may_be_object(schema)]


def _may_be_object(schema: JsonObject) -> bool:
    """Whether an option matters: arguments are objects, so what describes only others will never be chosen."""
    types = schema.get("type", "object")
    return types == "object" or (isinstance(types, list) and "object" in types)


def _both(own: JsonObject, parts: Iterable[JsonObject]) -> JsonObject:
    """Say that all of these hold."""
    for part in parts:
        properties = dict(mapping(own.get("properties")))
        for name, schema in mapping(part.get("properties")).items():
            mine = properties.setdefault(name, schema)
            if mine != schema:
                properties[name] = {"allOf": [mine, schema]}
        closing = {} if mapping(own.get("properties")) else {"additionalProperties": part.get("additionalProperties")}
        more = {key: value for key, value in part.items() if key not in _MERGED} | {
            key: value
            for key, value in {**closing, "description": part.get("description")}.items()
            if value is not None
        }
        own = {**more, **own, **_stated(properties, names(own.get("required")) | names(part.get("required")))}
    return own


def _either(own: JsonObject, options: list[JsonObject]) -> JsonObject:
    """Say that one of these holds, as far as one object can; the object's own properties stand as they are."""
    if not options:
        return own
    offered: dict[str, list[Any]] = {}
    for option in options:
        for name, schema in mapping(option.get("properties")).items():
            if schema not in offered.setdefault(name, []):
                offered[name].append(schema)
    either = {name: schemas[0] if len(schemas) == 1 else {"anyOf": schemas} for name, schemas in offered.items()}
    needs = [names(option.get("required")) for option in options]
    common, mine = set.intersection(*needs), names(own.get("required"))
    folded = {**own, **_stated({**either, **mapping(own.get("properties"))}, mine | common)}
    sets = list(dict.fromkeys(", ".join(sorted(need - common - mine)) for need in needs))
    if len(sets) > 1:
        told = f"Needs one of these sets of properties: {'; '.join(given or 'none' for given in sets)}."
        folded["description"] = f"{own['description']} {told}" if own.get("description") else told
    return folded


def _stated(properties: JsonObject, required: set[str]) -> JsonObject:
    return {"properties": properties} | ({"required": sorted(required)} if required else {})


def names(value: Any) -> set[str]:
    """The names in a list, without whatever else a client wrote there."""
    return set(texts(value))
