"""What Hypothesis draws for the tests of stages: texts that hurt, JSON of any shape, and ways to cut bytes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

AWKWARD = ("", "\x00", "\u2028\u2029", "\ud83d", "\udc00\ud800", "\U0001f642", '"\\/', "\n\r\t", "\x7f\x85", "é\u0301")
"""Texts that some encoder or decoder has been known to get wrong."""

TEXTS = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(codec=None), max_size=30))
"""Any string that Python can hold, lone surrogates included."""

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
"""A JSON value without inside."""

JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
"""A JSON value of any shape."""

OBJECTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(TEXTS, JSON, max_size=4)
"""A JSON object of any shape."""


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut bytes at these places (taken modulo the length); the pieces add up to the whole."""
    borders = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(borders)] or [data]


PLACES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=8)
"""Where to cut, for `cut`."""
