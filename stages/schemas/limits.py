"""Schemas without the limits of their values, for engines that make a grammar of a schema.

A grammar writes a limit out as so many repetitions, and a pattern as rules; engines refuse what becomes too large, and
patterns that they cannot read.  llama.cpp before July 2026 takes no length from 2,000 on; later builds take more, and
not everything (measured on b9713 and b11549).  Claude Code's tools have a `maxLength` of 524,288.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject

LIMITS = frozenset(
    {"minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
"""Keywords that say how much there may be of something, and how it is written."""

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_ONE = frozenset({"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"})


def without_limits(schema: JsonObject) -> JsonObject:
    """Leave the limits out of a schema, which `repair` has seen: so it is not nested too deeply."""
    return {keyword: _inside(keyword, value) for keyword, value in schema.items() if keyword not in LIMITS}


def _inside(keyword: str, value: Any) -> Any:
    if keyword in _NAMED and isinstance(value, dict):
        return {name: _each(inner) for name, inner in value.items()}
    if keyword in _MANY and isinstance(value, list):
        return [_each(inner) for inner in value]
    return _each(value) if keyword in _ONE else value


def _each(value: Any) -> Any:
    return without_limits(value) if isinstance(value, dict) else value
