"""Strict mode's subset of JSON schema, as data: keywords, formats and limits (OpenAI's guide to structured outputs)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MAX_PROPERTIES = 5000
"""Properties of all objects together."""

MAX_LEVELS = 10
"""Objects and arrays inside each other."""

MAX_VALUES = 1000
"""Values of all enums together."""

MAX_CHARACTERS = 120_000
"""Characters of all names and listed values together."""

JSON_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "object", "array"})
"""What `type` can name."""

TYPE_OF = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
"""The types of values that an enum can list."""

FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
"""What `format` can name."""

REFERENCE = re.compile(r"#|#/(\$defs|definitions)/[^/]+")
"""What `$ref` can be: the whole schema, or one of the definitions at its top."""

DESCRIBING = frozenset({"title", "description", "$schema"})
"""Keywords that may stand anywhere and say nothing about values."""

MUTE = frozenset({"$comment", "$id"})
"""Keywords that say nothing to a model either."""

ANNOTATIONS = DESCRIBING | MUTE | {"default", "examples", "example", "deprecated", "readOnly", "writeOnly"}
"""Keywords that may stand beside a combinator, because nothing depends on them."""

_NUMBERS = ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
KEPT_BY_TYPE = {
    "string": ("pattern", "format"),
    "number": _NUMBERS,
    "integer": _NUMBERS,
    "array": ("minItems", "maxItems"),
}
"""Keywords about values of one type."""

KEPT = DESCRIBING | {"type", "enum", "const"}
"""Keywords about values of any type."""

DESCRIBABLE = (ANNOTATIONS - DESCRIBING - MUTE) | {
    "minLength", "maxLength", "pattern", "format", "uniqueItems", "contains", "minContains", "maxContains",
    "minProperties", "maxProperties", "propertyNames", "contentEncoding", "contentMediaType", "contentSchema",
    "nullable", "allOf", "minItems", "maxItems", *_NUMBERS,
}  # fmt: skip
"""Keywords that a description can tell, and a report can name: those of the standard, which no client invented."""

_LOOKS_AROUND = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=")

VALUE_CHECKS: dict[str, Callable[[Any], bool]] = {
    "format": lambda name: isinstance(name, str) and name in FORMATS,
    "pattern": lambda pattern: isinstance(pattern, str) and not _LOOKS_AROUND.search(pattern),
}
"""Keywords that are known with some values only: no pattern that looks around or back."""

IMPOSSIBLE = frozenset(
    {
        "patternProperties", "prefixItems", "additionalItems", "unevaluatedItems", "not", "if", "then", "else",
        "dependentRequired", "dependentSchemas", "dependencies", "$dynamicRef", "$recursiveRef", "$anchor",
    }
)  # fmt: skip
"""Keywords that change what an answer looks like, and that a description is no place for."""
