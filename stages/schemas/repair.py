"""Schemas of tools and formats: what the upstream must find in one to accept it.

The upstream checks schemas by draft 2020-12 and compiles patterns with Python's `re`; beyond that it wants an object
with `properties` and no combinator at the root, and `items` in every array. What a keyword means is not changed here
but where the upstream has no way to say it, and then that is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.canonical.report import Disposition
from stages.canonical.request import JsonObject
from stages.schemas.folding import FORBIDDEN_AT_ROOT, fold
from stages.schemas.patterns import to_python
from stages.schemas.references import resolve_reference
from stages.schemas.strict_subset import JSON_TYPES
from stages.wire import json
from stages.wire.cache import by_content

NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}
"""The parameters of a function that takes none, or whose schema nobody could read."""


@by_content
def repair(schema: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Make a client's schema one that the upstream compiles, changing nothing that it can live with.

    Returns:
        The schema, and what was changed, as sentences for the report, without the client's words. Results are kept by
        content; nobody may change them.
    """
    try:
        mender = _Mender(schema)
        mended = mender.mend(schema)
        return _rooted(mended, mender.changes), tuple(dict.fromkeys(mender.changes))
    except RecursionError:
        return NO_PARAMETERS, ("the schema is nested too deeply and was dropped",)


_FAITHFUL = frozenset(
    {
        "a pattern was put into the upstream's dialect",
        "allOf at the top was folded",
        "an array without items got some of any kind",
        "an enum lost values that it had twice",
        "items of a tuple were renamed prefixItems",
        "the reference at the top was replaced by what it refers to",
        "true or false in place of a schema was written out",
    }
)


def disposition_of(change: str) -> Disposition:
    """What a change that `repair` tells of means for what was declared: the same in other words, or less."""
    return Disposition.TRANSLATED if change in _FAITHFUL else Disposition.APPROXIMATED


def _rooted(schema: JsonObject, changes: list[str]) -> JsonObject:
    """An object at the root, with `properties`, and no combinators."""
    if "$ref" in schema or not schema.keys().isdisjoint(FORBIDDEN_AT_ROOT):
        schema = fold(schema, changes)
    properties = schema.get("properties")
    if schema.get("type", "object") != "object":
        changes.append("another type at the top became object, which arguments always are")
    return {**schema, "type": "object", "properties": properties if isinstance(properties, dict) else {}}


_GONE = object()
"""Stands for a keyword's value that is dropped with its keyword."""


class _Mender:
    """Mends every schema of one document, keyword by keyword."""

    def __init__(self, document: JsonObject) -> None:
        self.changes: list[str] = []
        self._document = document

    def mend(self, schema: JsonObject) -> JsonObject:
        """Mend a schema and all inside it."""
        mended: JsonObject = {}
        for keyword, value in schema.items():
            mend = _KEYWORDS.get(keyword)
            kept = mend(self, value) if mend is not None else value
            if kept is not _GONE:
                mended[keyword] = kept
        if isinstance(schema.get("items"), list):
            self.changes.append("items of a tuple were renamed prefixItems")
            mended = {("prefixItems" if key == "items" else key): value for key, value in mended.items()}
            mended["items"] = mended.pop("additionalItems", {})
        kind = mended.get("type")
        if "items" not in mended and (kind == "array" or (isinstance(kind, list) and "array" in kind)):
            self.changes.append("an array without items got some of any kind")
            mended["items"] = {}
        return mended

    def one(self, value: Any) -> Any:
        """Mend a place of one schema; in draft 7, `items` may be several."""
        return self.many(value) if isinstance(value, list) else self._schema(value)

    def rule(self, value: Any) -> Any:
        """Mend a place that takes true and false as well."""
        return value if isinstance(value, bool) else self._schema(value)

    def many(self, value: Any) -> Any:
        """Mend a list of schemas."""
        return [self._schema(item) for item in value] if isinstance(value, list) else self._gone("a keyword")

    def named(self, value: Any) -> Any:
        """Mend schemas by name."""
        if not isinstance(value, dict):
            return self._gone("a keyword")
        return {name: self._schema(inner) for name, inner in value.items()}

    def by_pattern(self, value: Any) -> Any:
        """Mend schemas by pattern of their names."""
        if not isinstance(value, dict):
            return self._gone("a keyword")
        schemas = {self.pattern(pattern): self._schema(inner) for pattern, inner in value.items()}
        return {pattern: inner for pattern, inner in schemas.items() if pattern is not _GONE}

    def pattern(self, value: Any) -> Any:
        """Translate a pattern, or drop it."""
        translated = to_python(value) if isinstance(value, str) else None
        if translated is None:
            self.changes.append("a pattern that the upstream cannot compile was dropped")
            return _GONE
        if translated != value:
            self.changes.append("a pattern was put into the upstream's dialect")
        return translated

    def values(self, value: Any) -> Any:
        """An enum of something, each value once."""
        if not isinstance(value, list) or not value:
            return self._gone("an enum")
        known: dict[bytes, Any] = {}
        for item in value:
            known.setdefault(_told(item), item)
        distinct = list(known.values())
        if len(distinct) < len(value):
            self.changes.append("an enum lost values that it had twice")
        return distinct

    def required(self, value: Any) -> Any:
        """A list of names, each once."""
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            return self._gone("a keyword")
        return list(dict.fromkeys(value))

    def types(self, value: Any) -> Any:
        """A type's name, or several; names of other languages are none."""
        listed = value if isinstance(value, list) else [value]
        kinds = list(dict.fromkeys(kind for kind in listed if isinstance(kind, str) and kind in JSON_TYPES))
        if not kinds:
            return self._gone("a type")
        return kinds if isinstance(value, list) else value

    def reference(self, value: Any) -> Any:
        """A reference that leads somewhere inside the document."""
        return value if resolve_reference(self._document, value) is not None else self._gone("a reference")

    def _schema(self, value: Any) -> JsonObject:
        if isinstance(value, dict):
            return self.mend(value)
        self.changes.append("true or false in place of a schema was written out")
        return {"not": {}} if value is False else {}

    def _gone(self, what: str) -> object:
        self.changes.append(f"{what} that the upstream cannot read was dropped")
        return _GONE


def _told(value: Any) -> bytes:
    """A value as JSON, the same for the same: 1.0 is 1, and true is not."""
    return json.canonical(int(value) if isinstance(value, float) and value.is_integer() else value)


_KEYWORDS: dict[str, Callable[[_Mender, Any], Any]] = {
    **dict.fromkeys(("properties", "$defs", "definitions", "dependentSchemas"), _Mender.named),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _Mender.many),
    **dict.fromkeys(("not", "if", "then", "else", "contains", "propertyNames", "contentSchema", "items"), _Mender.one),
    **dict.fromkeys(
        ("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems"), _Mender.rule
    ),
    "patternProperties": _Mender.by_pattern,
    "pattern": _Mender.pattern,
    "enum": _Mender.values,
    "required": _Mender.required,
    "type": _Mender.types,
    "$ref": _Mender.reference,
}
"""What is done about a keyword's value; values of all others are kept as they are, examples and defaults above all."""
