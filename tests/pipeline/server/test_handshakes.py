"""Handshakes that never end, or come by drops: over real pairs of sockets, with a clock that jumps."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypercorn.config import Config

from pipeline.server.connection import Terms
from pipeline.server.guard import Guard
from pipeline.server.handshakes import MOST_HANDSHAKES, Handshakes
from pipeline.server.hypercorn_connection import HypercornConnections, PatientStream
from pipeline.telemetry.logs import make_logger
from tests.support.certificates import Certified, certified

PATIENCE = 9.0
DROP = 1.0
"""Seconds between two bytes of a client that is in no hurry."""


@pytest.fixture
def issued(tmp_path: Path) -> Certified:
    """A certificate."""
    return certified(tmp_path)


def _secured(issued: Certified) -> tuple[trio.SSLStream[PatientStream], trio.SocketStream]:
    """The server's end of a connection, with TLS, and the client's, without."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)  # noqa: FBT003 - the socket's own way
    ours, theirs = map(trio.socket.from_stdlib_socket, ends)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.files["certfile"], issued.files["keyfile"])
    return trio.SSLStream(PatientStream(ours, 60), tls, server_side=True), trio.SocketStream(theirs)


async def _greet(client: trio.SocketStream, issued: Certified, pause: float = 0.0) -> None:
    """Say what a client says first, byte by byte if there is a pause between two."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        issued.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    hello = outgoing.read()
    for byte in hello if pause else ():
        await client.send_all(bytes([byte]))
        await trio.sleep(pause)


@pytest.mark.parametrize("pause", [0.0, DROP])
async def test_one_that_does_not_end(pause: float, issued: Certified, autojump_clock: trio.testing.MockClock) -> None:
    """Silent or by drops, it has the same time in all."""
    shaking = Handshakes()
    stream, client = _secured(issued)
    async with client, stream.transport_stream, trio.open_nursery() as nursery:
        nursery.start_soon(_greet, client, issued, pause)
        assert not await shaking.shake(stream, PATIENCE)
        nursery.cancel_scope.cancel()
    assert autojump_clock.current_time() == PATIENCE
    assert not len(shaking)


async def test_the_oldest_gives_way(issued: Certified, autojump_clock: trio.testing.MockClock) -> None:
    """Where too many are under way a new client is not refused: it is done before it is the oldest."""
    shaking, ended = Handshakes(most=3), list[int]()

    async def silent(number: int) -> None:
        stream, client = _secured(issued)
        async with client, stream.transport_stream:
            assert not await shaking.shake(stream, PATIENCE)
            ended.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(silent, number)
            await trio.testing.wait_all_tasks_blocked()
            assert len(shaking) <= 3
        assert ended == [0, 1]
        stream, client = _secured(issued)
        meant = trio.SSLStream(client, issued.client_context(), server_hostname="localhost")
        async with client, stream.transport_stream:
            nursery.start_soon(meant.do_handshake)
            assert await shaking.shake(stream, PATIENCE)
        assert autojump_clock.current_time() == 0
    assert autojump_clock.current_time() == PATIENCE
    assert not len(shaking)


async def test_a_server_counts_its_own(autojump_clock: trio.testing.MockClock) -> None:
    """Each connection with TLS is one of them until it has begun, and the last of a few that never begin is left."""
    config, tls = Config(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    config.ssl_handshake_timeout = PATIENCE
    held = HypercornConnections(_nobody, config, Terms(), {}, tls)
    async with trio.open_nursery() as nursery:
        clients = []
        for _ in range(MOST_HANDSHAKES + 2):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)  # noqa: FBT003 - the socket's own way
            nursery.start_soon(Guard(make_logger("json", "error")).run, held.make(ours))
            clients.append(theirs)
        await trio.testing.wait_all_tasks_blocked()
        assert len(held.handshakes) == MOST_HANDSHAKES
        assert autojump_clock.current_time() == 0
        for client in clients:
            client.close()
    assert not len(held.handshakes)


async def _nobody(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("nobody has asked")


async def test_a_client_that_leaves(issued: Certified) -> None:
    """Or says what is no TLS: that is no exception, but the end of the connection."""
    shaking = Handshakes()
    for said in (b"", b"GET / HTTP/1.1\r\n\r\n"):
        stream, client = _secured(issued)
        async with stream.transport_stream:
            await client.send_all(said)
            await client.aclose()
            assert not await shaking.shake(stream, PATIENCE)
    assert not len(shaking)
