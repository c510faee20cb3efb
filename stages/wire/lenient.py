"""Values of JSON that should have a type but may have any: what has another one than expected reads as empty."""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject


def text(value: Any) -> str:
    """A value that should be text."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> JsonObject:
    """A value that should be an object."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A value that should be a list."""
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[JsonObject]:
    """The objects in a value that should be a list of them."""
    return [item for item in listed(value) if isinstance(item, dict)]


def texts(value: Any) -> list[str]:
    """The texts in a value that should be a list of them."""
    return [item for item in listed(value) if isinstance(item, str)]
