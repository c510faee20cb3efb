"""What is counted while the program runs: numbers by metric and labels, in plain dictionaries.

Counting is all that a request pays for; a `Snapshot` is made when somebody asks. Labels are words of tables; what a
metric does not know becomes `other`, so the number of series is bounded whatever clients send.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

UNLISTED = "other"
"""The label's value for everything that no table holds."""

MAX_SERIES = 2000
"""Series of one metric at most. Tables times tables may be more; what comes later counts under `other` alone."""


class Form(Enum):
    """What a metric's number does; a moment is a gauge that holds a time, in seconds of Unix time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    MOMENT = "moment"
    HISTOGRAM = "histogram"


@attrs.frozen
class Metric:
    """One metric.

    Attributes:
        name: as OpenTelemetry spells it, with dots.
        form: what its number does.
        unit: in UCUM; empty for what is merely counted.
        about: what it says, in one sentence.
        labels: the names of its labels.
        bounds: upper bounds of a histogram's buckets; the last bucket has none.
    """

    name: str
    form: Form
    unit: str
    about: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


Labels = tuple[str, ...]
"""The values of a metric's labels, in its order."""

Number = float | list[float]
"""A counter or a gauge; of a histogram the counts of its buckets, then the sum of all values."""

Snapshot = Mapping[str, Mapping[Labels, Number]]
"""All numbers at one moment, by the metric's name."""


@attrs.define(eq=False)
class Tally:
    """Counts for one process. Nothing here waits, and no value is kept but sums.

    Attributes:
        metrics: what is counted, by name.
        words: what the labels may say, by label.
    """

    metrics: Mapping[str, Metric]
    words: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    _numbers: dict[str, dict[Labels, Number]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin at nothing."""
        self._numbers = {name: {} for name in self.metrics}

    def know(self, label: str, words: Iterable[str]) -> None:
        """Let a label say these words from now on, besides those that it may say already."""
        self.words = {**self.words, label: self.words.get(label, frozenset()).union(words)}

    def add(self, name: str, labels: Labels = (), amount: float = 1.0) -> None:
        """Add to a counter or a gauge."""
        series, key = self._series(name, labels)
        series[key] = series.get(key, 0.0) + amount  # type: ignore[operator] # a metric has one form

    def put(self, name: str, labels: Labels, value: float) -> None:
        """Set a gauge."""
        series, key = self._series(name, labels)
        series[key] = value

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Put a value into a histogram."""
        series, key = self._series(name, labels)
        bounds = self.metrics[name].bounds
        buckets = series.get(key)
        if not isinstance(buckets, list):
            buckets = series[key] = [0.0] * (len(bounds) + 2)
        buckets[bisect_left(bounds, value)] += 1
        buckets[-1] += value

    def snapshot(self) -> dict[str, dict[Labels, Number]]:
        """Copy all numbers, so that they can be read in another thread."""
        return {
            name: {labels: list(value) if isinstance(value, list) else value for labels, value in series.items()}
            for name, series in self._numbers.items()
            if series
        }

    def _series(self, name: str, labels: Labels) -> tuple[dict[Labels, Number], Labels]:
        series = self._numbers[name]
        if labels in series:
            return series, labels
        names = self.metrics[name].labels
        known = tuple(
            value if value in self.words.get(label, ()) else UNLISTED
            for label, value in zip(names, labels, strict=True)
        )
        full = len(series) >= MAX_SERIES and known not in series
        return series, (UNLISTED,) * len(names) if full else known
