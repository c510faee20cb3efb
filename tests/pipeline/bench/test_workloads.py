"""The table of loads."""

from __future__ import annotations

import pytest

from pipeline.bench.workloads import WORKLOADS, BenchError, chosen


def test_scenarios_are_chosen_in_the_order_of_the_table() -> None:
    """Whatever order they are named in."""
    assert list(chosen(["paced", "s20"])) == ["s20", "paced"]


def test_an_unknown_scenario() -> None:
    """The complaint lists what there is."""
    with pytest.raises(BenchError, match=r"no such scenario: s21; there are ns20k, s20,"):
        chosen(["s20", "s21"])


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_every_scenario_can_end_within_its_limit(name: str) -> None:
    """A limit that a perfect server would break measures nothing."""
    scenario = WORKLOADS[name]

    least = scenario.ramp + scenario.seconds + (scenario.deltas / scenario.rate if scenario.rate else 0)
    assert least < scenario.limit / 2
    assert scenario.descriptors > 2 * scenario.clients
