"""Sharing ways out among recordings leaves none of either out."""

from __future__ import annotations

import pytest

from tests.support.spread import share, spread

NAMES = [f"recording {number}" for number in range(100)]


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_each_name_has_its_ways_and_each_way_its_names(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """As many as were asked for, none twice, the same each time."""
    monkeypatch.delenv("HYPOTHESIS_PROFILE", raising=False)
    shares = [share(name, "abc", count) for name in NAMES]

    assert {len(ways) for ways in shares} == {min(count, 3)} == {len(set(ways)) for ways in shares}
    assert {way for ways in shares for way in ways} == set("abc")
    assert shares == [share(name, "abc", count) for name in NAMES]


def test_the_deep_profile_tries_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to chance in a night."""
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "deep")

    assert len(set(spread(NAMES, "abc"))) == 300
