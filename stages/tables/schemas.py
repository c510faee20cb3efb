"""Tool schemas: what a function's `parameters` must look like for the upstream to accept them."""

from __future__ import annotations

import re
import warnings
from collections import OrderedDict
from typing import Any

from stages.canonical.request import JsonObject
from stages.wire import json

FORBIDDEN_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
"""Keywords that a function's parameters may not have at their top."""

_CACHE: OrderedDict[bytes, tuple[JsonObject, tuple[str, ...]]] = OrderedDict()
_CACHE_SIZE = 1024


def repair(schema: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Make a client's schema one that the upstream compiles, changing nothing that it can live with.

    Returns:
        The schema, and what was changed, as sentences for the report. Clients send the same tools with every turn, so
        results are kept by content.
    """
    key = json.encode(schema)
    known = _CACHE.get(key)
    if known is None:
        changes: list[str] = []
        known = (_root(_patterns(schema, changes), changes), tuple(changes))
        _CACHE[key] = known
        if len(_CACHE) > _CACHE_SIZE:
            _CACHE.popitem(last=False)
    return known


def _root(schema: JsonObject, changes: list[str]) -> JsonObject:
    """An object at the root, with `properties`, and no combinators."""
    root = {key: value for key, value in schema.items() if key not in FORBIDDEN_AT_ROOT}
    properties = dict(_mapping(root.get("properties")))
    for keyword in FORBIDDEN_AT_ROOT:
        if keyword in schema:
            changes.append(f"{keyword} at the top was folded")
            required = {*_names(root.get("required")), *_fold(schema[keyword], properties, every=keyword == "allOf")}
            root |= {"required": sorted(required)} if required else {}
    return {**root, "type": "object", "properties": properties}


def _fold(options: Any, properties: JsonObject, *, every: bool) -> set[str]:
    """Merge the options' properties; return what all of them (or, with `allOf`, any) require."""
    objects = [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []
    for option in objects:
        for name, value in _mapping(option.get("properties")).items():
            properties.setdefault(name, value)
    required = [_names(option.get("required")) for option in objects]
    if not required:
        return set()
    return set.union(*required) if every else set.intersection(*required)


def _mapping(value: Any) -> JsonObject:
    """A mapping of schemas, or an empty one in place of nonsense."""
    return value if isinstance(value, dict) else {}


def _names(value: Any) -> set[str]:
    """The names in a list, without whatever else a client wrote there."""
    return {name for name in value if isinstance(name, str)} if isinstance(value, list) else set()


def _patterns(value: Any, changes: list[str]) -> Any:
    """Drop each `pattern` that Python's `re` refuses: the upstream compiles them with it."""
    if isinstance(value, list):
        return [_patterns(item, changes) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key == "pattern" and isinstance(item, str) and not _compiles(item):
            changes.append("a pattern that the upstream cannot compile was dropped")
            continue
        kept[key] = _patterns(item, changes)
    return kept


def _compiles(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # about sets that a later Python may read otherwise: not our reader's concern
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


NOT_STRICT = frozenset(
    {
        "allOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "oneOf",
        "default",
    }
)
"""Keywords that strict mode refuses anywhere."""

_NAMED = ("properties", "$defs", "definitions")
_NESTED = ("items", "anyOf")


def fits_strict(schema: Any) -> bool:
    """Whether strict mode takes a schema as it is: objects closed, properties required, no forbidden keyword."""
    if isinstance(schema, list):
        return all(fits_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if not NOT_STRICT.isdisjoint(schema):
        return False
    kind, properties = schema.get("type"), schema.get("properties")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or properties is not None:
        closed = schema.get("additionalProperties") is False
        if not closed or _names(schema.get("required")) != set(_mapping(properties)):
            return False
    named = [value for key in _NAMED if isinstance(schema.get(key), dict) for value in schema[key].values()]
    return all(fits_strict(value) for value in (*named, *(schema[key] for key in _NESTED if key in schema)))
