"""TLS: verified, batched, closed without a farewell."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest
import trio
import trio.testing
import trustme

from pipeline.upstream.http1.pool import Statistics
from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, Peer, answering, client_of, serving
from tests.support.waiting import TIMEOUT


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server that is localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture
def transport(authority: trustme.CA) -> HttptoolsTransport:
    """A transport that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return HttptoolsTransport(ssl_context=context)


async def test_exchanges_over_one_connection(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """Session tickets that come after the handshake are not taken for the end of the connection."""
    async with serving(answering(OK), server_tls) as server, client_of(transport) as client:
        for _ in range(3):
            assert (await client.get(server.url)).text == "ok"
            assert transport.statistics == Statistics(idle=1, in_use=0)


async def test_http_1_1_is_agreed_on(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """ALPN: a server that prefers HTTP/2 learns that we do not speak it."""
    agreed: list[str | None] = []

    async def handler(peer: Peer) -> None:
        await peer.request()
        assert isinstance(peer._stream, trio.SSLStream)
        agreed.append(peer._stream.selected_alpn_protocol())
        await peer.send(OK)

    async with serving(handler, server_tls) as server, client_of(transport) as client:
        await client.get(server.url)

    assert agreed == ["http/1.1"]


async def test_large_bodies_both_ways(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """Many records, cut anywhere by the reads."""
    body = bytes(range(256)) * 4096  # 1 MiB

    async def echo(peer: Peer) -> None:
        received = await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received.body) + received.body)

    async with serving(echo, server_tls) as server, client_of(transport) as client:
        assert (await client.post(server.url, content=body)).content == body


async def test_one_read_is_one_item_over_many_records(
    transport: HttptoolsTransport, server_tls: ssl.SSLContext
) -> None:
    """Fifty records that arrive together are one item of the stream."""
    head_seen = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await head_seen.wait()
        stream: Any = peer._stream  # trio's own memory of records: several of them are to leave in one write
        records = b""
        for _ in range(50):
            stream._ssl_object.write(b"2\r\nab\r\n")
            records += stream._outgoing.read()
        await stream.transport_stream.send_all(records)
        await trio.testing.wait_all_tasks_blocked(0.05)
        await peer.send(b"0\r\n\r\n")

    async with (
        serving(handler, server_tls) as server,
        client_of(transport) as client,
        client.stream("GET", server.url) as response,
    ):
        head_seen.set()
        assert [item async for item in response.aiter_raw()] == [b"ab" * 50]


@pytest.mark.parametrize("farewell", [True, False])
async def test_a_body_that_ends_with_the_connection(
    transport: HttptoolsTransport, server_tls: ssl.SSLContext, *, farewell: bool
) -> None:
    """With a close_notify or without, which much of the web does not send."""

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if farewell:
            stream: Any = peer._stream
            with pytest.raises(ssl.SSLWantReadError):
                stream._ssl_object.unwrap()
            await stream.transport_stream.send_all(stream._outgoing.read())
            await peer.client_left()

    async with serving(handler, server_tls) as server, client_of(transport) as client:
        assert (await client.get(server.url)).text == "all of it"


async def test_a_close_in_the_middle_is_an_error(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """A cut is not taken for an end."""
    cut = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", keep=False)
    async with serving(cut, server_tls) as server, client_of(transport) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.url)


async def test_leaving_in_the_middle_closes_at_once(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """No close_notify is waited for."""
    done = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await peer.client_left()
        done.set()

    async with serving(handler, server_tls) as server, client_of(transport) as client:
        async with client.stream("GET", server.url):
            pass
        assert transport.statistics.open == 0
        with trio.fail_after(TIMEOUT):
            await done.wait()


async def test_a_stranger_is_refused(server_tls: ssl.SSLContext) -> None:
    """Verification is on by default, and its failure is a ConnectError that says why."""
    transport = HttptoolsTransport()

    async def handler(peer: Peer) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await peer.request()

    async with serving(handler, server_tls) as server, client_of(transport) as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(server.url)
        assert transport.statistics.open == 0


async def test_another_name_is_refused(transport: HttptoolsTransport, server_tls: ssl.SSLContext) -> None:
    """A trusted certificate for somebody else does not do."""

    async def handler(peer: Peer) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await peer.request()

    async with serving(handler, server_tls) as server, client_of(transport) as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await client.get(server.url.replace("localhost", "127.0.0.1"))


async def test_a_server_without_tls(transport: HttptoolsTransport) -> None:
    """Plain HTTP where TLS was asked for is a ConnectError too."""

    async def handler(peer: Peer) -> None:
        await peer._stream.receive_some()
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url.replace("http:", "https:"))


async def test_a_server_that_hangs_up_during_the_handshake(transport: HttptoolsTransport) -> None:
    """No connection came about."""

    async def handler(peer: Peer) -> None:
        await peer._stream.receive_some()

    async with serving(handler) as server, client_of(transport) as client:
        with pytest.raises(httpx.ConnectError, match="handshake"):
            await client.get(server.url.replace("http:", "https:"))


@pytest.mark.parametrize(("last", "error"), [(b"ab", httpx.RemoteProtocolError), (b"", httpx.ReadError)])
async def test_what_came_before_a_broken_record_is_delivered(
    transport: HttptoolsTransport, server_tls: ssl.SSLContext, last: bytes, error: type[Exception]
) -> None:
    """Law 4 below TLS: a good record counts, also when the same read holds a bad one."""
    head_seen = trio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await head_seen.wait()
        stream: Any = peer._stream
        if last:
            stream._ssl_object.write(last)
        await stream.transport_stream.send_all(stream._outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32))
        await peer.client_left()

    received = b""
    async with serving(handler, server_tls) as server, client_of(transport) as client:
        response = await transport.handle_async_request(client.build_request("GET", server.url))
        head_seen.set()
        items: Any = aiter(response.stream)  # type: ignore[arg-type]
        if last:
            received = await anext(items)
        with pytest.raises(error):
            await anext(items)
        assert transport.statistics.open == 0

    assert received == last
