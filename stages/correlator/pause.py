"""Pauses: where long work of the books may be interrupted, so that other streams go on meanwhile.

An answer may end with an object of thousands of items, all of which are looked at together. The books wait for nothing
themselves; whoever reads them may look after others at a pause.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

EVERY = 32
"""Items between two pauses: some milliseconds of work."""


class Pause:
    """Nothing is said."""


PAUSE: Final = Pause()
"""The only one."""

Paused = Generator[Pause, None, _R]
"""Work with pauses, and what it returns."""


def collected(made: Iterable[_T]) -> Paused[list[_T]]:
    """Make a list of what is made item by item."""
    found: list[_T] = []
    for one in made:
        found.append(one)
        if len(found) % EVERY == 0:
            yield PAUSE
    return found
