"""The socket of a client: what it takes at once, what it waits for, and that no error of the peer is an exception."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from pipeline.server.client_socket import RAREST_LOOK, ClientSocket

PATIENCE = 9.0
MUCH = bytes(2**22)
"""More than a pair of sockets holds."""


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ClientSocket, socket.socket]]:
    """The server's end and the client's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 - the standard library's
    client = ClientSocket(ours, PATIENCE)
    with theirs:
        yield client, theirs
    client.close()
    assert ours.fileno() == -1


Pair = tuple[ClientSocket, socket.socket]


async def test_both_ways(pair: Pair) -> None:
    """Bytes come and go; the end is empty, and it does not mean that the client has left."""
    client, peer = pair
    await client.send(b"hello")
    assert peer.recv(10) == b"hello"
    peer.sendall(b"abc")
    assert await client.receive() == b"abc"
    peer.shutdown(socket.SHUT_WR)
    assert await client.receive() == b""
    assert not client.gone
    client.shut()
    assert peer.recv(10) == b""


async def test_a_peer_that_has_left_is_no_error(pair: Pair) -> None:
    """It is gone from the first write that fails; nothing raises, whatever is done with it."""
    client, peer = pair
    peer.close()
    await client.send(b"hello")
    assert client.gone
    await client.send(b"hello")
    assert await client.receive() == b""
    client.shut()
    client.abort()
    client.close()


async def test_who_reads_nothing_is_left(pair: Pair, autojump_clock: trio.testing.MockClock) -> None:
    """After its patience, and it is known why."""
    client, _ = pair
    await client.send(MUCH)
    assert (client.gone, client.stalled) == (True, True)
    assert autojump_clock.current_time() == PATIENCE


async def test_half_a_piece_is_followed_by_nothing(pair: Pair) -> None:
    """A write that was cancelled in its middle is the last one: the peer would take the next for the rest of it."""
    client, peer = pair
    with trio.CancelScope() as scope:
        scope.cancel()
        await client.send(MUCH)
    await client.send(b"not this")
    assert client.gone
    said = b""
    try:
        while data := peer.recv(2**20):
            said += data
    except ConnectionError:
        pass
    assert len(said) < len(MUCH)
    assert b"not this" not in said


async def test_closing_wakes_who_waits(pair: Pair) -> None:
    """Reading gives the end, writing does nothing more."""
    client, _ = pair
    heard: list[bytes] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def _() -> None:
            heard.append(await client.receive())

        nursery.start_soon(client.send, MUCH)
        await trio.testing.wait_all_tasks_blocked()
        client.abort()
    assert heard == [b""]
    assert not client.stalled


async def test_a_client_that_left_is_found_out_by_a_probe() -> None:
    """Over TCP: while it only has closed its side it listens, and gets what was sent to find out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for leaves in (False, True):
            peer = socket.create_connection(listener.getsockname())
            connected, _ = listener.accept()
            connected.setblocking(False)  # noqa: FBT003 - the standard library's
            client = ClientSocket(connected, PATIENCE)
            peer.shutdown(socket.SHUT_WR)
            assert await client.receive() == b""
            if leaves:
                peer.close()
            with trio.move_on_after(RAREST_LOOK / 10 if not leaves else 60) as scope:
                await client.vanished(b"0")
            assert scope.cancelled_caught is not leaves
            assert client.gone is leaves
            if not leaves:
                assert peer.recv(10) == b"0"
            client.close()
            peer.close()
