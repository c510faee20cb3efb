"""Spans wait for company, then for the receiver; never a request for them."""

# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
import trio.testing
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Tracer

from pipeline.telemetry.otlp.span_queue import DELAY, LAST_POSTS, ROOM, SPANS_A_POST, SpanQueue
from tests.support.otlp import Receiver


@attrs.define
class Running:
    """A queue at work."""

    queue: SpanQueue
    tracer: Tracer
    lost: list[int]
    nursery: trio.Nursery

    def end(self, count: int) -> None:
        """End so many spans."""
        for number in range(count):
            self.tracer.start_span(str(number)).end()


@asynccontextmanager
async def running(receiver: Receiver, room: int = ROOM) -> AsyncIterator[Running]:
    """Run a queue that posts to a receiver."""
    lost: list[int] = []
    queue = SpanQueue(receiver.post(), lost.append, room)
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    provider.add_span_processor(queue)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        await trio.testing.wait_all_tasks_blocked()
        yield Running(queue, provider.get_tracer("tests"), lost, nursery)
        nursery.cancel_scope.cancel()


async def test_a_batch_goes_at_once_and_the_rest_soon(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing is asked of the receiver while there is nothing to say."""
    receiver = Receiver()
    async with running(receiver) as at_work:
        await trio.sleep(100 * DELAY)
        assert not receiver.posts
        at_work.end(SPANS_A_POST)
        await trio.sleep(0.1)
        assert len(receiver.spans()) == SPANS_A_POST
        at_work.end(3)
        await trio.sleep(0.1)
        assert len(receiver.posts) == 1
        await trio.sleep(DELAY)
        assert [len(receiver.posts), len(receiver.spans())] == [2, SPANS_A_POST + 3]
    assert [span.name for span in receiver.spans()[SPANS_A_POST:]] == ["0", "1", "2"]
    assert at_work.lost == []


async def test_what_finds_no_room_is_counted(autojump_clock: trio.testing.MockClock) -> None:
    """While a receiver sleeps, spans wait up to the bound, and nobody waits for them."""
    receiver = Receiver(slow=5.0)
    async with running(receiver, room=10) as at_work:
        at_work.end(10)
        await trio.sleep(DELAY + 0.1)  # these are on their way
        at_work.end(15)
        assert len(at_work.queue) == 10
        assert at_work.lost == [1] * 5


async def test_a_receiver_that_takes_none(autojump_clock: trio.testing.MockClock) -> None:
    """What it refuses is lost, and counted."""
    async with running(Receiver(400)) as at_work:
        at_work.end(7)
        await trio.sleep(2 * DELAY)
        assert at_work.lost == [7]


async def test_at_the_end_all_is_posted() -> None:
    """What had not left yet, and what was on its way."""
    receiver = Receiver()
    async with running(receiver) as at_work:
        at_work.end(SPANS_A_POST + 5)
    assert len(receiver.spans()) == SPANS_A_POST + 5
    assert at_work.lost == []


async def test_the_end_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    """A receiver that has gone costs a few seconds at most, and what it did not take is counted."""
    receiver = Receiver(slow=1000.0)
    async with running(receiver) as at_work:
        at_work.end(SPANS_A_POST + 5)
        await trio.sleep(DELAY)
        began = autojump_clock.current_time()
    assert autojump_clock.current_time() - began == LAST_POSTS
    assert sum(at_work.lost) == SPANS_A_POST + 5
