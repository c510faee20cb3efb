"""Transducers and the task that runs them: order, batches, endings and cancellation."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import attrs
import pytest
import trio
import trio.testing

from stages.actor import Batch, LargeBatch, act, beside, step
from stages.canonical.failure import Failure, Kind

BROKEN = Failure(Kind.UPSTREAM, "Broken.")


@attrs.define
class Doubler:
    """Says each number twice, says nothing for zero, and at the end says how many came."""

    seen: int = 0

    def feed(self, event: int) -> Iterator[int]:
        """Take a number."""
        self.seen += 1
        if event:
            yield event
            yield event

    def finish(self) -> Iterator[int]:
        """Say how many numbers came, if any did."""
        if self.seen:
            yield self.seen


def test_a_batch_is_fed_in_order() -> None:
    """All that follows from a batch is one batch; failures keep their place and are not fed."""
    stage = Doubler()

    assert step(stage, (1, BROKEN, 0, 2)) == (1, 1, BROKEN, 2, 2)
    assert stage.seen == 3


def test_an_empty_result_is_an_empty_batch() -> None:
    """A stage may have nothing to say."""
    assert step(Doubler(), (0,)) == ()


async def _run(*batches: Batch[int], capacity: float = 10) -> list[Batch[int]]:
    to_stage, inbox = trio.open_memory_channel[Batch[int]](capacity)
    outbox, from_stage = trio.open_memory_channel[Batch[int]](capacity)
    got: list[Batch[int]] = []

    async def collect() -> None:
        got.extend([batch async for batch in from_stage])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(act, Doubler(), inbox, outbox)
        nursery.start_soon(collect)
        with to_stage:
            for batch in batches:
                await to_stage.send(batch)
    return got


@pytest.mark.parametrize("capacity", [0, 1, 10])
async def test_an_actor_sends_one_batch_for_one(capacity: float) -> None:
    """Batches stay together, empty ones are not sent, and the end says what was held back."""
    assert await _run((1, 2), (0,), (BROKEN, 3), capacity=capacity) == [(1, 1, 2, 2), (BROKEN, 3, 3), (4,)]


async def test_an_actor_without_input_sends_nothing() -> None:
    """The outbox is closed all the same."""
    assert await _run() == []


@pytest.mark.parametrize("batches", [[(1,)], []])
async def test_a_reader_that_has_left_ends_the_actor_quietly(batches: list[Batch[int]]) -> None:
    """Closing the outbox means "do not bother", in the middle as at the end."""
    to_stage, inbox = trio.open_memory_channel[Batch[int]](10)
    outbox, from_stage = trio.open_memory_channel[Batch[int]](10)
    from_stage.close()
    for batch in batches:
        to_stage.send_nowait(batch)
    to_stage.close()

    await act(Doubler(seen=1), inbox, outbox)


async def test_a_bug_closes_the_outbox_and_leaves() -> None:
    """An exception is not swallowed, and whoever reads is not left waiting."""

    class Bug(Exception):
        pass

    class Buggy(Doubler):
        def feed(self, event: int) -> Iterator[int]:
            raise Bug(event)

    to_stage, inbox = trio.open_memory_channel[Batch[int]](1)
    outbox, from_stage = trio.open_memory_channel[Batch[int]](1)
    to_stage.send_nowait((1,))
    with pytest.raises(Bug):
        await act(Buggy(), inbox, outbox)

    with pytest.raises(trio.EndOfChannel):
        from_stage.receive_nowait()


async def test_a_cancelled_actor_closes_its_outbox() -> None:
    """Nothing survives cancelling, wherever the actor waits."""
    _to_stage, inbox = trio.open_memory_channel[Batch[int]](0)
    outbox, from_stage = trio.open_memory_channel[Batch[int]](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(act, Doubler(), inbox, outbox)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    with pytest.raises(trio.EndOfChannel):
        from_stage.receive_nowait()


async def test_a_large_batch_is_worked_out_beside_the_loop() -> None:
    """What follows from it leaves bit by bit, in the same order, and so does what was held back."""
    assert await _run(LargeBatch((1, BROKEN)), (2,), capacity=0) == [(1,), (1,), (BROKEN,), (2, 2), (2,)]


async def test_what_is_beside_is_left_by_whoever_is_cancelled() -> None:
    """The thread goes on, and nobody waits for it."""
    begun, over = trio.Event(), threading.Event()

    def work() -> None:
        trio.from_thread.run_sync(begun.set)
        over.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(beside, work)
        await begun.wait()
        nursery.cancel_scope.cancel()
    over.set()
