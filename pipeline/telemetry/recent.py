"""The last hour and the last day: what was counted in each minute and in each quarter of an hour.

A slot holds differences, and only of what has changed in it, so a quiet day is small; a busy one is bounded by the
number of slots times that of the series.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import attrs
import trio

from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Form, Labels, Number, Snapshot, Tally

STEP = 5.0
"""Seconds between two looks at the numbers."""

_COUNTED = frozenset({Form.COUNTER, Form.HISTOGRAM})
# Of a gauge, a difference says nothing.


@attrs.define(eq=False)
class Ring:
    """The latest slots of one length.

    Attributes:
        seconds: how long a slot is.
        count: how many there are.
    """

    seconds: float
    count: int
    _slots: deque[Snapshot] = attrs.field(init=False)
    _slot: int | None = attrs.field(default=None, init=False)
    _base: Snapshot = attrs.field(factory=dict, init=False)
    _noted: Snapshot = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing, which is true of every slot that has passed."""
        self._slots = deque([{}] * self.count, maxlen=self.count)

    def note(self, numbers: Snapshot, now: float) -> None:
        """Take note of the counters at this moment, `now` in seconds of a clock that never goes back."""
        slot = int(now // self.seconds)
        if self._slot is None:
            self._slot = slot
        for _ in range(min(slot - self._slot, self.count)):
            self._base = self._noted
            self._slots.append({})
        self._slot = slot
        self._slots[-1] = difference(numbers, self._base)
        self._noted = numbers

    @property
    def slots(self) -> Sequence[Snapshot]:
        """What was counted in each, oldest first; the last one has not ended."""
        return list(self._slots)

    def total(self) -> Snapshot:
        """Return what was counted in all of them."""
        return merged(self._slots)


@attrs.define(eq=False)
class Recent:
    """An hour by minutes, a day by quarters of an hour.

    Attributes:
        tally: what is counted.
        hour: sixty slots.
        day: ninety-six.
    """

    tally: Tally
    hour: Ring = attrs.field(factory=lambda: Ring(60.0, 60))
    day: Ring = attrs.field(factory=lambda: Ring(900.0, 96))

    def note(self) -> None:
        """Take note of the counters as they are now."""
        numbers = self.tally.snapshot()
        counters = {name: series for name, series in numbers.items() if METRICS[name].form in _COUNTED}
        for ring in (self.hour, self.day):
            ring.note(counters, trio.current_time())

    async def run(self) -> None:
        """Take note again and again, so that each slot gets what belongs to it; waits for time alone."""
        while True:
            self.note()
            await trio.sleep(STEP)


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
        for name, series in snapshot.items():
            into = total.setdefault(name, {})
            for labels, number in series.items():
                into[labels] = _more(into.get(labels), number)
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
