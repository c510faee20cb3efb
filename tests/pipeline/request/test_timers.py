"""The clock of one request: what is due when, and who is asked for it."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import math

import attrs
import pytest
import trio
import trio.testing

from pipeline.request.timers import BUSY_WRITER_DELAY, Timers, watch
from pipeline.settings import Timing
from stages.canonical.failure import Failure, Kind

STOPPED = Failure(Kind.OVERLOADED, "The server ends.", cause="shutdown")
TIMING = Timing(commit_after=5.0, ping_after=10.0, nudge_after=120.0, silence=300.0, total=3600.0)


@attrs.define
class Writer:
    """Whoever reads the upstream and writes to the client, reduced to what the clock sees of it.

    Attributes:
        timers: where it notes its writes.
        busy: whether it writes.
        asked: when it was to say something, and what.
    """

    timers: Timers
    busy: bool = False
    asked: list[tuple[float, Failure | None]] = attrs.field(factory=list)

    def sign_of_life(self) -> None:
        """Write at once."""
        self.asked.append((trio.current_time(), None))
        self.timers.written(content=False)

    def fail(self, failure: Failure) -> None:
        """Write at once, and for the last time."""
        self.asked.append((trio.current_time(), failure))
        self.busy = True


def _pulse(*, healthy: bool = True, last_read: float = math.inf, timing: Timing = TIMING) -> Timers:
    """Start a request now; `last_read` is when its upstream was last heard, infinity if that must not matter."""
    timers = Timers(timing, trio.current_time())
    if healthy:
        timers.answered(lambda: last_read)
    return timers


async def _watched(timers: Timers, writer: Writer, seconds: float) -> list[tuple[float, Failure | None]]:
    """Let time pass for a request; return when its writer was asked, counted from now, and for what."""
    began = trio.current_time()
    with trio.move_on_after(seconds):
        await watch(trio.sleep_forever, timers, writer)
    return [(when - began, failure) for when, failure in writer.asked]


async def test_a_client_that_leaves_ends_the_watch(autojump_clock: trio.testing.MockClock) -> None:
    """Whenever it does: before something was due, and after."""
    for seconds in (1.0, 7.0):
        timers = _pulse()
        began, gone = trio.current_time(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, gone.wait, timers, writer := Writer(timers))
            await trio.sleep(seconds)
            gone.set()

        assert trio.current_time() - began == seconds
        assert len(writer.asked) == (seconds > 5)


async def test_an_answer_that_comes_later_is_watched_from_then_on(autojump_clock: trio.testing.MockClock) -> None:
    """What becomes due earlier by it is not overslept; nor is the server's end."""
    timers = _pulse(healthy=False)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, trio.sleep_forever, timers, writer := Writer(timers))
        await trio.sleep(60)
        timers.answered(lambda: math.inf)
        await trio.sleep(7)
        timers.stop(STOPPED)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert writer.asked == [(began + 65, None), (began + 67, STOPPED)]


async def test_a_healthy_upstream_is_committed_to(autojump_clock: trio.testing.MockClock) -> None:
    """The first sign of life is due when a well begun answer has said nothing for `commit_after` seconds."""
    timers = _pulse()

    assert await _watched(timers, Writer(timers), 9) == [(5.0, None)]


async def test_an_upstream_that_has_not_answered_is_not(autojump_clock: trio.testing.MockClock) -> None:
    """Before the upstream's status is known nothing can be promised, however long it takes."""
    timers = _pulse(healthy=False)

    assert await _watched(timers, Writer(timers), 3599) == []


async def test_pings_keep_their_distance(autojump_clock: trio.testing.MockClock) -> None:
    """After the commit point the writer is asked every `ping_after` seconds of silence."""
    timers = _pulse()

    asked = await _watched(timers, Writer(timers), 46)

    assert [when for when, _ in asked] == [5, 15, 25, 35, 45]


async def test_a_write_postpones_the_ping(autojump_clock: trio.testing.MockClock) -> None:
    """The distance is counted from the last write, whoever made it."""
    timers = _pulse()
    writer = Writer(timers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, trio.sleep_forever, timers, writer)
        await trio.sleep(3)
        timers.written(content=True)
        await trio.sleep(9)
        timers.written(content=True)
        await trio.sleep(9)
        nursery.cancel_scope.cancel()

    assert writer.asked == []


async def test_silence_has_an_end(autojump_clock: trio.testing.MockClock) -> None:
    """An upstream that has not been heard for `silence` seconds fails, pings or not."""
    timers = _pulse(last_read=trio.current_time() + 20)

    asked = await _watched(timers, Writer(timers), 1000)

    when, failure = asked[-1]
    assert when == 320
    assert failure is not None
    assert (failure.kind, failure.cause) == (Kind.TIMEOUT, "silence")
    assert all(earlier is None for _, earlier in asked[:-1])


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
    writer = Writer(timers, busy=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, trio.sleep_forever, timers, writer)
        await trio.sleep(400.5)
        writer.busy = False
        await trio.sleep(BUSY_WRITER_DELAY)
        nursery.cancel_scope.cancel()

    assert [failure for _, failure in writer.asked] == [None]


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
