"""Plain sockets under trio."""

from __future__ import annotations

import socket

import pytest
import trio

from pipeline.bench import sockets
from tests.pipeline.bench.peers import pair


async def test_all_is_sent_though_the_reader_is_slow() -> None:
    """More than the system's buffers hold waits for room, and arrives whole."""
    data = bytes(range(256)) * 20_000
    received = bytearray()
    with pair() as (one, two):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sockets.send, one, data)
            while len(received) < len(data):
                received += await sockets.receive(two)

    assert received == data


async def test_the_end_of_a_connection_reads_as_nothing() -> None:
    """Empty bytes, as from the system."""
    with pair() as (one, two):
        one.close()

        assert await sockets.receive(two) == b""


async def test_a_port_where_nobody_listens() -> None:
    """It fails with the system's error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(OSError):  # noqa: PT011 - which error depends on the system
        await sockets.connect("127.0.0.1", port)
