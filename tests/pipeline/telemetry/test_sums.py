"""What was counted meanwhile, or by several."""

from __future__ import annotations

from pipeline.telemetry.sums import add_to, difference, latest, merged
from pipeline.telemetry.tally import Labels, Number, Snapshot


def test_a_difference_leaves_out_what_has_not_changed() -> None:
    """Counters and histograms."""
    assert difference({"a": {("x",): 1.0, ("y",): 2.0}}, {"a": {("x",): 1.0}}) == {"a": {("y",): 2.0}}
    assert difference({"h": {(): [1.0, 2.0]}}, {"h": {(): [1.0, 2.0]}}) == {}


def test_adding_up() -> None:
    """Nothing that is added is changed by it, for others hold it as well."""
    total: dict[str, dict[Labels, Number]] = {}
    first: Snapshot = {"h": {(): [1.0, 2.0]}, "a": {("x",): 1.0}}
    add_to(total, first)
    add_to(total, {"h": {(): [1.0, 1.0]}, "a": {("y",): 2.0}})

    assert total == {"h": {(): [2.0, 3.0]}, "a": {("x",): 1.0, ("y",): 2.0}}
    assert first == {"h": {(): [1.0, 2.0]}, "a": {("x",): 1.0}}
    assert merged([first, first]) == {"h": {(): [2.0, 4.0]}, "a": {("x",): 2.0}}


def test_the_latest_moment() -> None:
    """Whoever tells it."""
    assert latest([{"a": {("x",): 3.0}}, {"a": {("x",): 2.0, ("y",): 1.0}}]) == {"a": {("x",): 3.0, ("y",): 1.0}}
