"""Snapshots added up and told apart: what was counted meanwhile, or by several processes."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Form, Labels, Number, Snapshot

_GROWING = frozenset({Form.COUNTER, Form.HISTOGRAM})
# Of the others, a difference says nothing.


def growing(numbers: Snapshot) -> Snapshot:
    """What only grows: all but the gauges."""
    return {name: series for name, series in numbers.items() if METRICS[name].form in _GROWING}


def difference(after: Snapshot, before: Snapshot) -> Snapshot:
    """What was counted between two snapshots; series that have not changed are left out."""
    changed: dict[str, dict[Labels, Number]] = {}
    for name, series in after.items():
        earlier = before.get(name, {})
        found = {labels: _less(number, earlier.get(labels)) for labels, number in series.items()}
        if kept := {labels: number for labels, number in found.items() if number}:
            changed[name] = kept
    return changed


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Put together what was counted at several times, or by several processes."""
    total: dict[str, dict[Labels, Number]] = {}
    for snapshot in snapshots:
        add_to(total, snapshot)
    return total


def add_to(total: dict[str, dict[Labels, Number]], snapshot: Snapshot) -> None:
    """Add what was counted elsewhere, or meanwhile."""
    for name, series in snapshot.items():
        into = total.setdefault(name, {})
        for labels, number in series.items():
            into[labels] = _more(into.get(labels), number)


def latest(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Put moments together that several processes know of: the latest counts."""
    total: dict[str, dict[Labels, float]] = {}
    for snapshot in snapshots:
        for name, series in snapshot.items():
            into = total.setdefault(name, {})
            for labels, number in series.items():
                if isinstance(number, float):
                    into[labels] = max(into.get(labels, number), number)
    return total


def _less(number: Number, before: Number | None) -> Number:
    if isinstance(number, list):
        less = [one - other for one, other in zip(number, before, strict=True)] if isinstance(before, list) else number
        return less if any(less) else []
    return number - before if isinstance(before, float) else number


def _more(before: Number | None, number: Number) -> Number:
    if isinstance(number, list):
        return [one + other for one, other in zip(before, number, strict=True)] if isinstance(before, list) else number
    return number + before if isinstance(before, float) else number
