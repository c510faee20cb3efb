"""The transport over real sockets: exchanges and reuse."""

from __future__ import annotations

import httpx
import pytest
import trio
import trio.testing

from pipeline.upstream.http1.pool import Statistics
from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, Peer, answering, client_of, parts_of, serving
from tests.support.waiting import TIMEOUT


@pytest.fixture
def transport() -> HttptoolsTransport:
    """A transport as it comes."""
    return HttptoolsTransport()


async def test_a_connection_is_used_again(transport: HttptoolsTransport) -> None:
    """Keep-alive: three requests, one connection, idle in between and closed at the end."""
    seen: list[int] = []

    async def handler(peer: Peer) -> None:
        for _ in range(3):
            await peer.request()
            seen.append(peer.number)
            await peer.send(OK)
        await peer.client_left()
        seen.append(0)

    async with serving(handler) as server:
        async with client_of(transport) as client:
            for _ in range(3):
                assert (await client.get(server.url)).text == "ok"
                assert transport.statistics == Statistics(idle=1, in_use=0)
        with trio.fail_after(TIMEOUT):
            while seen != [1, 1, 1, 0]:
                await trio.lowlevel.checkpoint()


async def test_the_request_arrives_as_httpx_made_it(transport: HttptoolsTransport) -> None:
    """Target, headers and body, in the first write."""
    reads: list[bytes] = []

    async def handler(peer: Peer) -> None:
        reads.append(bytes(await peer._stream.receive_some()))
        await peer.send(OK)

    async with serving(handler) as server, client_of(transport) as client:
        url = httpx.URL(server.url).join("/v1/responses?a=b%20c")
        await client.post(url, content=b'{"x":1}', headers={"X-Name": "value"})
        request = client.build_request("POST", url, content=b'{"x":1}', headers={"X-Name": "value"})

    head, _, body = reads[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /v1/responses?a=b%20c HTTP/1.1"
    assert head.split(b"\r\n")[1:] == [b"%b: %b" % header for header in request.headers.raw]
    assert body == b'{"x":1}'


async def test_a_streamed_request_body_is_chunked(transport: HttptoolsTransport) -> None:
    """A body of unknown length; empty parts do not end it."""
    async with client_of(transport) as client:
        bodies: list[bytes] = []

        async def handler(peer: Peer) -> None:
            bodies.append((await peer.request()).body)
            await peer.send(OK)

        async with serving(handler) as server:
            await client.post(server.url, content=parts_of(b"abc", b"", b"0123456789abcdef"))

    assert bodies == [b"3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"]


async def test_large_bodies_both_ways(transport: HttptoolsTransport) -> None:
    """More than any buffer holds: sending and receiving wait for each other's room."""
    body = bytes(range(256)) * 16_384  # 4 MiB

    async def echo(peer: Peer) -> None:
        received = await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received.body) + received.body)

    async with serving(echo) as server, client_of(transport) as client:
        response = await client.post(server.url, content=body)

    assert response.content == body


async def test_one_read_is_one_item(transport: HttptoolsTransport) -> None:
    """Fifty chunks that arrive together are one item of the stream, and the head does not wait for them."""
    head_seen = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await head_seen.wait()
        await peer.send(b"2\r\nab\r\n" * 50)
        await trio.testing.wait_all_tasks_blocked(0.05)
        await peer.send(b"1\r\nz\r\n0\r\n\r\n")

    async with serving(handler) as server, client_of(transport) as client, client.stream("GET", server.url) as response:
        head_seen.set()
        assert [item async for item in response.aiter_raw()] == [b"ab" * 50, b"z"]


async def test_the_connection_is_idle_with_the_last_item(transport: HttptoolsTransport) -> None:
    """Who stops reading after the last byte, without asking for the end, has not wasted a connection."""
    async with serving(answering(OK)) as server, client_of(transport) as client:
        response = await transport.handle_async_request(client.build_request("GET", server.url))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        items = aiter(response.stream)
        assert await anext(items) == b"ok"
        assert transport.statistics == Statistics(idle=1, in_use=0)
        await response.aclose()
        assert transport.statistics == Statistics(idle=1, in_use=0)
        with pytest.raises(StopAsyncIteration):
            await anext(items)


async def test_interim_responses_are_skipped(transport: HttptoolsTransport) -> None:
    """Also when they come long before the response."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked(0.02)
        await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)

    async with serving(handler) as server, client_of(transport) as client:
        response = await client.get(server.url)

    assert (response.status_code, response.text, "link" in response.headers) == (200, "ok", False)


async def test_head_leaves_the_connection_usable(transport: HttptoolsTransport) -> None:
    """The next response is not taken for the body of the one to HEAD."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        await peer.request()
        await peer.send(OK)

    async with serving(handler) as server, client_of(transport) as client:
        head, get = await client.head(server.url), await client.get(server.url)

    assert (head.headers["content-length"], head.content, get.text) == ("99", b"", "ok")


@pytest.mark.parametrize(
    ("request_headers", "response"),
    [
        ({"Connection": "close"}, OK),
        ({}, OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
        ({}, OK.replace(b"1.1", b"1.0")),
        ({}, OK + b"surplus"),
    ],
)
async def test_what_is_not_kept(
    transport: HttptoolsTransport, request_headers: dict[str, str], response: bytes
) -> None:
    """Either side may end the connection with the exchange; bytes nobody asked for end it too."""
    async with serving(answering(response)) as server, client_of(transport) as client:
        assert (await client.get(server.url, headers=request_headers)).text == "ok"

        assert transport.statistics.open == 0


async def test_fifty_at_once(transport: HttptoolsTransport) -> None:
    """Every request gets its own answer over its own connection, and all connections are kept."""
    barrier = trio.Event()
    arrived = 0

    async def handler(peer: Peer) -> None:
        nonlocal arrived
        while True:
            body = (await peer.request()).body
            arrived += 1
            if arrived == 50:
                barrier.set()
            await barrier.wait()
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    answers: dict[str, str] = {}
    async with serving(handler) as server, client_of(transport) as client:

        async def ask(number: int) -> None:
            answers[str(number)] = (await client.post(server.url, content=str(number))).text

        for _ in range(2):
            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(ask, number)
        assert transport.statistics == Statistics(idle=50, in_use=0)

    assert answers == {str(number): str(number) for number in range(50)}
