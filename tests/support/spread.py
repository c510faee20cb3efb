"""Each of many recordings in some of the ways it can be tried, all ways together seeing them all.

A product of every recording and every way runs the same code thousands of times and finds nothing more.  Which way
falls to which recording depends on its name alone, so a run repeats itself, and a new recording moves no other.
`HYPOTHESIS_PROFILE=deep` tries the whole product.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
W = TypeVar("W")


def share(name: object, ways: Sequence[W], count: int = 1) -> Sequence[W]:
    """Choose the ways that fall to one name: `count` that follow each other, or all in the deep profile."""
    if os.environ.get("HYPOTHESIS_PROFILE") == "deep":
        return ways
    first = zlib.crc32(str(name).encode())
    return [ways[(first + step) % len(ways)] for step in range(min(count, len(ways)))]


def spread(names: Iterable[T], ways: Sequence[W]) -> list[tuple[T, W]]:
    """Pair each name with the way that falls to it."""
    return [(name, way) for name in names for way in share(name, ways)]
