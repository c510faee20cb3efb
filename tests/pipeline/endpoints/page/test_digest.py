"""Rows of the page's tables."""

from __future__ import annotations

import pytest

from pipeline.endpoints.page.digest import ago, dollars, health_rows
from pipeline.telemetry import semantics
from pipeline.telemetry.tally import Snapshot


@pytest.mark.parametrize(
    ("when", "said"),
    [(None, "never"), (100_000.0, "0 s ago"), (99_941.0, "59 s ago"), (96_401.0, "60 min ago"), (0.0, "1 d ago")],
)
def test_how_long_ago(when: float | None, said: str) -> None:
    """In the largest unit that fits; a clock that was put back makes nothing negative."""
    assert ago(when, 100_000.0) == said
    assert ago(200_000.0, 100_000.0) == "0 s ago"


@pytest.mark.parametrize(("amount", "said"), [(None, ""), (0.0, "$0"), (0.00123, "$0.0012"), (1234.5, "$1,234.50")])
def test_money(amount: float | None, said: str) -> None:
    """Where no price is known there is none; nothing at all is no row of zeros."""
    assert dollars(amount) == said


def test_upstreams_by_host() -> None:
    """Of several failures the latest, with its word; a host that was only well, or only not, has a row as well."""
    numbers: Snapshot = {
        semantics.LAST_ANSWER: {("a",): 90.0, ("b",): 10.0},
        semantics.LAST_FAILURE: {("b", "429"): 20.0, ("b", "dns"): 95.0, ("c", "500"): 99.0},
    }
    assert health_rows(numbers, 100.0) == [
        ("a", "10 s ago", "never", ""),
        ("b", "2 min ago", "5 s ago", "dns"),
        ("c", "never", "1 s ago", "500"),
    ]
