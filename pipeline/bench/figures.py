"""Figures of several rounds: medians, what follows from two scenarios together, and what the figures cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

import attrs

from pipeline.bench.measuring import Measured
from pipeline.bench.workloads import WORKLOADS

BUSY = 0.85
"""The part of a processor from which on a process is taken to be at its limit."""


@attrs.frozen
class Figures:
    """One server under one load: medians over the rounds, sums of completed and failed. Units as in the names.

    `..._busy` is the part of one processor that a program took: the server, the load client, the upstream, and all
    others of the machine together.
    """

    completed: int
    failed: Mapping[str, int]
    ms_per_request: float | None
    us_per_event: float | None
    events_per_second: float
    first_p50_ms: float | None
    first_p99_ms: float | None
    server_busy: float | None
    client_busy: float
    upstream_busy: float
    others_busy: float | None


def figures(rounds: Iterable[Measured]) -> Figures:
    """Sum up the rounds of one load on one server, at least one."""
    runs = list(rounds)
    failed: dict[str, int] = {}
    for run in runs:
        for fault, times in run.failed.items():
            failed[fault] = failed.get(fault, 0) + times
    return Figures(
        completed=sum(run.completed for run in runs),
        failed=failed,
        ms_per_request=_median(run.ms_per_request for run in runs),
        us_per_event=_median(run.us_per_event for run in runs),
        events_per_second=median(run.events / run.seconds for run in runs),
        first_p50_ms=_median(run.first_p50 and run.first_p50 * 1e3 for run in runs),
        first_p99_ms=_median(run.first_p99 and run.first_p99 * 1e3 for run in runs),
        server_busy=_median(None if run.cpu is None else run.cpu / run.seconds for run in runs),
        client_busy=median(run.client_cpu / run.seconds for run in runs),
        upstream_busy=median(run.upstream_cpu / run.seconds for run in runs),
        others_busy=_median(None if run.others_cpu is None else run.others_cpu / run.seconds for run in runs),
    )


def by_scenario(runs: Iterable[Measured], target: str) -> dict[str, Figures]:
    """Sum up all that was measured on one server, by scenario."""
    grouped: dict[str, list[Measured]] = {}
    for run in runs:
        if run.target == target:
            grouped.setdefault(run.scenario, []).append(run)
    return {name: figures(rounds) for name, rounds in grouped.items()}


def slope(found: Mapping[str, Figures]) -> float | None:
    """What one more event of a burst costs, in microseconds: from streams of 20 to streams of 2,000."""
    few, many = _request(found, "s20"), _request(found, "s2000")
    if few is None or many is None:
        return None
    return (many - few) * 1e3 / (WORKLOADS["s2000"].deltas - WORKLOADS["s20"].deltas)


def paced_event(found: Mapping[str, Figures], name: str = "paced") -> float | None:
    """What one paced event costs, in microseconds, without the request's own cost, which `s20` tells."""
    paced, few = _request(found, name), _request(found, "s20")
    if paced is None or few is None:
        return None
    own = few - WORKLOADS["s20"].deltas * (slope(found) or 0.0) / 1e3
    return (paced - own) * 1e3 / WORKLOADS[name].deltas


def doubts(name: str, found: Figures, cores: int) -> list[str]:
    """Say what limited a load besides the server: then its rates and latencies are not the server's alone."""
    said = []
    if found.client_busy >= BUSY:
        said.append(f"{name}: the load client was the limit ({found.client_busy:.0%} of a processor)")
    if found.upstream_busy >= BUSY:
        said.append(f"{name}: the bench's upstream was the limit ({found.upstream_busy:.0%} of a processor)")
    others = found.others_busy or 0.0
    if found.client_busy + found.upstream_busy + (found.server_busy or 0.0) + others >= BUSY * cores:
        said.append(f"{name}: all {cores} processors were busy, other programs took {others:.0%} of one")
    return said


def _request(found: Mapping[str, Figures], name: str) -> float | None:
    return found[name].ms_per_request if name in found else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
