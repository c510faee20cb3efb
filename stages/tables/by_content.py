"""Remembers what a function made of a schema: clients send the same tools with every turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Generic, TypeVar

from stages.canonical.request import JsonObject
from stages.wire import json

R = TypeVar("R")
T = TypeVar("T")

SIZE = 1024
"""Schemas that each function remembers; the one used longest ago is forgotten first."""


def by_content(function: Callable[[JsonObject], R]) -> Callable[[JsonObject], R]:
    """Call a pure function of a schema only once for equal schemas; what it returns must not be changed by anybody."""
    memory = Memory(function)

    @wraps(function)
    def remembered(schema: JsonObject) -> R:
        return memory.look_up(json.encode(schema), schema)

    return remembered


class Memory(Generic[T, R]):
    """What a pure function made of things, by whatever tells equal things."""

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function
        self._known: OrderedDict[Hashable, R] = OrderedDict()

    def look_up(self, key: Hashable, thing: T) -> R:
        """Return what the function makes of a thing; everything that it looks at must be in the key."""
        known = self._known
        if key in known:
            known.move_to_end(key)
            return known[key]
        made = known[key] = self._function(thing)
        if len(known) > SIZE:
            known.popitem(last=False)
        return made
