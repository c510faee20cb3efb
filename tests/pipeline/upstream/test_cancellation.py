"""Nothing survives its request (law 5): the server sees the end at once, wherever the client stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest
import trio
import trio.testing

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, Peer, serving
from tests.support.waiting import TIMEOUT

HANDSHAKE = b"\x16\x03"
"""How the first record of TLS begins: a handshake, of version 3."""

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def hanging(sent: bytes, done: trio.Event) -> Callable[[Peer], Awaitable[None]]:
    """A server that answers so far and no further, and says when the client has left."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(sent)
        await peer.client_left()
        done.set()

    return handler


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200", b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, HEAD + b"2\r\nab\r\n", HEAD + b"0\r\n"]
)
async def test_cancelled_while_it_hangs(sent: bytes) -> None:
    """Before the head, in it, after it, in the body, at its very end."""
    transport, done = HttptoolsTransport(), trio.Event()
    async with serving(hanging(sent, done)) as server:
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _request() -> None:
                async with httpx.AsyncClient(transport=transport) as client, client.stream("GET", server.url) as answer:
                    async for _ in answer.aiter_raw():
                        pass

            await trio.testing.wait_all_tasks_blocked(0.02)
            assert transport.statistics.in_use == 1
            nursery.cancel_scope.cancel()
        assert transport.statistics.open == 0
        with trio.fail_after(TIMEOUT):
            await done.wait()


async def test_cancelled_while_sending() -> None:
    """The server takes no more, and the client has enough."""
    transport, scope = HttptoolsTransport(), trio.CancelScope()
    waiting, done = trio.Event(), trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.until(b"\r\n\r\n")
        scope.cancel()
        await waiting.wait()
        await peer.client_left()
        done.set()

    async with serving(handler) as server, httpx.AsyncClient(transport=transport) as client:
        with scope:
            await client.post(server.url, content=bytes(2**24), timeout=None)
        assert scope.cancelled_caught
        assert transport.statistics.open == 0
        waiting.set()
        with trio.fail_after(TIMEOUT):
            await done.wait()


async def test_cancelled_while_shaking_hands() -> None:
    """A server that listens and says nothing leaves nothing open either."""
    transport, scope, done = HttptoolsTransport(), trio.CancelScope(), trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.until(HANDSHAKE)
        scope.cancel()
        await peer.client_left()
        done.set()

    async with serving(handler) as server, httpx.AsyncClient(transport=transport) as client:
        with scope:
            await client.get(server.url.replace("http:", "https:"), timeout=None)
        assert scope.cancelled_caught
        with trio.fail_after(TIMEOUT):
            await done.wait()
    assert transport.statistics.open == 0


async def test_leaving_in_the_middle_closes_without_a_checkpoint() -> None:
    """A client that leaves inside a cancelled scope closes all the same, and at once."""
    transport, done = HttptoolsTransport(), trio.Event()
    async with serving(hanging(HEAD + b"2\r\nab\r\n", done)) as server:
        response = await transport.handle_async_request(httpx.Request("GET", server.url))
        with trio.CancelScope() as scope:
            scope.cancel()
            await response.stream.aclose()  # type: ignore[union-attr]
        assert not scope.cancelled_caught
        assert transport.statistics.open == 0
        with trio.fail_after(TIMEOUT):
            await done.wait()
        with pytest.raises(httpx.StreamClosed):
            await anext(aiter(response.stream))  # type: ignore[arg-type]


async def test_an_error_of_the_reader_closes_too() -> None:
    """Whatever ends the `async with` of a response ends its connection."""
    transport, done = HttptoolsTransport(), trio.Event()
    async with (
        serving(hanging(HEAD + b"2\r\nab\r\n", done)) as server,
        httpx.AsyncClient(transport=transport) as client,
    ):
        with pytest.raises(ZeroDivisionError):
            async with client.stream("GET", server.url):
                raise ZeroDivisionError
        assert transport.statistics.open == 0
        with trio.fail_after(TIMEOUT):
            await done.wait()


async def test_a_request_in_a_cancelled_scope_is_not_sent() -> None:
    """Nothing reaches the server, and the kept connection is kept."""
    transport = HttptoolsTransport()
    requests = 0

    async def handler(peer: Peer) -> None:
        nonlocal requests
        while True:
            await peer.request()
            requests += 1
            await peer.send(OK)

    async with serving(handler) as server, httpx.AsyncClient(transport=transport) as client:
        await client.get(server.url)
        with trio.CancelScope() as scope:
            scope.cancel()
            await client.get(server.url)
        assert scope.cancelled_caught
        await client.get(server.url)

    assert requests == 2


async def test_every_moment_of_a_request_can_be_the_last() -> None:
    """Cancelled after any number of the scheduler's rounds: nothing in use, nothing broken in the pool."""
    transport = HttptoolsTransport()

    async def handler(peer: Peer) -> None:
        while True:
            await peer.request()
            for piece in (HEAD[:20], HEAD[20:], b"2\r\nok\r\n", b"0\r\n\r\n"):
                await peer.send(piece)
                await trio.lowlevel.checkpoint()

    finished = 0
    async with serving(handler) as server, httpx.AsyncClient(transport=transport) as client:
        for rounds in range(60):
            async with trio.open_nursery() as nursery:

                @nursery.start_soon
                async def _request(scope: trio.CancelScope = nursery.cancel_scope) -> None:
                    nonlocal finished
                    assert (await client.get(server.url)).text == "ok"
                    finished += 1
                    scope.cancel()

                for _ in range(rounds):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert transport.statistics.in_use == 0

    assert 0 < finished < 60
