"""The task that writes all paced streams."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from pipeline.bench.pacer import Pacer
from tests.pipeline.bench.peers import pair


async def test_pieces_leave_one_by_one_at_their_rate(autojump_clock: trio.testing.MockClock) -> None:
    """Ten a second: the first at once, the last after 0.9 s, the end noticed when the next would have been due."""
    pacer = Pacer()
    with pair() as (one, two):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pacer.run)
            began = autojump_clock.current_time()
            assert await pacer.play(one, iter([b"%d" % number for number in range(10)]), 10)
            took = autojump_clock.current_time() - began
            nursery.cancel_scope.cancel()

        assert two.recv(100) == b"0123456789"
    assert took == pytest.approx(1.0)


async def test_a_full_socket_loses_nothing() -> None:
    """What had no room is offered again until it has, and what follows waits for it."""
    pacer, piece, received = Pacer(), b"x" * 300_000, bytearray()
    with pair() as (one, two):

        async def read_late() -> None:
            await trio.sleep(0.3)
            while len(received) < 3 * len(piece):
                await trio.lowlevel.wait_readable(two)
                received.extend(two.recv(100_000))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pacer.run)
            nursery.start_soon(read_late)
            assert await pacer.play(one, iter([piece] * 3), 100)
            with trio.fail_after(60):
                while len(received) < 3 * len(piece):  # noqa: ASYNC110 - the kernel hands it over when it likes
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    assert len(received) == 3 * len(piece)


async def test_a_reader_who_leaves_ends_its_stream() -> None:
    """The others go on."""
    pacer = Pacer()
    with pair() as (gone, other), pair() as (one, two):
        other.close()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pacer.run)
            assert not await pacer.play(gone, iter([b"a"] * 5), 10)
            assert await pacer.play(one, iter([b"b"] * 5), 10)
            nursery.cancel_scope.cancel()

        assert two.recv(100) == b"bbbbb"
