"""One plain object in place of a schema that combines several: the upstream takes no combinator at a tool's root.

A conjunction can be said by one object, alternatives only in part: every property of every option is declared, what all
of them require is required, and which properties go together is said in the description.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject
from stages.schemas.budget import Budget, TooIntricateError
from stages.schemas.pool import CHARACTERS, SchemaPool
from stages.schemas.references import resolve_reference
from stages.wire.lenient import mapping, objects, texts

FORBIDDEN_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
"""Keywords that a function's parameters may not have at their top."""

TOO_INTRICATE = "combinators at the top were too intricate to fold, and were dropped"
"""What is said of a schema whose alternatives are more than its budget can pay for."""

_FOLDED = ("allOf", "anyOf", "oneOf")
_MERGED = ("properties", "required", "additionalProperties", "type", "description", *FORBIDDEN_AT_ROOT)


def fold(schema: JsonObject, changes: list[str]) -> JsonObject:
    """Fold a schema's own combinators, whatever their options refer to.

    Args:
        schema: the whole document.
        changes: gets what was done, as sentences.
    """
    try:
        folded = _Folder(schema).fold(schema)
    except TooIntricateError:
        changes.append(TOO_INTRICATE)
        return {key: value for key, value in schema.items() if key not in (*FORBIDDEN_AT_ROOT, "$ref")}
    changes += [
        f"{keyword} at the top was {'folded' if keyword in _FOLDED else 'dropped'}"
        for keyword in FORBIDDEN_AT_ROOT
        if keyword in schema
    ]
    if "$ref" in schema:
        changes.append("the reference at the top was replaced by what it refers to")
    return folded


class _Folder:
    """Folds parts of one document; what is referred to is folded once, and what it makes of a property is pooled."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._budget = Budget.of(document)
        self._pool = SchemaPool(self._budget)
        self._known: dict[int, list[JsonObject]] = {}

    def fold(self, schema: JsonObject) -> JsonObject:
        """Merge a schema with what it refers to and combines."""
        self._budget.spend(1 + len(schema))
        own = {key: value for key, value in schema.items() if key not in (*FORBIDDEN_AT_ROOT, "$ref")}
        own = self._both(own, [*self._referred(schema.get("$ref")), *self._folded(schema.get("allOf"))])
        for keyword in ("oneOf", "anyOf"):
            own = self._either(own, self._folded(schema.get(keyword)))
        return own

    def _referred(self, reference: Any) -> list[JsonObject]:
        """Fold what a reference leads to; one that leads back to itself adds nothing there."""
        target = resolve_reference(self._document, reference)
        if id(target) not in self._known:
            self._known[id(target)] = []
            self._known[id(target)] = self._folded([target])
        return self._known[id(target)]

    def _folded(self, schemas: Any) -> list[JsonObject]:
        return [self.fold(schema) for schema in objects(schemas) if _may_be_object(schema)]

    def _both(self, own: JsonObject, parts: list[JsonObject]) -> JsonObject:
        """Say that all of these hold."""
        if not parts:
            return own
        merged, required = dict(own), names_in(own.get("required"))
        stated = {name: [schema] for name, schema in mapping(own.get("properties")).items()}
        for part in parts:
            closing = {} if stated else {"additionalProperties": part.get("additionalProperties")}
            more = {**_unmerged(part), **closing, "description": part.get("description")}
            merged = {**{key: value for key, value in more.items() if value is not None}, **merged}
            self._gather(stated, part)
            required |= names_in(part.get("required"))
            self._budget.spend(len(merged) + len(required))
        return {**merged, **_stated(self._pooled("allOf", stated), required)}

    def _either(self, own: JsonObject, options: list[JsonObject]) -> JsonObject:
        """Say that one of these holds, as far as one object can; the object's own properties stand as they are."""
        if not options:
            return own
        offered: dict[str, list[Any]] = {}
        for option in options:
            self._gather(offered, option)
        needs = [names_in(option.get("required")) for option in options]
        self._budget.spend(sum(map(len, needs)))
        common, mine = set.intersection(*needs), names_in(own.get("required"))
        properties = {**self._pooled("anyOf", offered), **mapping(own.get("properties"))}
        folded = {**own, **_stated(properties, mine | common)}
        sets = list(dict.fromkeys(", ".join(sorted(need - common - mine)) for need in needs))
        if len(sets) > 1:
            told = f"Needs one of these sets of properties: {'; '.join(given or 'none' for given in sets)}."
            self._budget.spend(len(told) // CHARACTERS)
            folded["description"] = f"{own['description']} {told}" if own.get("description") else told
        return folded

    def _gather(self, stated: dict[str, list[Any]], part: JsonObject) -> None:
        """Add to what is stated of each property what a part says of it."""
        properties = mapping(part.get("properties"))
        self._budget.spend(len(properties))
        for name, schema in properties.items():
            stated.setdefault(name, []).append(schema)

    def _pooled(self, keyword: str, stated: dict[str, list[Any]]) -> JsonObject:
        return {name: self._pool.combined(keyword, schemas) for name, schemas in stated.items()}


def _unmerged(part: JsonObject) -> JsonObject:
    return {key: value for key, value in part.items() if key not in _MERGED}


def _may_be_object(schema: JsonObject) -> bool:
    """Whether an option matters: arguments are objects, so what describes only others will never be chosen."""
    types = schema.get("type", "object")
    return types == "object" or (isinstance(types, list) and "object" in types)


def _stated(properties: JsonObject, required: set[str]) -> JsonObject:
    return {"properties": properties} | ({"required": sorted(required)} if required else {})


def names_in(value: Any) -> set[str]:
    """The names in a list, without whatever else a client wrote there."""
    return set(texts(value))
