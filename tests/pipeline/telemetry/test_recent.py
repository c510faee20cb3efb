"""The last hour and day, by a clock that is handed in."""

from __future__ import annotations

import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from pipeline.telemetry import semantics, views
from pipeline.telemetry.recent import Recent, Ring
from pipeline.telemetry.request_metrics import tally_of
from pipeline.telemetry.tally import Snapshot


def _spent(amount: float) -> Snapshot:
    return {semantics.COST: {("m", "c"): amount}}


def test_each_slot_holds_what_was_counted_in_it() -> None:
    """Also where nothing was, and where nobody looked at its end."""
    ring = Ring(60.0, 3)
    for now, amount in ((0.0, 1.0), (59.0, 2.0), (61.0, 5.0), (200.0, 5.0), (239.0, 6.0)):
        ring.note(_spent(amount), now)

    assert ring.slots == [_spent(3.0), {}, _spent(1.0)]
    assert ring.total() == _spent(4.0)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 9)), max_size=40))
def test_nothing_is_lost_and_nothing_counted_twice(steps: list[tuple[int, int]]) -> None:
    """However the looks fall: while the ring is long enough, its slots add up to all that was counted."""
    ring, now, total = Ring(60.0, 1000), 0.0, 0.0
    for seconds, more in steps:
        now, total = now + seconds, total + more
        ring.note(_spent(total), now)

    assert ring.total().get(semantics.COST, {}).get(("m", "c"), 0.0) == total
    assert len(ring.slots) == 1000


def test_a_long_sleep_empties_the_ring_in_a_bounded_number_of_steps() -> None:
    """A laptop that was shut for a year."""
    ring = Ring(60.0, 3)
    ring.note(_spent(1.0), 0.0)
    ring.note(_spent(1.0), 1e12)

    assert ring.slots == [{}, {}, {}]


async def test_gauges_are_no_history(autojump_clock: trio.testing.MockClock) -> None:
    """And histograms are: what was counted an hour ago is in the day alone."""
    tally = tally_of()
    recent = Recent(tally.snapshot)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recent.run)
        await trio.sleep(1)
        tally.add(semantics.RUNNING)
        tally.observe(semantics.FIRST_CONTENT, ("m",), 0.3)
        await trio.sleep(3700)
        nursery.cancel_scope.cancel()

    assert autojump_clock.current_time() > 3700
    assert recent.hour.total() == {}
    assert set(recent.day.total()) == {views.FIRST_CONTENT}
