"""The clock of one request: what is due when, and who is woken for it."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import math

import attrs
import pytest
import trio
import trio.testing

from pipeline.request.timers import BUSY_WRITER_DELAY, Timers, watch_timers
from pipeline.settings import Timing
from stages.canonical.failure import Failure, Kind

TIMING = Timing(commit_after=5.0, ping_after=10.0, nudge_after=120.0, silence=300.0, total=3600.0)


@attrs.define
class Writer:
    """Whoever reads the upstream and writes to the client, reduced to what the clock sees of it.

    Attributes:
        timers: where it notes its writes.
        idle: whether it waits for the upstream.
        woken: when it was woken, and for what.
    """

    timers: Timers
    idle: bool = True
    woken: list[tuple[float, Failure | None]] = attrs.field(factory=list)

    def wake(self, failure: Failure | None) -> bool:
        """Write at once, if it is not busy; after a failure it never waits again."""
        idle = self.idle
        if idle:
            self.woken.append((trio.current_time(), failure))
            self.timers.written(content=False)
            self.idle = failure is None
        return idle


def _pulse(*, healthy: bool = True, last_read: float = math.inf, timing: Timing = TIMING) -> Timers:
    """Start a request now; `last_read` is when its upstream was last heard, infinity if that must not matter."""
    timers = Timers(timing, trio.current_time())
    if healthy:
        timers.answered(lambda: last_read)
    return timers


async def _watched(timers: Timers, writer: Writer, seconds: float) -> list[tuple[float, Failure | None]]:
    """Let time pass for a request; return when its writer was woken, counted from now, and for what."""
    began = trio.current_time()
    with trio.move_on_after(seconds):
        await watch_timers(timers, writer.wake)
    return [(when - began, failure) for when, failure in writer.woken]


async def test_a_healthy_upstream_is_committed_to(autojump_clock: trio.testing.MockClock) -> None:
    """The first wake comes when a well begun answer has said nothing for `commit_after` seconds."""
    timers = _pulse()

    assert await _watched(timers, Writer(timers), 9) == [(5.0, None)]


async def test_an_upstream_that_has_not_answered_is_not(autojump_clock: trio.testing.MockClock) -> None:
    """Before the upstream's status is known nothing can be promised, however long it takes."""
    timers = _pulse(healthy=False)

    assert await _watched(timers, Writer(timers), 3599) == []


async def test_pings_keep_their_distance(autojump_clock: trio.testing.MockClock) -> None:
    """After the commit point the writer is woken every `ping_after` seconds of silence."""
    timers = _pulse()

    woken = await _watched(timers, Writer(timers), 46)

    assert [when for when, _ in woken] == [5, 15, 25, 35, 45]


async def test_a_write_postpones_the_ping(autojump_clock: trio.testing.MockClock) -> None:
    """The distance is counted from the last write, whoever made it."""
    timers = _pulse()
    writer = Writer(timers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_timers, timers, writer.wake)
        await trio.sleep(3)
        timers.written(content=True)
        await trio.sleep(9)
        timers.written(content=True)
        await trio.sleep(9)
        nursery.cancel_scope.cancel()

    assert writer.woken == []


async def test_silence_has_an_end(autojump_clock: trio.testing.MockClock) -> None:
    """An upstream that has not been heard for `silence` seconds fails, pings or not."""
    timers = _pulse(last_read=trio.current_time() + 20)

    woken = await _watched(timers, Writer(timers), 1000)

    when, failure = woken[-1]
    assert when == 320
    assert failure is not None
    assert (failure.kind, failure.cause) == (Kind.TIMEOUT, "silence")
    assert all(earlier is None for _, earlier in woken[:-1])


@pytest.mark.parametrize("healthy", [False, True])
async def test_a_request_has_an_end(autojump_clock: trio.testing.MockClock, *, healthy: bool) -> None:
    """A request is over after `total` seconds, whether its upstream has answered yet or not."""
    timers = _pulse(healthy=healthy)

    when, failure = (await _watched(timers, Writer(timers), 4000))[-1]

    assert when == 3600
    assert failure is not None
    assert (failure.kind, failure.cause) == (Kind.TIMEOUT, "total")


async def test_a_busy_writer_is_asked_again(autojump_clock: trio.testing.MockClock) -> None:
    """While the client is the slow one nobody is late; once it has read, the next look is a moment away."""
    timers = _pulse()
    writer = Writer(timers, idle=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_timers, timers, writer.wake)
        await trio.sleep(400.5)
        writer.idle = True
        await trio.sleep(BUSY_WRITER_DELAY)
        nursery.cancel_scope.cancel()

    assert len(writer.woken) == 1
    assert writer.woken[0][1] is None


async def test_starving_counts_from_content_alone(autojump_clock: trio.testing.MockClock) -> None:
    """Pings do not feed a client: what makes it starve is time without content."""
    timers = _pulse()
    timers.written(content=True)
    began = trio.current_time()
    for _ in range(11):
        await trio.sleep(10)
        timers.written(content=False)

    assert not timers.progress_due(began + 119.9)
    assert timers.progress_due(began + 120)


async def test_the_first_write_counts_as_content(autojump_clock: trio.testing.MockClock) -> None:
    """A message that began with a sign of life starves from there on, not at once."""
    timers = _pulse()
    await trio.sleep(50)
    timers.written(content=False)

    assert not timers.progress_due(trio.current_time() + 119)
    assert timers.progress_due(trio.current_time() + 120)


async def test_nothing_is_due_at_a_time_that_passes_quietly(autojump_clock: trio.testing.MockClock) -> None:
    """`due` names the moment from which `sign_of_life_due` or `overdue` answer, never one at which neither does."""
    for begun in (False, True):
        timers = _pulse(last_read=trio.current_time())
        if begun:
            timers.written(content=True)
        due = timers.due()

        assert timers.sign_of_life_due(due) or timers.overdue(due)
        assert not timers.sign_of_life_due(due - 0.001)
        assert timers.overdue(due - 0.001) is None
