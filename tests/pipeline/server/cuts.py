"""The ways in which what a client sends is cut, for tables whose every case is tried in all of them."""

from __future__ import annotations

from collections.abc import Iterator

FAR = 200
"""Bytes within which each cut is tried; what is longer is long by one thing again and again."""


def every_cut(data: bytes) -> Iterator[tuple[int, ...]]:
    """Give no cut, each single one, and one behind every byte."""
    far = min(len(data), FAR)
    yield from ((), *((at,) for at in range(1, far)), tuple(range(1, far)))
