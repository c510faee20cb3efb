"""The last hour and the last day: what was counted in each minute and in each quarter of an hour.

A slot holds what somebody looks at, and only what has changed in it, so a quiet day is small; a busy one is bounded by
the number of slots times that of clients and models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import attrs
import trio

from pipeline.telemetry.sums import difference, merged
from pipeline.telemetry.tally import Snapshot
from pipeline.telemetry.views import views_of

STEP = 5.0
"""Seconds between two looks at the numbers."""


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
    _past: Snapshot | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with nothing, which is true of every slot that has passed."""
        self._slots = deque([{}] * self.count, maxlen=self.count)

    def note(self, numbers: Snapshot, now: float) -> None:
        """Take note of what only grows, at this moment; `now` is in seconds of a clock that never goes back."""
        slot = int(now // self.seconds)
        if self._slot is None:
            self._slot = slot
        if slot != self._slot:
            self._past = None
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
        """Return what was counted in all of them; what is over is added up once."""
        *past, last = self._slots
        if self._past is None:
            self._past = merged(past)
        return merged([self._past, last])


@attrs.define(eq=False)
class Recent:
    """An hour by minutes, a day by quarters of an hour.

    Attributes:
        numbers: tells what was counted until now.
        hour: sixty slots.
        day: ninety-six.
    """

    numbers: Callable[[], Snapshot]
    hour: Ring = attrs.field(factory=lambda: Ring(60.0, 60))
    day: Ring = attrs.field(factory=lambda: Ring(900.0, 96))

    def note(self) -> None:
        """Take note of the counters as they are now."""
        seen = views_of(self.numbers())
        for ring in (self.hour, self.day):
            ring.note(seen, trio.current_time())

    async def run(self) -> None:
        """Take note again and again, so that each slot gets what belongs to it; waits for time alone."""
        while True:
            self.note()
            await trio.sleep(STEP)
