"""Remembers what a function made of a schema: clients send the same tools with every turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from stages.canonical.request import JsonObject
from stages.wire import json

R = TypeVar("R")

SIZE = 1024
"""Schemas that each function remembers; the one used longest ago is forgotten first."""


def by_content(function: Callable[[JsonObject], R]) -> Callable[[JsonObject], R]:
    """Call a pure function of a schema only once for equal schemas; what it returns must not be changed by anybody."""
    known: OrderedDict[bytes, R] = OrderedDict()

    @wraps(function)
    def remembered(schema: JsonObject) -> R:
        key = json.encode(schema)
        if key in known:
            known.move_to_end(key)
            return known[key]
        made = known[key] = function(schema)
        if len(known) > SIZE:
            known.popitem(last=False)
        return made

    return remembered
