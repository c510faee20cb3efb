"""Turns: at once where few come, in rounds where many do, in order, and cancelled without a trace."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing

from pipeline.endpoints.application import application
from pipeline.request.turns import MOST_BETWEEN, READS, SHARE, Turns
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text


async def test_a_few_do_not_wait() -> None:
    """A round that has room is no checkpoint."""
    turns = Turns(round=3)
    for _ in range(3):
        with trio.testing.assert_no_checkpoints():
            await turns.take()
    with trio.testing.assert_checkpoints():
        await turns.take()


async def test_a_crowd() -> None:
    """Everybody has his turn, in order, and others are looked after between two rounds."""
    turns, taken, looks = Turns(round=3), list[int](), 0

    async def come(who: int) -> None:
        await turns.take()
        taken.append(who)

    async with trio.open_nursery() as nursery:
        for who in range(20):
            nursery.start_soon(come, who)
            await trio.lowlevel.checkpoint()
        while len(taken) < 20:
            looks += 1
            await trio.lowlevel.checkpoint()

    assert sorted(taken) == list(range(20))
    # Within a round the scheduler chooses.
    assert all(abs(place - who) < 3 for place, who in enumerate(taken))
    assert looks


async def test_who_leaves_takes_no_turn() -> None:
    """A wait that is cancelled holds up nobody."""
    turns = Turns(round=1)
    await turns.take()
    with trio.CancelScope() as scope:
        scope.cancel()
        await turns.take()
    with trio.fail_after(5):
        await turns.take()
        await turns.take()
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("held", "between"),
    [(3 * READS // SHARE + 1, 4), (2 * READS * MOST_BETWEEN // SHARE, MOST_BETWEEN)],
    ids=["a few", "very many"],
)
async def test_streams_give_way_and_are_not_forgotten(held: int, between: int) -> None:
    """While requests wait, streams are read between them: by what they cost, and soon enough where they are very many.

    Args:
        held: streams that wait.
        between: requests before their turn.
    """
    turns, order = Turns(round=1), list[str]()

    async def request() -> None:
        await turns.take()
        order.append("request")

    async def stream() -> None:
        while not turns.crowded:
            await trio.lowlevel.checkpoint()
        await turns.give_way()
        order.append("stream")

    async with trio.open_nursery() as nursery:
        for _ in range(held):
            nursery.start_soon(stream)
        for _ in range(between + 4):
            nursery.start_soon(request)

    assert order.count("stream") == held
    assert "request" in order[order.index("stream") :], "streams do not wait for the end of the crowd"
    first = order[: order.index("stream")].count("request")
    assert between - 1 <= first <= between + 1, "requests come first"


async def test_a_stream_that_gave_way_goes_on_when_the_crowd_has_left() -> None:
    """Also where the crowd has gone without taking its turns."""
    turns = Turns(round=1)
    await turns.take()
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery, trio.open_nursery() as crowd:
            for _ in range(50):
                crowd.start_soon(turns.take)
            while not turns.crowded:
                await trio.lowlevel.checkpoint()
            crowd.cancel_scope.cancel()
            nursery.start_soon(turns.give_way)
    assert not turns.crowded
    with trio.testing.assert_no_checkpoints():
        await turns.give_way()


USAGE = {"input_tokens": 7, "output_tokens": 2}
"""What an end tells; without it, what comes behind the end is looked at as well, in a read of its own."""


async def test_an_answer_gives_way_once_something_was_read_of_it() -> None:
    """Its first events are what the client waits for; from then on each read comes after those who have nothing yet."""

    class Crowded(Turns):
        ways: int = 0

        async def give_way(self) -> None:
            self.ways += 1

    for crowded, ways in ((False, 0), (True, 2)):
        turns = Crowded()
        turns.crowded = crowded
        upstream = ScriptedUpstream(Script([CREATED, text("hi"), text("ho"), completed(usage=USAGE)]))
        context = attrs.evolve(context_of(upstream), turns=turns)
        await MemoryClient(application(context)).messages(REQUEST)
        assert turns.ways == ways
