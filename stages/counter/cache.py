"""A bounded cache of what texts count: tools, system prompt and old messages come with every turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import attrs

MAX_COUNTS = 16_384
"""Texts remembered at most; an entry takes some 200 bytes, whatever the length of its text."""


@attrs.define(repr=False)
class TokenCache:
    """Counts texts, the same one once; safe to call from several threads.

    It keeps no text: the key is Python's own hash of it (64 bits, salted per process) with its length.  When it is
    full, what was asked for longest ago is forgotten.  Written by hand: with cachetools' LRUCache behind the same lock,
    a text that is known takes 1.4 times as long.

    Attributes:
        tokens: how a text is counted that is not known yet.
        entries: how many counts are kept at most.
    """

    tokens: Callable[[str], int]
    entries: int = MAX_COUNTS
    _known: OrderedDict[tuple[int, int], int] = attrs.field(factory=OrderedDict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def __call__(self, text: str) -> int:
        """Return the number of tokens of a text."""
        key = (hash(text), len(text))
        number = self._recall(key)
        if number is None:
            number = self.tokens(text)
            self._keep(key, number)
        return number

    def _recall(self, key: tuple[int, int]) -> int | None:
        with self._lock:
            number = self._known.get(key)
            if number is not None:
                self._known.move_to_end(key)
            return number

    def _keep(self, key: tuple[int, int], number: int) -> None:
        with self._lock:
            self._known[key] = number
            self._known.move_to_end(key)
            while len(self._known) > self.entries:
                self._known.popitem(last=False)

    def __len__(self) -> int:
        """Return how many counts are remembered now."""
        return len(self._known)
