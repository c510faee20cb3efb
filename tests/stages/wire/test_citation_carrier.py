"""The carrier of a citation: what we wrote we read again, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.wire.citation_carrier import CITATION_PREFIX, CitedAt, decode, encode
from tests.stages.strategies import JSON, TEXTS

NUMBERS = st.integers(0, 10**9)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_it_comes_back_as_it_went(offset: int, start: int, length: int) -> None:
    """Through any client that echoes a string."""
    place = CitedAt(offset, start, start + length)
    index = encode(place)

    assert decode(index) == place
    assert index.isascii()
    assert index.isprintable()
    assert " " not in index


@given(JSON | TEXTS)
def test_what_somebody_else_wrote_is_none(index: object) -> None:
    """Another service's index, or no string at all."""
    assert decode(index) is None


@pytest.mark.parametrize("inside", ["", "é", "W", "W1s=", "WzEsMiwz", "e30=", "WzEsMl0=", "WzEsMiwidHdvIl0="])
def test_what_was_damaged_is_none(inside: str) -> None:
    """No base64, no JSON, or not three numbers."""
    assert decode(CITATION_PREFIX + inside) is None


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (0, -1, 0), (0, 3, 2), (True, 1, 2), (0, 1, 2.0)])
def test_nonsense_is_none(numbers: tuple[object, ...]) -> None:
    """Places that no text has."""
    text = "[" + ",".join(str(number).lower() for number in numbers) + "]"

    assert decode(CITATION_PREFIX + base64.urlsafe_b64encode(text.encode()).decode()) is None


def test_its_repr_says_nothing() -> None:
    """A carrier may end up in a log by mistake."""
    assert "123" not in repr(CitedAt(123, 123, 123))
