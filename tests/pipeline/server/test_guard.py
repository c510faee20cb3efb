"""What a connection raises ends that connection, is noted by kind and place, and nothing else."""

from __future__ import annotations

import socket
from typing import Any

import attrs
import pytest
import trio
from structlog.testing import CapturingLogger

from pipeline.server.guard import Guard


@attrs.define
class Struck:
    """A connection that something strikes."""

    error: BaseException | None
    aborted: int = 0

    async def run(self) -> None:
        """Be struck."""
        await trio.lowlevel.checkpoint()
        if self.error is not None:
            raise self.error

    def rest_no_longer(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


def _guard() -> tuple[Guard, CapturingLogger]:
    log = CapturingLogger()
    return Guard(log), log


@pytest.mark.parametrize(
    "error",
    [
        KeyError("secret"),
        ExceptionGroup("secret", [ValueError("secret"), KeyError("secret")]),
        BaseExceptionGroup("secret", [ValueError("secret")]),
    ],
    ids=["one", "several", "in a nursery's group"],
)
async def test_an_exception_ends_its_connection_alone(error: BaseException) -> None:
    """Its words, which may quote a client, are not noted."""
    guard, log = _guard()
    connection = Struck(error)
    await guard.run(connection)

    (said,) = log.calls
    assert (said.method_name, said.kwargs["count"], guard.faults) == ("error", 1, 1)
    assert "secret" not in repr(said)
    assert connection.aborted


async def test_a_connection_that_ends_well_is_closed_too() -> None:
    """And there is nothing to note."""
    guard, log = _guard()
    connection = Struck(None)
    await guard.run(connection)

    assert (log.calls, guard.faults, connection.aborted) == ([], 0, 1)


@pytest.mark.parametrize("beside", [[], [KeyError("secret")]], ids=["alone", "beside a fault"])
async def test_what_ends_the_program_passes(beside: list[Exception]) -> None:
    """Also out of a group, where the rest is noted; the connection is closed all the same."""
    guard, log = _guard()
    connection = Struck(BaseExceptionGroup("", [KeyboardInterrupt(), *beside]))
    with pytest.raises(BaseExceptionGroup) as raised:
        await guard.run(connection)

    assert [type(error) for error in raised.value.exceptions] == [KeyboardInterrupt]
    assert len(log.calls) == len(beside)
    assert connection.aborted


async def test_cancellation_is_no_fault() -> None:
    """A server that ends cancels its connections."""
    guard, log = _guard()
    with trio.CancelScope() as scope:
        scope.cancel()
        await guard.run(Struck(None))

    assert scope.cancelled_caught
    assert log.calls == []


@pytest.mark.parametrize(("error", "noted"), [(OSError(), 0), (ValueError(), 0), (KeyError(), 1)])
def test_a_connection_that_cannot_be_made(error: Exception, noted: int) -> None:
    """Its socket is closed; a client that has left already is no fault."""
    guard, log = _guard()
    ours, theirs = socket.socketpair()

    def maker(_: socket.socket) -> Any:
        raise error

    with theirs:
        assert guard.make(maker, ours) is None
        assert ours.fileno() < 0
    assert len(log.calls) == guard.faults == noted
