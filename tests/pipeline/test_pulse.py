"""The clock of one request: what is due when, and who is woken for it."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import math

import attrs
import pytest
import trio
import trio.testing

from pipeline.config import Timing
from pipeline.pulse import PATIENCE, Pulse, keep_time
from stages.canonical.failure import Failure, Kind

TIMING = Timing(commit_after=5.0, ping_after=10.0, nudge_after=120.0, silence=300.0, total=3600.0)


@attrs.define
class Writer:
    """Whoever reads the upstream and writes to the client, reduced to what the clock sees of it.

    Attributes:
        pulse: where it notes its writes.
        idle: whether it waits for the upstream.
        woken: when it was woken, and for what.
    """

    pulse: Pulse
    idle: bool = True
    woken: list[tuple[float, Failure | None]] = attrs.field(factory=list)

    def wake(self, failure: Failure | None) -> bool:
        """Write at once, if it is not busy; after a failure it never waits again."""
        idle = self.idle
        if idle:
            self.woken.append((trio.current_time(), failure))
            self.pulse.written(content=False)
            self.idle = failure is None
        return idle


def _pulse(*, healthy: bool = True, last_read: float = math.inf, timing: Timing = TIMING) -> Pulse:
    """Start a request now; `last_read` is when its upstream was last heard, infinity if that must not matter."""
    pulse = Pulse(timing, trio.current_time())
    if healthy:
        pulse.answered(lambda: last_read)
    return pulse


async def _watched(pulse: Pulse, writer: Writer, seconds: float) -> list[tuple[float, Failure | None]]:
    """Let time pass for a request; return when its writer was woken, counted from now, and for what."""
    began = trio.current_time()
    with trio.move_on_after(seconds):
        await keep_time(pulse, writer.wake)
    return [(when - began, failure) for when, failure in writer.woken]


async def test_a_healthy_upstream_is_committed_to(autojump_clock: trio.testing.MockClock) -> None:
    """The first wake comes when a well begun answer has said nothing for `commit_after` seconds."""
    pulse = _pulse()

    assert await _watched(pulse, Writer(pulse), 9) == [(5.0, None)]


async def test_an_upstream_that_has_not_answered_is_not(autojump_clock: trio.testing.MockClock) -> None:
    """Before the upstream's status is known nothing can be promised, however long it takes."""
    pulse = _pulse(healthy=False)

    assert await _watched(pulse, Writer(pulse), 3599) == []


async def test_pings_keep_their_distance(autojump_clock: trio.testing.MockClock) -> None:
    """After the commit point the writer is woken every `ping_after` seconds of silence."""
    pulse = _pulse()

    woken = await _watched(pulse, Writer(pulse), 46)

    assert [when for when, _ in woken] == [5, 15, 25, 35, 45]


async def test_a_write_postpones_the_ping(autojump_clock: trio.testing.MockClock) -> None:
    """The distance is counted from the last write, whoever made it."""
    pulse = _pulse()
    writer = Writer(pulse)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_time, pulse, writer.wake)
        await trio.sleep(3)
        pulse.written(content=True)
        await trio.sleep(9)
        pulse.written(content=True)
        await trio.sleep(9)
        nursery.cancel_scope.cancel()

    assert writer.woken == []


async def test_silence_has_an_end(autojump_clock: trio.testing.MockClock) -> None:
    """An upstream that has not been heard for `silence` seconds fails, pings or not."""
    pulse = _pulse(last_read=trio.current_time() + 20)

    woken = await _watched(pulse, Writer(pulse), 1000)

    when, failure = woken[-1]
    assert when == 320
    assert failure is not None
    assert (failure.kind, failure.cause) == (Kind.TIMEOUT, "silence")
    assert all(earlier is None for _, earlier in woken[:-1])


@pytest.mark.parametrize("healthy", [False, True])
async def test_a_request_has_an_end(autojump_clock: trio.testing.MockClock, *, healthy: bool) -> None:
    """A request is over after `total` seconds, whether its upstream has answered yet or not."""
    pulse = _pulse(healthy=healthy)

    when, failure = (await _watched(pulse, Writer(pulse), 4000))[-1]

    assert when == 3600
    assert failure is not None
    assert (failure.kind, failure.cause) == (Kind.TIMEOUT, "total")


async def test_a_busy_writer_is_asked_again(autojump_clock: trio.testing.MockClock) -> None:
    """While the client is the slow one nobody is late; once it has read, the next look is a moment away."""
    pulse = _pulse()
    writer = Writer(pulse, idle=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_time, pulse, writer.wake)
        await trio.sleep(400.5)
        writer.idle = True
        await trio.sleep(PATIENCE)
        nursery.cancel_scope.cancel()

    assert len(writer.woken) == 1
    assert writer.woken[0][1] is None


async def test_starving_counts_from_content_alone(autojump_clock: trio.testing.MockClock) -> None:
    """Pings do not feed a client: what makes it starve is time without content."""
    pulse = _pulse()
    pulse.written(content=True)
    began = trio.current_time()
    for _ in range(11):
        await trio.sleep(10)
        pulse.written(content=False)

    assert not pulse.starving(began + 119.9)
    assert pulse.starving(began + 120)


async def test_the_first_write_counts_as_content(autojump_clock: trio.testing.MockClock) -> None:
    """A message that began with a sign of life starves from there on, not at once."""
    pulse = _pulse()
    await trio.sleep(50)
    pulse.written(content=False)

    assert not pulse.starving(trio.current_time() + 119)
    assert pulse.starving(trio.current_time() + 120)


async def test_nothing_is_due_at_a_time_that_passes_quietly(autojump_clock: trio.testing.MockClock) -> None:
    """`due` names the moment from which `silent` or `overdue` answer, never one at which neither does."""
    for begun in (False, True):
        pulse = _pulse(last_read=trio.current_time())
        if begun:
            pulse.written(content=True)
        due = pulse.due()

        assert pulse.silent(due) or pulse.overdue(due)
        assert not pulse.silent(due - 0.001)
        assert pulse.overdue(due - 0.001) is None
