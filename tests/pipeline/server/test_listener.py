"""The accept loop on a listener that says what a test wants: how many at once, and what may go wrong."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.server.listener import ACCEPTS_AT_ONCE, accept_all


@attrs.define
class Connected:
    """A connection, as far as it is set up."""

    family: int = socket.AF_INET
    timeout: float | None = None
    options: list[tuple[int, int, int]] = attrs.field(factory=list)

    def settimeout(self, timeout: float) -> None:
        """Note it."""
        self.timeout = timeout

    def setsockopt(self, *option: int) -> None:
        """Note it."""
        self.options.append(option)  # type: ignore[arg-type] # three numbers


@attrs.define
class Listener:
    """Clients that wait, or what is wrong with them; it can be waited for like the socket that it has."""

    real: socket.socket
    waiting: list[Connected | int]

    def fileno(self) -> int:
        """Tell what is to be waited for: something is always there to be read."""
        return self.real.fileno()

    def accept(self) -> tuple[Connected, Any]:
        """Give the next one."""
        if not self.waiting:
            raise BlockingIOError
        found = self.waiting.pop(0)
        if isinstance(found, int):
            raise OSError(found, "")
        return found, None


@contextmanager
def listening(*waiting: Connected | int) -> Iterator[Any]:
    """A listener that never has to be waited for."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"a")
        yield Listener(ours, list(waiting))


async def _accept(listener: Any, turns: int) -> list[Any]:
    """Accept for so many turns of the scheduler."""
    accepted: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept_all, listener, accepted.append)
        while turns:
            turns -= 1
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    return accepted


async def test_others_have_their_turn_in_a_flood() -> None:
    """However many wait, a few are taken in each turn."""
    with listening(*(Connected() for _ in range(1_000))) as listener:
        for turns in (2, 10):
            assert 0 < len(await _accept(listener, turns)) <= turns * ACCEPTS_AT_ONCE
        assert listener.waiting


@pytest.mark.parametrize(
    ("family", "options"),
    [(socket.AF_INET, 1), (socket.AF_INET6, 1), (socket.AF_UNIX, 0)],
)
async def test_a_connection_is_set_up(family: int, options: int) -> None:
    """It never blocks, and small pieces leave at once where they go over a network."""
    with listening(one := Connected(family)) as listener:
        assert await _accept(listener, 3) == [one]
    assert one.timeout == 0
    assert one.options == [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)] * options


async def test_a_client_that_has_left_already_is_nobody() -> None:
    """The others are taken as if it had not come."""
    one, another = Connected(), Connected()
    with listening(one, errno.ECONNABORTED, errno.EPROTO, another) as listener:
        assert await _accept(listener, 3) == [one, another]


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_a_full_system_is_waited_for(error: int, autojump_clock: trio.testing.MockClock) -> None:
    """Without trying again and again; whoever waits is taken later."""
    one = Connected()
    with listening(error, error, one) as listener:
        async with trio.open_nursery() as nursery:
            accepted: list[Any] = []

            def take(connected: Any) -> None:
                accepted.append(connected)
                nursery.cancel_scope.cancel()

            nursery.start_soon(accept_all, listener, take)
    assert accepted == [one]
    assert autojump_clock.current_time() >= 0.2
