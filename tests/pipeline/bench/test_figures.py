"""What follows from several rounds and scenarios."""

from __future__ import annotations

import attrs
import pytest

from pipeline.bench.figures import by_scenario, doubts, figures, paced_event, slope
from pipeline.bench.measuring import Measured
from tests.pipeline.bench.runs import RUN, run


def test_rounds_are_summed_up_by_their_median() -> None:
    """One round that was disturbed does not count; requests and faults all do."""
    disturbed = attrs.evolve(RUN, cpu=9.0, failed={"cut": 2})

    found = figures([RUN, disturbed, attrs.evolve(RUN, failed={"cut": 1, "closed": 1})])

    assert found.completed == 300
    assert found.failed == {"cut": 3, "closed": 1}
    assert found.ms_per_request == pytest.approx(2.0)
    assert found.us_per_event == pytest.approx(100.0)
    assert found.events_per_second == pytest.approx(1_000)
    assert found.first_p50_ms == pytest.approx(4.0)
    assert found.server_busy == pytest.approx(0.1)


def test_what_was_not_measured_stays_unknown() -> None:
    """No CPU time, no answers: nothing is made up."""
    found = figures([attrs.evolve(RUN, cpu=None, completed=0, events=0, first_p50=None, first_p99=None)])

    assert (found.ms_per_request, found.us_per_event, found.first_p50_ms, found.server_busy) == (None,) * 4


def test_an_event_of_a_burst_is_a_slope() -> None:
    """From 2 ms for 20 deltas to 11.9 ms for 2,000: 5 µs each; 33.9 ms for 300 paced ones: 106.7 µs each."""
    runs = [run("ours", "s20", 2.0, 20), run("ours", "s2000", 11.9, 2_000), run("ours", "paced", 33.9, 300)]
    found = by_scenario([*runs, run("theirs", "s20", 99.0, 20)], "ours")

    assert slope(found) == pytest.approx(5.0)
    assert paced_event(found) == pytest.approx((33.9 - 1.9) / 300 * 1_000)


def test_without_both_ends_there_is_no_slope() -> None:
    """And without the request's own cost no cost of a paced event."""
    found = by_scenario([run("ours", "s2000", 11.9, 2_000), run("ours", "paced", 33.9, 300)], "ours")

    assert slope(found) is None
    assert paced_event(found) is None


@pytest.mark.parametrize(
    ("busy", "who"),
    [
        (attrs.evolve(RUN, client_cpu=1.8), "the load client"),
        (attrs.evolve(RUN, upstream_cpu=1.8), "the bench's upstream"),
    ],
)
def test_whose_limit_it_was_is_said(busy: Measured, who: str) -> None:
    """A server that waits for the bench is not slow."""
    assert doubts("p1000", figures([busy]), 4) == [f"p1000: {who} was the limit (90% of a processor)"]
    assert doubts("p1000", figures([RUN]), 4) == []


def test_a_machine_that_was_busy_with_other_things() -> None:
    """Latencies are then those of a crowd."""
    shared = attrs.evolve(RUN, others_cpu=3.4)

    assert doubts("s20", figures([shared]), 2) == ["s20: all 2 processors were busy, other programs took 170% of one"]
