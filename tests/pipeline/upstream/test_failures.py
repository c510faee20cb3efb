"""The transport over real sockets: what goes wrong, and what becomes of the connection then."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, Handler, Peer, answering, client_of, parts_of, serving
from tests.support.waiting import TIMEOUT


@pytest.fixture
def transport() -> HttptoolsTransport:
    """A transport as it comes."""
    return HttptoolsTransport()


async def drained(items: AsyncIterator[bytes], into: bytearray) -> None:
    """Read a stream to its end; what came before an error is not lost."""
    async for item in items:
        into += item


async def test_a_kept_connection_that_was_closed_is_noticed(transport: HttptoolsTransport) -> None:
    """The server closed it while it was idle: also a body that cannot be sent twice is safe."""
    async with serving(answering(OK, keep=False)) as server, client_of(transport) as client:
        for _ in range(3):
            response = await client.post(server.url, content=parts_of(b"once"))
            assert response.text == "ok"
            with trio.fail_after(TIMEOUT):  # until the server's end has reached us
                stack = next(iter(transport._pool._stacks.values()))
                while not stack[0].wire.stale:
                    await trio.lowlevel.checkpoint()


def closing_on_second_request(answer: bytes = b"") -> tuple[list[int], Handler]:
    """A server that loses the race: it closes a kept connection when a request is already under way."""
    requests: list[int] = []

    async def handler(peer: Peer) -> None:
        await peer.request()
        requests.append(peer.number)
        await peer.send(OK)
        await peer.request()
        requests.append(peer.number)
        await peer.send(answer)

    return requests, handler


async def test_a_request_that_lost_the_race_is_sent_again(transport: HttptoolsTransport) -> None:
    """No byte came back, and the body is there: once more, on a fresh connection."""
    requests, handler = closing_on_second_request()
    async with serving(handler) as server, client_of(transport) as client:
        await client.post(server.url, content=b"1")
        assert (await client.post(server.url, content=b"2")).text == "ok"

    assert requests == [1, 1, 2]


def resetting(first: bytes) -> Handler:
    """A server that answers `first`, if anything, and resets the connection on the request after it."""

    async def handler(peer: Peer) -> None:
        if first and peer.number == 1:
            await peer.request()
            await peer.send(first)
        await peer.request()
        if first and peer.number > 1:
            await peer.send(first)
        peer.reset()

    return handler


async def test_a_kept_connection_that_is_reset(transport: HttptoolsTransport) -> None:
    """A reset loses the race just as a close does."""
    async with serving(resetting(OK)) as server, client_of(transport) as client:
        assert (await client.post(server.url, content=b"1")).text == "ok"
        assert (await client.post(server.url, content=b"2")).text == "ok"


async def test_a_fresh_connection_that_is_reset(transport: HttptoolsTransport) -> None:
    """Then it is an error, of reading."""
    async with serving(resetting(b"")) as server, client_of(transport) as client:
        with pytest.raises(httpx.ReadError):
            await client.post(server.url, content=b"x")
        assert transport.statistics.open == 0


async def test_a_body_that_is_gone_is_not_sent_again(transport: HttptoolsTransport) -> None:
    """A stream can be read only once."""
    requests, handler = closing_on_second_request()
    async with serving(handler) as server, client_of(transport) as client:
        await client.post(server.url, content=b"1")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(server.url, content=parts_of(b"2"))

    assert requests == [1, 1]


async def test_a_request_that_was_answered_in_part_is_not_sent_again(transport: HttptoolsTransport) -> None:
    """The server has begun to work on it."""
    requests, handler = closing_on_second_request(b"HTTP/1.1 200")
    async with serving(handler) as server, client_of(transport) as client:
        await client.post(server.url, content=b"1")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(server.url, content=b"2")

    assert requests == [1, 1]


async def test_a_fresh_connection_is_not_tried_again(transport: HttptoolsTransport) -> None:
    """Who closes a fresh connection means it."""
    numbers: list[int] = []

    async def handler(peer: Peer) -> None:
        await peer.request()
        numbers.append(peer.number)

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without a response"):
            await client.post(server.url, content=b"x")

    assert numbers == [1]


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
async def test_an_early_close_raises_after_what_came(transport: HttptoolsTransport, head: bytes) -> None:
    """What arrived is delivered, the cut is an error, and it stays one."""
    async with serving(answering(head + b"3\r\nabc", keep=False)) as server, client_of(transport) as client:
        response = await transport.handle_async_request(client.build_request("GET", server.url))
        assert isinstance(response.stream, httpx.AsyncByteStream)
        items, received = aiter(response.stream), bytearray()
        with pytest.raises(httpx.RemoteProtocolError):
            await drained(items, received)
        assert received.endswith(b"abc")
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(items)
        assert transport.statistics.open == 0


async def test_a_body_without_length_ends_with_the_connection(transport: HttptoolsTransport) -> None:
    """Then, the close is no error."""
    async with (
        serving(answering(b"HTTP/1.1 200 OK\r\n\r\nall of it", keep=False)) as server,
        client_of(transport) as client,
    ):
        assert (await client.get(server.url)).text == "all of it"
        assert transport.statistics.open == 0


class Parts:
    """A request body whose parts come when the test says; it notes how far it was read."""

    def __init__(self, refused: trio.Event) -> None:
        self.sent = 0
        self._refused = refused

    def __aiter__(self) -> Parts:
        return self

    async def __anext__(self) -> bytes:
        if self.sent:
            await self._refused.wait()
            await trio.testing.wait_all_tasks_blocked(0.01)
        self.sent += 1
        return b"part"


async def test_an_early_refusal_is_heard(transport: HttptoolsTransport) -> None:
    """The server refuses the body and closes: we cannot send on, but its answer is there to be read."""
    refused = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.until(b"part")
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        refused.set()

    parts = Parts(refused)
    async with serving(handler) as server, client_of(transport) as client:
        response = await client.post(server.url, content=parts)
        assert transport.statistics.open == 0

    assert response.status_code == 413
    assert parts.sent in range(2, 5)


async def test_nobody_listens(transport: HttptoolsTransport) -> None:
    """A refused connection is httpx's ConnectError, with the request."""
    async with serving(answering(OK)) as server:
        url = server.url
    async with client_of(transport) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(url)

    assert caught.value.request.url == url


async def unreachable(_host: str, _port: int) -> trio.SocketStream:
    """Connect to nowhere, for ever."""
    await trio.sleep(math.inf)
    raise AssertionError


async def test_connecting_takes_too_long(autojump_clock: MockClock) -> None:
    """The timeout of the request rules, and without one that of the transport."""
    transport = HttptoolsTransport(connect=unreachable, connect_timeout=10)
    async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(7)) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("http://nowhere.example/")
    assert autojump_clock.current_time() == pytest.approx(7)

    with pytest.raises(httpx.ConnectTimeout):
        await transport.handle_async_request(httpx.Request("GET", "http://nowhere.example/"))
    assert autojump_clock.current_time() == pytest.approx(17)
    assert transport.statistics.open == 0


async def test_the_head_takes_too_long(transport: HttptoolsTransport) -> None:
    """`read` bounds the wait for the head, also of one that drips."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        await peer.client_left()

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url, timeout=httpx.Timeout(TIMEOUT, read=0.05))

        assert transport.statistics.open == 0


async def test_a_body_may_be_silent(transport: HttptoolsTransport, mock_clock: trio.testing.MockClock) -> None:
    """Between the reads of a body no deadline of the transport runs."""
    said = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await said.wait()
        await peer.send(b"ok")

    async def an_hour_later() -> None:
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(3600)
        await trio.testing.wait_all_tasks_blocked()
        said.set()

    async with (
        serving(handler) as server,
        client_of(transport) as client,
        trio.open_nursery() as nursery,
        client.stream("GET", server.url, timeout=httpx.Timeout(TIMEOUT, read=1)) as response,
    ):
        nursery.start_soon(an_hour_later)
        assert await response.aread() == b"ok"


async def test_a_peer_that_takes_nothing(transport: HttptoolsTransport) -> None:
    """`write` bounds a write."""

    async def handler(_peer: Peer) -> None:
        await trio.sleep_forever()

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(server.url, content=bytes(2**24), timeout=httpx.Timeout(TIMEOUT, write=0.05))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-Name": "a\r\nX-Other: b"}, b""),
        ({"X-Name": "a\rb"}, b""),
        ({"X-Name": "a\nb"}, b""),
        ({"X-Name": "a\0b"}, b""),
        ({"Content-Length": "3"}, b"four"),
        ({"Content-Length": "5"}, b"four"),
        ({"Content-Length": "-4"}, b"four"),
    ],
)
async def test_a_request_that_would_lie_is_not_sent(
    transport: HttptoolsTransport, headers: dict[str, str], body: bytes
) -> None:
    """Headers inside headers, and lengths that do not fit, would make the next request somebody else's."""
    received: list[bytes] = []

    async def handler(peer: Peer) -> None:
        received.append(bytes(await peer._stream.receive_some()))

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.post(server.url, content=body, headers=headers)
        assert transport.statistics.open == 0
        with trio.fail_after(TIMEOUT):
            while not received:
                await trio.lowlevel.checkpoint()

    assert received == [b""]


async def test_a_body_that_only_threads_can_read(transport: HttptoolsTransport) -> None:
    """A synchronous stream would block everybody."""

    class Blocking(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"

    async with serving(answering(OK)) as server:
        with pytest.raises(TypeError):
            await transport.handle_async_request(httpx.Request("POST", server.url, stream=Blocking()))
        assert transport.statistics.open == 0


async def test_reading_on_after_closing_the_transport(transport: HttptoolsTransport) -> None:
    """Closing the transport closes what is in use: its reader wakes with an error."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await peer.client_left()

    async with serving(handler) as server:
        response = await transport.handle_async_request(httpx.Request("GET", server.url))
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _reader() -> None:
                with pytest.raises(httpx.ReadError):
                    await response.aread()

            await trio.testing.wait_all_tasks_blocked()
            await transport.aclose()

    assert transport.statistics.open == 0
