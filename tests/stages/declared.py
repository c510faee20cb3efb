"""What Hypothesis draws for tests of schemas: schemas as clients declare them, and values that satisfy them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.json_schema import is_valid

NAMES = st.sampled_from(["a", "ab", "b", "kind", "é", 'q"', "\\", ""])
"""Names of properties: beginnings of each other, and some that JSON must escape."""

_NODE = {"$ref": "#/$defs/node"}
_LEAVES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "minLength": 1},
        {"type": "string", "pattern": "^x+$"},
        {"type": "string", "format": "date"},
        {"type": ["string", "null"]},
        {"type": "integer"},
        {"type": "integer", "minimum": 0, "default": 3},
        {"type": "number", "description": "How much."},
        {"type": "boolean"},
        {"enum": ["x", "", 1]},
        {"enum": ["x", None]},
        {"type": "string", "enum": ["x", "y"]},
        {"const": "x"},
        _NODE,
        {**_NODE, "description": "Another one."},
    ]
)


def _objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda properties, required, closed: {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name in required],
            **closed,
        },
        st.dictionaries(NAMES, inner, min_size=1, max_size=4),
        st.lists(NAMES, max_size=4),
        st.sampled_from([{}, {"additionalProperties": False}]),
    )


def _composed(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        _objects(inner),
        inner.map(lambda schema: {"type": "array", "items": schema}),
        inner.map(lambda schema: {"allOf": [schema]}),
        st.lists(inner, min_size=1, max_size=3).map(lambda schemas: {"anyOf": schemas}),
        st.lists(inner, min_size=1, max_size=2).map(lambda schemas: {"oneOf": schemas, "title": "One."}),
    )


_INNER = st.recursive(_LEAVES, _composed, max_leaves=6)

SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda root, node: {**root, "$defs": {"node": node}}, _objects(_INNER), _objects(_LEAVES)
)
"""A tool's schema: an object, with one definition that may refer to itself."""


def instances(schema: dict[str, Any], document: dict[str, Any], depth: int = 4) -> st.SearchStrategy[Any]:
    """Draw values that satisfy a schema of `SCHEMAS`, or nothing where it allows none that is not too deep."""
    return _shaped(schema, document, depth).filter(lambda value: is_valid(schema, value, document))


def _shaped(schema: dict[str, Any], document: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one case for each keyword
    if depth < 0:
        return st.nothing()
    if "$ref" in schema:
        return _shaped(document["$defs"]["node"], document, depth - 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return st.one_of([instances(option, document, depth) for option in schema[key]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if schema["type"] == "object":
        inner = {name: instances(value, document, depth - 1) for name, value in schema["properties"].items()}
        required = {name: inner[name] for name in schema["required"]}
        optional = {name: value for name, value in inner.items() if name not in required and not value.is_empty}
        return st.fixed_dictionaries(required, optional=optional)
    if schema["type"] == "array":
        items = instances(schema["items"], document, depth - 1)
        return st.just([]) if items.is_empty else st.lists(items, max_size=2)
    return _SIMPLE[str(schema["type"])]


_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(["", "x", "xx", "2026-11-22", 'a"\\b', "\ud83d", "{[,:]}", "null"]),
    "['string', 'null']": st.sampled_from([None, "", "x"]),
    "integer": st.integers(-1, 5),
    "number": st.one_of(st.integers(-1, 1), st.just(1.5)),
    "boolean": st.booleans(),
}
