"""Example values: the plainest value that a JSON schema accepts.

Serves tool arguments and structured answers.  Made for the schemas that clients send (objects, enums, unions,
references); it does not solve a `pattern` or a contradiction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]
"""A JSON schema as it came off the wire; `True` and an absent one are the empty schema."""

_DEPTH = 12
"""Levels after which references are not followed any more, so that recursive schemas end."""

_FORMATS = {
    "date": "2026-11-23",
    "date-time": "2026-11-23T12:00:00Z",
    "time": "12:00:00Z",
    "email": "somebody@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "hostname": "example.com",
}


def example(schema: Any) -> Any:
    """Make a value for a schema: required properties only, first choices, smallest numbers, empty lists."""
    root = _as_schema(schema)
    return _value(root, root, _DEPTH)


def _value(schema: Any, root: Schema, depth: int) -> Any:
    schema = _resolved(schema, root, depth)
    for keyword, choose in _FIXED.items():
        if keyword in schema:
            return choose(schema[keyword])
    union = schema.get("anyOf") or schema.get("oneOf")
    if union and depth > 0:
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
        return _value(_merged(rest, _plainest(union, depth)), root, depth - 1)
    return _BY_TYPE[_type(schema)](schema, root, depth)


_FIXED: dict[str, Callable[[Any], Any]] = {
    "const": lambda value: value,
    "enum": lambda values: values[0],
    "default": lambda value: value,
}


def _resolved(schema: Any, root: Schema, depth: int) -> Schema:
    """Follow `$ref`, and fold `allOf` into the schema itself."""
    plain = _as_schema(schema)
    reference = plain.get("$ref")
    if isinstance(reference, str) and depth > 0:
        beside = {key: value for key, value in plain.items() if key != "$ref"}
        return _merged(_resolved(_target(reference, root), root, depth - 1), beside)
    if "allOf" in plain and depth > 0:
        whole = {key: value for key, value in plain.items() if key != "allOf"}
        for part in plain["allOf"]:
            whole = _merged(whole, _resolved(part, root, depth - 1))
        return whole
    return plain


def _as_schema(value: Any) -> Schema:
    return value if isinstance(value, dict) else {}


def _target(reference: str, root: Schema) -> Any:
    found: Any = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        if name:
            found = found.get(name.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
    return found


def _merged(first: Schema, second: Any) -> Schema:
    second = _as_schema(second)
    return {
        **first,
        **second,
        "properties": {**first.get("properties", {}), **second.get("properties", {})},
        "required": [*first.get("required", []), *second.get("required", [])],
    }


def _plainest(union: list[Any], depth: int) -> Any:
    """Choose a member of a union: not null, which says little, until it has to end a recursion."""
    nulls = [member for member in union if _as_schema(member).get("type") == "null"]
    others = [member for member in union if member not in nulls]
    wanted = nulls or others if depth <= _DEPTH // 2 else others or nulls
    return wanted[0]


def _type(schema: Schema) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        named = next((name for name in named if name != "null"), "null")
    if isinstance(named, str) and named in _BY_TYPE:
        return named
    return "object" if schema.get("properties") else "array" if "items" in schema else "string"


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: _value(properties.get(name, {}), root, depth - 1) for name in dict.fromkeys(schema.get("required", []))
    }


def _array(schema: Schema, root: Schema, depth: int) -> list[Any]:
    return [_value(schema.get("items", {}), root, depth - 1) for _ in range(schema.get("minItems", 0))]


def _number(schema: Schema, _root: Schema, _depth: int) -> float:
    return float(_smallest(schema))


def _integer(schema: Schema, _root: Schema, _depth: int) -> int:
    return math.ceil(_smallest(schema))


def _smallest(schema: Schema) -> float:
    low = schema.get("minimum", schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - 1 if "exclusiveMaximum" in schema else None)
    if low is None:
        return min(1, high) if high is not None else 1
    return float(low)


def _string(schema: Schema, _root: Schema, _depth: int) -> str:
    text = _FORMATS.get(schema.get("format", ""), "example")
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(text) + schema.get("minLength", 0))
    return text.ljust(least, ".")[: max(least, most)]


_BY_TYPE: dict[str, Callable[[Schema, Schema, int], Any]] = {
    "object": _object,
    "array": _array,
    "number": _number,
    "integer": _integer,
    "string": _string,
    "boolean": lambda _schema, _root, _depth: True,
    "null": lambda _schema, _root, _depth: None,
}
