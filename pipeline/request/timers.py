"""The timers of a request: commit point, keep-alive pings, empty deltas for progress, and deadlines.

A cancel scope around every read would cost more than the translation of what was read.  So those who read and write
only note the time, and one task, which waits for the client to leave, looks at the notes when something may be due.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs
import trio

from pipeline.settings import Timing
from stages.canonical.failure import Failure, Kind

BUSY_WRITER_DELAY = 1.0
"""Seconds until a writer that was busy is looked at again."""


def nobody_heard() -> float:
    """When the upstream was last heard while nobody listens to it, so that it cannot be late."""
    return math.inf


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
        answered_at: when the upstream has answered well; infinity before.
        last_read: asked for when the upstream was last heard.
        stopped: why the server ends the request; None as long as it does not.
        look: the scope of the wait until something is due.
    """

    timing: Timing
    began: float
    last_write: float = math.inf
    last_content: float = math.inf
    answered_at: float = math.inf
    last_read: Callable[[], float] = nobody_heard
    stopped: Failure | None = None
    look: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    def answered(self, last_read: Callable[[], float]) -> None:
        """Note that the upstream has answered well, and where to ask when it was last heard."""
        self.answered_at = trio.current_time()
        self.last_read = last_read
        self.look.deadline = self.due()  # nothing becomes due earlier after this

    def stop(self, failure: Failure) -> None:
        """Note that the server ends the request, which is due at once."""
        self.stopped = failure
        self.look.deadline = -math.inf  # wakes the watch

    def written(self, *, content: bool) -> None:
        """Note that something has just been written to the client."""
        self.last_write = trio.current_time()
        if content or self.last_content == math.inf:
            self.last_content = self.last_write

    def due(self) -> float:
        """When the next thing may have to happen."""
        if self.stopped is not None:
            return -math.inf
        timing = self.timing
        commit = self.answered_at + timing.commit_after if self.last_write == math.inf else math.inf
        return min(
            commit,
            self.last_write + timing.ping_after,
            self.last_read() + timing.silence,
            self.began + timing.total,
        )

    def overdue(self, now: float) -> Failure | None:
        """Why the message must end now, if it must."""
        if self.stopped is not None:
            return self.stopped
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


class Voice(Protocol):
    """Whoever speaks to the client, as far as time is concerned."""

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        ...

    def sign_of_life(self) -> None:
        """Let the client know that somebody is there; does not wait for that."""
        ...

    def fail(self, failure: Failure) -> None:
        """End the message with a failure; does not wait for that."""
        ...


async def watch(left: Callable[[], Awaitable[None]], timers: Timers, voice: Voice) -> None:
    """Wait for the client to leave, and look after the clock meanwhile; it holds nothing that could be lost.

    Waits from one due time to the next. While the client is the slow one, nobody is late: what is due then is looked at
    again a moment later.

    Args:
        left: returns when the client has left, which ends this; can be cancelled and called again.
        timers: the request's notes.
        voice: says what is due.
    """
    look = timers.due()
    while True:
        with trio.CancelScope(deadline=look) as timers.look:
            await left()
            return
        now = trio.current_time()
        failure = timers.overdue(now)
        look = now + BUSY_WRITER_DELAY
        if failure is None and not timers.sign_of_life_due(now):
            look = timers.due()  # something was written or read meanwhile
        elif not voice.busy and failure is not None:
            voice.fail(failure)  # where the own task is faster, what is still due is looked at after the delay
        elif not voice.busy:
            timers.written(content=False)  # as good as: it will be, or something better is
            voice.sign_of_life()
            look = timers.due()
