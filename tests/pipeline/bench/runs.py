"""Measurements that nobody made, for the tests of what is done with them."""

from __future__ import annotations

import attrs

from pipeline.bench.measuring import Measured

RUN = Measured(
    target="ours",
    scenario="s20",
    completed=100,
    failed={},
    events=2_000,
    seconds=2.0,
    cpu=0.2,
    client_cpu=0.1,
    upstream_cpu=0.1,
    others_cpu=0.0,
    first_p50=0.004,
    first_p99=0.009,
)
"""A hundred requests of 20 deltas in two seconds, 2 ms of CPU each."""


def run(target: str, scenario: str, ms: float, deltas: int) -> Measured:
    """Make a run whose requests cost so many milliseconds."""
    return attrs.evolve(RUN, target=target, scenario=scenario, cpu=ms / 10, events=100 * deltas)
