"""A small reference validator of JSON schemas: the keywords that our tests draw, and no opinion of ours about them."""

from __future__ import annotations

import re
from typing import Any

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
_FORMATS = {"date": re.compile(r"\d{4}-\d{2}-\d{2}")}


def is_valid(schema: Any, value: Any, document: Any = None) -> bool:
    """Whether a value satisfies a schema; references are looked up in `document`, which is the schema by default."""
    root = schema if document is None else document
    if not isinstance(schema, dict):
        return schema is not False
    return all(check(schema[keyword], value, schema, root) for keyword, check in _CHECKS.items() if keyword in schema)


def _type(types: Any, value: Any, *_: Any) -> bool:
    return any(
        isinstance(value, _PYTHON[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in (types if isinstance(types, list) else [types])
    )


def _equal(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _properties(declared: Any, value: Any, _: Any, root: Any) -> bool:
    return not isinstance(value, dict) or all(
        is_valid(inner, value[name], root) for name, inner in declared.items() if name in value
    )


def _additional(rule: Any, value: Any, schema: Any, root: Any) -> bool:
    if not isinstance(value, dict):
        return True
    return all(is_valid(rule, inner, root) for name, inner in value.items() if name not in schema.get("properties", {}))


def _reference(reference: str, value: Any, _: Any, root: Any) -> bool:
    target = root
    for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
        target = target[step]
    return is_valid(target, value, root)


_CHECKS: dict[str, Any] = {
    "type": _type,
    "enum": lambda values, value, *_: any(_equal(other, value) for other in values),
    "const": lambda wanted, value, *_: _equal(wanted, value),
    "minLength": lambda least, value, *_: not isinstance(value, str) or len(value) >= least,
    "pattern": lambda pattern, value, *_: not isinstance(value, str) or re.search(pattern, value) is not None,
    "format": lambda name, value, *_: not isinstance(value, str) or _FORMATS[name].fullmatch(value) is not None,
    "minimum": lambda least, value, *_: not isinstance(value, int | float) or value >= least,
    "minItems": lambda least, value, *_: not isinstance(value, list) or len(value) >= least,
    "properties": _properties,
    "required": lambda names, value, *_: not isinstance(value, dict) or all(name in value for name in names),
    "additionalProperties": _additional,
    "items": lambda rule, value, _, root: not isinstance(value, list) or all(is_valid(rule, v, root) for v in value),
    "anyOf": lambda options, value, _, root: any(is_valid(option, value, root) for option in options),
    "oneOf": lambda options, value, _, root: sum(is_valid(option, value, root) for option in options) == 1,
    "allOf": lambda options, value, _, root: all(is_valid(option, value, root) for option in options),
    "$ref": _reference,
}
