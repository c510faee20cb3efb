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
from typing import Any, Generic, TypeVar, cast
from weakref import ref

from stages.wire import json

_T = TypeVar("_T")
_R = TypeVar("_R")

MAX_ENTRIES = 1024
"""Things that each function remembers; the one used longest ago is forgotten first."""

MAX_LISTS = 64
"""Lists of things that each function of several remembers."""

MAX_MEMBERS = 2**16
"""Things that all these lists may have together."""

MAX_BYTES = 2**24
"""About how many bytes one cache may take: large things drive out each other."""

_ENTRY = 512
# Bytes that an entry takes, however small it is: the dictionary's, and the objects around what was made.

_VALUE = 64
# Bytes of a value that is no text: a number, a list, a member of an object.

_BEGINNINGS = b"[{,"
# What a value of JSON has before it.


def weight(said: bytes) -> int:
    """About how many bytes an entry takes whose key is this JSON, and that holds its values.

    A text takes what it has: as key, as value, and once more in what is sent of it. But a list of two characters takes
    seventy bytes, so values are counted: as the commas and brackets that there are, also those inside texts, because
    that takes a hundredth of the time of a look at each.
    """
    return _ENTRY + 3 * len(said) + _VALUE * (len(said) - len(said.translate(None, _BEGINNINGS)))


class Cache(Generic[_T, _R]):
    """What a function made of things, found by whatever tells equal things."""

    def __init__(self, function: Callable[[_T], _R], entries: int = MAX_ENTRIES, most: int = MAX_BYTES) -> None:
        """Remember nothing yet.

        Args:
            function: what is made of things; pure.
            entries: how many are remembered at most.
            most: about how many bytes they may take together.
        """
        self._function = function
        self._known: OrderedDict[Hashable, tuple[_R, int]] = OrderedDict()
        self._entries = entries
        self._most = self._free = most
        self._lock = Lock()

    def get(self, key: Hashable, thing: _T, size: int) -> _R:
        """Return what the function makes of a thing.

        Args:
            key: everything that the function looks at.
            thing: the thing.
            size: about how many bytes the key and what is made of it take.
        """
        known = self._known
        with self._lock:
            if key in known:
                known.move_to_end(key)
                return known[key][0]
        made = self._function(thing)  # without the lock: two threads may make the same, and neither waits
        if size <= self._most:
            with self._lock:
                self._keep(key, made, size)
        return made

    def get_all(self: Cache[bytes, _R], things: Sequence[bytes]) -> tuple[_R, ...]:
        """Return what the function makes of each of these JSON texts, their own keys; one lock for all that are known.

        Raises:
            Exception: whatever the function raises about one of them; nothing is remembered of that one.
        """
        known = self._known
        with self._lock:
            found = list(map(known.get, things))
            for _ in map(known.move_to_end, compress(things, found)):  # in C, since nearly all of hundreds are known
                pass
        pairs = zip(things, found, strict=True)
        return tuple([self.get(thing, thing, weight(thing)) if kept is None else kept[0] for thing, kept in pairs])

    def forget(self, keys: list[Hashable]) -> None:
        """Forget what stands under these keys, if it is still known, and empty the list."""
        with self._lock:
            while keys:
                self._free += self._known.pop(keys.pop(), (None, 0))[1]

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
        return cache.get(key, value, weight(key))

    return remembered


class _Kept(ref[_T], Generic[_T, _R]):
    """What was made of a thing, beside who tells that the thing is gone: one object, for there are thousands."""

    __slots__ = ("ident", "made")
    ident: int
    made: _R


def by_identity(function: Callable[[_T], _R]) -> Callable[[_T], _R]:
    """Call a pure function of an immutable value only once for the very same object, as long as somebody holds it.

    What the function returns must not hold the object itself.
    """
    results: dict[int, _Kept[_T, _R]] = {}

    def forget(gone: ref[_T]) -> None:
        results.pop(cast("_Kept[_T, _R]", gone).ident, None)

    @wraps(function)
    def remembered(thing: _T) -> _R:
        ident = id(thing)
        kept = results.get(ident)
        if kept is not None and kept() is thing:
            return kept.made
        kept = _Kept(thing, forget)
        kept.ident, kept.made = ident, function(thing)
        results[ident] = kept
        return kept.made

    return remembered


def by_members(function: Callable[[tuple[_T, ...]], _R]) -> Callable[[tuple[_T, ...]], _R]:
    """Call a pure function of several immutable values only once for the very same ones in the same order.

    Results are remembered as long as somebody holds all of the values, at most `MAX_LISTS` of them.  What the function
    returns must not hold the values themselves.
    """
    gone: list[Hashable] = []

    def make(things: tuple[_T, ...]) -> tuple[list[ref[_T]], _R]:
        key = tuple(map(id, things))

        def forget(_: ref[_T]) -> None:  # wherever it was freed, so perhaps under the cache's own lock
            gone.append(key)

        return [ref(thing, forget) for thing in things], function(things)

    cache = Cache(make, MAX_LISTS, MAX_MEMBERS)

    @wraps(function)
    def remembered(things: tuple[_T, ...]) -> _R:
        if gone:
            cache.forget(gone)
        return cache.get(tuple(map(id, things)), things, len(things))[1]

    return remembered
