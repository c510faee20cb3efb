"""Remembers what a pure function made of something: clients send the same tools with every turn.

What is remembered is shared between requests, so nobody may change it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Generic, TypeVar
from weakref import ref

_T = TypeVar("_T")
_R = TypeVar("_R")

MAX_ENTRIES = 1024
"""Things that each function remembers; the one used longest ago is forgotten first."""

MAX_KEY_BYTES = 2**23
"""About how many bytes the keys of one memory may have together: large things drive out each other."""


class Cache(Generic[_T, _R]):
    """What a function made of things, found by whatever tells equal things."""

    def __init__(self, function: Callable[[_T], _R]) -> None:
        self._function = function
        self._known: OrderedDict[Hashable, tuple[_R, int]] = OrderedDict()
        self._free = MAX_KEY_BYTES

    def get(self, key: Hashable, thing: _T, size: int) -> _R:
        """Return what the function makes of a thing.

        Args:
            key: everything that the function looks at.
            thing: the thing.
            size: about how many bytes the key has.
        """
        results = self._known
        if key in results:
            results.move_to_end(key)
            return results[key][0]
        made = self._function(thing)
        if size <= MAX_KEY_BYTES:
            results[key] = made, size
            self._free -= size
            while self._free < 0 or len(results) > MAX_ENTRIES:
                self._free += results.popitem(last=False)[1][1]
        return made


def by_identity(function: Callable[[_T], _R]) -> Callable[[_T], _R]:
    """Call a pure function of an immutable value only once for the very same object, as long as somebody holds it.

    What the function returns must not hold the object itself.
    """
    results: dict[int, tuple[ref[_T], _R]] = {}

    @wraps(function)
    def remembered(thing: _T) -> _R:
        ident = id(thing)
        kept = results.get(ident)
        if kept is not None and kept[0]() is thing:
            return kept[1]
        made = function(thing)
        results[ident] = ref(thing, lambda _: results.pop(ident, None)), made
        return made

    return remembered
