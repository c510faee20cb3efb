"""The figures as tables for people, and as one JSON value for machines."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from pipeline.bench.figures import Figures, by_scenario, doubts, paced_event, slope
from pipeline.bench.in_process import RequestCpu, StreamCpu
from pipeline.bench.measuring import Measured, cores

_HEADS = ("scenario", "server", "done", "failed", "CPU ms/req", "CPU µs/ev", "events/s", "TTFT p50 ms", "p99 ms")
_BUSY = ("server", "client", "upstream", "others")
_LOAD = "Through a server; requests of 20 KB, CPU time of the server's processes, % of one processor:"
_RATIO = ("ms_per_request", "first_p50_ms", "first_p99_ms")


def stage_lines(requests: Iterable[RequestCpu], streams: Iterable[StreamCpu]) -> list[str]:
    """Show what the translation alone costs."""
    steps = ("decode", "map", "encode", "estimate", "total")
    rows = [[f"{cost.size:,} bytes", *(f"{getattr(cost, step):,.0f}" for step in steps)] for cost in requests]
    events = [[cost.kind, f"{cost.single:.2f}", f"{cost.burst:.2f}"] for cost in streams]
    return [
        "The translation alone, CPU µs per request:",
        *aligned(["request", *steps], rows),
        "",
        "The translation alone, CPU µs per delta of a stream:",
        *aligned(["deltas of", "one per read", "64 KB per read"], events),
    ]


def load_lines(runs: Sequence[Measured]) -> list[str]:
    """Show what whole requests cost through real servers, their ratios if there are two, and what to doubt."""
    targets = list(dict.fromkeys(run.target for run in runs))
    found = {target: by_scenario(runs, target) for target in targets}
    names = list(dict.fromkeys(run.scenario for run in runs))
    rows = [_row(name, target, found[target][name]) for name in names for target in targets]
    lines = [_LOAD, *aligned(_heads(), rows)]
    derived = [line for target in targets for line in _derived(target, found[target])]
    lines += ["", *derived] if derived else []
    if len(targets) > 1:
        lines += _ratios(names, found[targets[0]], found[targets[1]], targets[1])
    said = [doubt for target in targets for name in names for doubt in doubts(name, found[target][name], cores())]
    if said:
        lines += ["", "CPU times hold; read rates and latencies with care:", *(f"  - {doubt}" for doubt in said)]
    return lines


def as_json(requests: Sequence[RequestCpu], streams: Sequence[StreamCpu], runs: Sequence[Measured]) -> dict[str, Any]:
    """Gather everything, each single round included; units are in the names, times without one are seconds."""
    targets = dict.fromkeys(run.target for run in runs)
    found = {target: by_scenario(runs, target) for target in targets}
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": cores(),
        "stages": {
            "requests_us": [{**attrs.asdict(cost), "total": cost.total} for cost in requests],
            "streams_us_per_delta": [attrs.asdict(cost) for cost in streams],
        },
        "servers": {
            target: {
                "scenarios": {name: attrs.asdict(figures) for name, figures in scenarios.items()},
                "burst_us_per_event": slope(scenarios),
                "paced_us_per_event": paced_event(scenarios),
            }
            for target, scenarios in found.items()
        },
        "rounds": [attrs.asdict(run) for run in runs],
    }


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        return "  ".join(["  " + first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])

    return [line(row) for row in (heads, *rows)]


def _heads() -> list[str]:
    return [*_HEADS, *(f"% {name}" for name in _BUSY)]


def _row(name: str, target: str, found: Figures) -> list[str]:
    failed = sum(found.failed.values())
    why = " (" + ", ".join(f"{fault} {times}" for fault, times in found.failed.items()) + ")" if failed else ""
    return [
        name,
        target,
        f"{found.completed:,}",
        f"{failed}{why}",
        _shown(found.ms_per_request, ".2f"),
        _shown(found.us_per_event, ".1f"),
        f"{found.events_per_second:,.0f}",
        _shown(found.first_p50_ms, ".1f"),
        _shown(found.first_p99_ms, ".1f"),
        *(_shown(getattr(found, f"{who}_busy"), ".0%").rstrip("%") for who in _BUSY),
    ]


def _derived(target: str, found: Mapping[str, Figures]) -> list[str]:
    known = {
        "an event of a burst (slope from s20 to s2000)": slope(found),
        "a paced event, without the request's own cost": paced_event(found),
        "an event of p1000, without the request's own cost": paced_event(found, "p1000"),
    }
    return [f"{target}: {what}: {value:.1f} CPU µs" for what, value in known.items() if value is not None]


def _ratios(names: Sequence[str], ours: Mapping[str, Figures], other: Mapping[str, Figures], against: str) -> list[str]:
    """Divide ours by the other's: below 1 is better than it."""
    rows = [[name, *(_ratio(ours[name], other[name], figure) for figure in _RATIO)] for name in names]
    for what, figure in (("burst event", slope), ("paced event", paced_event)):
        one, two = figure(ours), figure(other)
        if one and two:
            rows.append([what, f"{one / two:.2f}", "-", "-"])
    return ["", f"Ratios to {against}; below 1 is less:", *aligned(["scenario", "CPU", "TTFT p50", "TTFT p99"], rows)]


def _ratio(ours: Figures, other: Figures, figure: str) -> str:
    one, two = getattr(ours, figure), getattr(other, figure)
    return f"{one / two:.2f}" if one and two else "-"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
