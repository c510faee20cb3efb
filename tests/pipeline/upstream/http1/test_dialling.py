"""How connections are made, over real sockets."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import attrs
import pytest
import trio

from pipeline.upstream.http1.dialling import dial
from tests.support.waiting import TIMEOUT


@attrs.define(eq=False)
class Steps(trio.abc.Instrument):
    """Counts steps of the scheduler."""

    count: int = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - any task counts
        """Count one."""
        self.count += 1


def listening(family: socket.AddressFamily, host: str) -> socket.socket:
    """A socket that listens at an address of this machine."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen()
    return listener


@pytest.fixture
def port() -> Iterator[int]:
    """A port of 127.0.0.1 on which somebody listens."""
    with listening(socket.AF_INET, "127.0.0.1") as listener:
        yield listener.getsockname()[1]


async def test_an_address_has_no_rivals(port: int) -> None:
    """One step, the one after the wait: there is nothing to resolve, and nobody to race with."""
    counted = Steps()
    trio.lowlevel.add_instrument(counted)
    with trio.fail_after(TIMEOUT):
        stream = await dial("127.0.0.1", port)
    trio.lowlevel.remove_instrument(counted)

    assert stream.socket.getpeername() == ("127.0.0.1", port)
    assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert counted.count == 1
    await stream.aclose()


async def test_a_name_is_resolved(port: int) -> None:
    """`localhost` may be two addresses, of which the first may be nobody's."""
    with trio.fail_after(TIMEOUT):
        stream = await dial("localhost", port)
    assert stream.socket.getpeername()[1] == port
    await stream.aclose()


async def test_an_address_of_the_newer_kind() -> None:
    """`::1` comes from a URL without its brackets."""
    try:
        listener = listening(socket.AF_INET6, "::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener, trio.fail_after(TIMEOUT):
        stream = await dial("::1", listener.getsockname()[1])
        await stream.aclose()


async def test_nobody_listens() -> None:
    """The system's own error, which says why; and no socket is left open (a warning would fail the test)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound, trio.fail_after(TIMEOUT):
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at
            await dial("127.0.0.1", bound.getsockname()[1])
    assert caught.value.errno == errno.ECONNREFUSED


async def test_cancelled_it_leaves_nothing_open(port: int) -> None:
    """Also where the connection was about to be there (a socket left open would be a warning, and fail the test)."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await dial("127.0.0.1", port)
    assert scope.cancelled_caught
