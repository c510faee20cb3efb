"""Remembers what a pure function made of something: clients send the same tools with every turn.

What is remembered is shared between requests, and between the threads that read them, so nobody may change it. Written
by hand: cachetools bounds by entries or by size, where this needs both, and its LRUCache takes 1.5 times as long for a
hit and 3 times for a miss.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import wraps
from itertools import compress
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import ref

from stages.wire import json

_T = TypeVar("_T")
_R = TypeVar("_R")

MAX_ENTRIES = 1024
"""Things that each function remembers; the one used longest ago is forgotten first."""

MAX_LISTS = 64
"""Lists of things that each function of several remembers."""

MAX_KEY_BYTES = 2**23
"""About how many bytes the keys of one cache may have together: large things drive out each other."""


class Cache(Generic[_T, _R]):
    """What a function made of things, found by whatever tells equal things."""

    def __init__(
        self, function: Callable[[_T], _R], entries: int = MAX_ENTRIES, key_bytes: int = MAX_KEY_BYTES
    ) -> None:
        """Remember nothing yet.

        Args:
            function: what is made of things; pure.
            entries: how many are remembered at most.
            key_bytes: about how many bytes their keys may have together.
        """
        self._function = function
        self._known: OrderedDict[Hashable, tuple[_R, int]] = OrderedDict()
        self._entries = entries
        self._key_bytes = self._free = key_bytes
        self._lock = Lock()

    def get(self, key: Hashable, thing: _T, size: int) -> _R:
        """Return what the function makes of a thing.

        Args:
            key: everything that the function looks at.
            thing: the thing.
            size: about how many bytes the key has.
        """
        known = self._known
        with self._lock:
            if key in known:
                known.move_to_end(key)
                return known[key][0]
        made = self._function(thing)  # without the lock: two threads may make the same, and neither waits
        if size <= self._key_bytes:
            with self._lock:
                self._keep(key, made, size)
        return made

    def get_all(self: Cache[bytes, _R], things: Sequence[bytes]) -> tuple[_R, ...]:
        """Return what the function makes of each of these, which are their own keys; one lock for all that are known.

        Raises:
            Exception: whatever the function raises about one of them; nothing is remembered of that one.
        """
        known = self._known
        with self._lock:
            found = list(map(known.get, things))
            for _ in map(known.move_to_end, compress(things, found)):  # in C, since nearly all of hundreds are known
                pass
        pairs = zip(things, found, strict=True)
        return tuple([self.get(thing, thing, len(thing)) if kept is None else kept[0] for thing, kept in pairs])

    def _keep(self, key: Hashable, made: _R, size: int) -> None:
        known = self._known
        self._free += known.pop(key, (made, 0))[1] - size
        known[key] = made, size
        while self._free < 0 or len(known) > self._entries:
            self._free += known.popitem(last=False)[1][1]


def by_content(function: Callable[[dict[str, Any]], _R]) -> Callable[[dict[str, Any]], _R]:
    """Call a pure function of a JSON object, such as a schema, only once for equal ones; their order is content too."""
    cache = Cache(function)

    @wraps(function)
    def remembered(value: dict[str, Any]) -> _R:
        key = json.encode(value)
        return cache.get(key, value, len(key))

    return remembered


def by_members(function: Callable[[tuple[_T, ...]], _R]) -> Callable[[tuple[_T, ...]], _R]:
    """Call a pure function of several immutable values only once for the very same ones in the same order.

    The `MAX_LISTS` used last are remembered, and the values with them, so that nothing else comes to their addresses.
    """

    def make(things: tuple[_T, ...]) -> tuple[tuple[_T, ...], _R]:
        return things, function(things)

    cache = Cache(make, MAX_LISTS)

    @wraps(function)
    def remembered(things: tuple[_T, ...]) -> _R:
        return cache.get(tuple(map(id, things)), things, len(things))[1]

    return remembered


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
