"""Tables and JSON."""

from __future__ import annotations

import attrs

from pipeline.bench.in_process import RequestCpu, StreamCpu
from pipeline.bench.report import aligned, as_json, load_lines, stage_lines
from stages.wire import json
from tests.pipeline.bench.runs import RUN, run

_REQUEST = RequestCpu(size=20_000, decode=100.4, map=90.0, encode=20.0, estimate=50.0)
_STREAM = StreamCpu("text", single=5.25, burst=3.0)


def test_columns_stand_below_each_other() -> None:
    """Names to the left, numbers to the right."""
    assert aligned(["a", "b"], [["long", "1"], ["x", "1,000"]]) == ["  a         b", "  long      1", "  x     1,000"]


def test_the_translation_alone() -> None:
    """Steps of a request with their sum, and both ways of a delta."""
    lines = stage_lines([_REQUEST], [_STREAM])

    assert lines[2].split() == ["20,000", "bytes", "100", "90", "20", "50", "260"]
    assert lines[-1].split() == ["text", "5.25", "3.00"]


def test_one_server() -> None:
    """A row for each load, failures with their reasons, and what follows from two loads."""
    failed = attrs.evolve(run("ours", "s2000", 11.9, 2_000), failed={"cut": 2, "closed": 1})

    lines = load_lines([RUN, failed])

    assert [line.split()[:6] for line in lines[2:3]] == [["s20", "ours", "100", "0", "2.00", "100.0"]]
    assert "3 (cut 2, closed 1)" in lines[3]
    assert "ours: an event of a burst (slope from s20 to s2000): 5.0 CPU µs" in lines
    assert not any("Ratios" in line for line in lines)


def test_two_servers_are_compared() -> None:
    """Half the cost is a ratio of one half, for requests and for events."""
    runs = [
        run(target, scenario, factor * ms, deltas)
        for target, factor in (("ours", 1), ("theirs", 2))
        for scenario, ms, deltas in (("s20", 2.0, 20), ("s2000", 11.9, 2_000))
    ]

    lines = load_lines(runs)

    ratios = [line.split() for line in lines[lines.index("Ratios to theirs; below 1 is less:") + 2 :]]
    assert ["s20", "0.50", "1.00", "1.00"] in ratios
    assert ["burst", "event", "0.50", "-", "-"] in ratios


def test_doubts_are_printed() -> None:
    """Whoever reads the table reads them too."""
    lines = load_lines([attrs.evolve(RUN, client_cpu=1.9)])

    assert any("the load client was the limit (95% of a processor)" in line for line in lines)


def test_machines_get_everything() -> None:
    """Single rounds, sums, and the stages; it is JSON."""
    value = json.decode(json.encode(as_json([_REQUEST], [_STREAM], [RUN, run("ours", "s2000", 11.9, 2_000)])))

    assert value["stages"]["requests_us"][0]["total"] == 260.4
    assert value["servers"]["ours"]["scenarios"]["s20"]["completed"] == 100
    assert round(value["servers"]["ours"]["burst_us_per_event"], 6) == 5.0
    assert len(value["rounds"]) == 2
