"""The timers of a request: commit point, keep-alive pings, empty deltas for progress, and deadlines, from one task.

A cancel scope around every read would cost more than the translation of what was read.  So those who read and write
only note the time, and this task looks at the notes when the next thing may be due.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import trio

from pipeline.settings import Timing
from stages.canonical.failure import Failure, Kind

BUSY_WRITER_DELAY = 1.0
"""Seconds until a writer that was busy is looked at again."""

_SILENT = Failure(Kind.TIMEOUT, "The upstream has been silent for too long.", cause="silence")
_LONG = Failure(Kind.TIMEOUT, "The request took longer than the limit for a whole request.", cause="total")


@attrs.define
class Timers:
    """The notes of one request, and what is to happen when they grow old.  Times are trio's, in seconds.

    Attributes:
        timing: how long things may take.
        began: when the request began.
        last_write: when anything was last written to the client; infinity before the commit point.
        last_content: when content was last written, pings not counted.
        healthy: set once the upstream has answered well; nothing becomes due earlier after that.
        over: set once the upstream's body has been read to its end.
        answered_at: when that was; infinity before.
        last_read: asked for when the upstream was last heard.
    """

    timing: Timing
    began: float
    last_write: float = math.inf
    last_content: float = math.inf
    healthy: trio.Event = attrs.field(factory=trio.Event)
    over: trio.Event = attrs.field(factory=trio.Event)
    answered_at: float = math.inf
    last_read: Callable[[], float] = lambda: math.inf

    def answered(self, last_read: Callable[[], float]) -> None:
        """Note that the upstream has answered well, and where to ask when it was last heard."""
        self.answered_at = trio.current_time()
        self.last_read = last_read
        self.healthy.set()

    def written(self, *, content: bool) -> None:
        """Note that something has just been written to the client."""
        self.last_write = trio.current_time()
        if content or self.last_content == math.inf:
            self.last_content = self.last_write

    def due(self) -> float:
        """When the next thing may have to happen."""
        timing = self.timing
        commit = self.answered_at + timing.commit_after if self.last_write == math.inf else math.inf
        return min(
            commit,
            self.last_write + timing.ping_after,
            self.last_read() + timing.silence,
            self.began + timing.total,
        )

    def overdue(self, now: float) -> Failure | None:
        """The deadline that has passed, if one has."""
        if now >= self.began + self.timing.total:
            return _LONG
        return _SILENT if now >= self.last_read() + self.timing.silence else None

    def sign_of_life_due(self, now: float) -> bool:
        """Whether the client has waited long enough for a sign of life."""
        commit = self.last_write == math.inf and now >= self.answered_at + self.timing.commit_after
        return commit or now >= self.last_write + self.timing.ping_after

    def progress_due(self, now: float) -> bool:
        """Whether the client has waited so long for content that pings may not hold it any more."""
        return now >= self.last_content + self.timing.nudge_after


async def watch_timers(timers: Timers, wake: Callable[[Failure | None], bool]) -> None:
    """Watch the clock for one request, until cancelled; it holds nothing that could be lost.

    Waits until the upstream has answered well, since nothing but the limit of the whole request is due before, then
    from one due time to the next.

    Args:
        timers: the request's notes.
        wake: called when the client needs a sign of life (with None) or a deadline has passed (with the failure); it
            answers whether the writer was waiting for the upstream. If it was not, the client is the slow one, and
            nobody is late.
    """
    with trio.move_on_at(timers.began + timers.timing.total):
        await timers.healthy.wait()
    while True:
        await trio.sleep_until(timers.due())
        now = trio.current_time()
        failure = timers.overdue(now)
        if (failure is not None or timers.sign_of_life_due(now)) and not wake(failure):
            await trio.sleep(BUSY_WRITER_DELAY)
