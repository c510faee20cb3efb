"""Turns: at once where few come, in rounds where many do, in order, and cancelled without a trace."""

from __future__ import annotations

import trio
import trio.testing

from pipeline.endpoints.turns import Turns


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
