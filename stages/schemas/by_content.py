"""Remembers what a function made of a schema: clients send the same ones with every turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from stages.canonical.request import JsonObject
from stages.wire import json
from stages.wire.cache import Cache

_R = TypeVar("_R")


def by_content(function: Callable[[JsonObject], _R]) -> Callable[[JsonObject], _R]:
    """Call a pure function of a schema only once for equal schemas; what it returns must not be changed by anybody."""
    cache = Cache(function)

    @wraps(function)
    def remembered(schema: JsonObject) -> _R:
        key = json.encode(schema)
        return cache.get(key, schema, len(key))

    return remembered
