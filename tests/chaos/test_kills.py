"""`kill -9` in the middle of batches, at a moment of each way; `tests.chaos.kills` knows as many as one likes."""

from __future__ import annotations

import pytest

from tests.chaos.kills import AT_ONCE, go_through


@pytest.mark.parametrize(
    ("where", "moment", "share", "again"),
    [("local", "run", 0.4, AT_ONCE), ("upstream", "parts", 0.9, 0)],
)
def test_nothing_is_lost_and_little_is_paid_twice(where: str, moment: str, share: float, again: int) -> None:
    """What was under way is asked again at most; every request has its own answer, once."""
    told = go_through(where, moment, share)

    assert all(told[name] == 0 for name in ("lost", "doubled", "wrong", "left")), told
    assert told["again"] <= again
