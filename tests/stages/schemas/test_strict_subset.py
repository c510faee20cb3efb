"""The tables of strict mode's subset agree with each other."""

from __future__ import annotations

import pytest

from stages.schemas import strict_subset as subset
from tests.support.cases import cases


@cases(
    ("keyword", "value", "known"),
    [
        ("format", "date-time", True),
        ("format", "uri", False),
        ("format", ["date"], False),
        ("pattern", r"^(?:a|b)+\d{2}$", True),
        ("pattern", "(?P<a>x)", True),
        ("pattern", "(?=a)", False),
        ("pattern", "(?!a)", False),
        ("pattern", "(?<=a)b", False),
        ("pattern", "(?<!a)b", False),
        ("pattern", r"(a)\1", False),
        ("pattern", "(?P<a>x)(?P=a)", False),
        ("pattern", 1, False),
    ],
)
def test_keywords_with_some_values_only(keyword: str, value: object, known: bool) -> None:
    """Formats of the list, and patterns that a grammar can follow: none that look around or back."""
    assert subset.VALUE_CHECKS[keyword](value) is known


@pytest.mark.parametrize(
    ("reference", "known"),
    [
        ("#", True),
        ("#/$defs/a", True),
        ("#/definitions/a b", True),
        ("#/properties/a", False),
        ("#/$defs/a/items", False),
    ],
)
def test_references(reference: str, known: bool) -> None:
    """To the whole, or to a definition at its top."""
    assert bool(subset.REFERENCE.fullmatch(reference)) is known


def test_a_keyword_has_one_fate() -> None:
    """What cannot be said is neither kept nor told."""
    kept = subset.KEPT.union(*subset.KEPT_BY_TYPE.values())

    assert subset.IMPOSSIBLE.isdisjoint(kept | subset.DESCRIBABLE | subset.ANNOTATIONS)
    assert subset.MUTE.isdisjoint(kept | subset.DESCRIBABLE)
    assert subset.KEPT_BY_TYPE.keys() < subset.JSON_TYPES
    assert set(subset.TYPE_OF.values()) < subset.JSON_TYPES
