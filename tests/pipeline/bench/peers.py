"""Connected sockets, and a listener, for the tests of both ends."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import trio

from pipeline.bench import http, sockets
from pipeline.bench.load import Address
from pipeline.bench.upstream import Upstream


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give two ends that do not block."""
    one, two = socket.socketpair()
    with one, two:
        one.settimeout(0)
        two.settimeout(0)
        yield one, two


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[Address]:
    """Run the bench's upstream in this process; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Upstream().serve, listener)
            yield Address("127.0.0.1", listener.getsockname()[1])
            nursery.cancel_scope.cancel()


async def ask(connected: socket.socket, request: bytes) -> http.HttpMessage:
    """Send a request as it is, and read its answer."""
    answer = http.HttpMessage()
    with trio.fail_after(10):
        await sockets.send(connected, request)
        while not answer.complete:
            data = await sockets.receive(connected)
            assert data, "closed before the end"
            answer.add(data)
    return answer


def post(body: bytes) -> bytes:
    """Write a request with a body."""
    return b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
