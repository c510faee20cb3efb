"""The real server on a real socket: what HTTP itself can do to a request, and how the server ends."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import attrs
import httpx
import pytest
import trio
import trio.testing

from pipeline.emulator import EmulatorTransport
from pipeline.emulator.scenarios import GREETING
from pipeline.settings import Limits, Settings, UpstreamSettings
from stages.wire import json
from tests.support.grammar import read
from tests.support.running import REQUEST
from tests.support.serving import serving
from tests.support.upstream import Script, ScriptedUpstream, events
from tests.support.waiting import TIMEOUT, until

SETTINGS = Settings(
    upstream=UpstreamSettings(url="emulator", retries=0), limits=Limits(body_bytes=100_000), log_level="error"
)

REQUEST_ID = re.compile(r"req_[0-9a-f]{24}\Z")


@pytest.fixture(params=["dragoman", "hypercorn"], autouse=True)
def http1(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test twice: whoever speaks HTTP/1.1, the same must be said."""
    speaker: Literal["dragoman", "hypercorn"] = request.param
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", attrs.evolve(SETTINGS, http1=speaker))
    return speaker


def asking(words: str, *, stream: bool = False) -> bytes:
    """Make the body of a request with this prompt."""
    return json.encode({**REQUEST, "stream": stream, "messages": [{"role": "user", "content": words}]})


@asynccontextmanager
async def client_of_server(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve, and give a client that knows where; both have ended when the block is left."""
    transport = transport or EmulatorTransport(delay=0)
    async with serving(SETTINGS, transport) as url, httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        yield client


@attrs.frozen
class Refused:
    """A request that is answered without anybody asking the upstream.

    Attributes:
        status: what the answer's status must be.
        method: the HTTP method.
        path: where it goes.
        content: its body.
        headers: more headers.
        says: what its error must say.
    """

    status: int
    method: str = "POST"
    path: str = "/v1/messages"
    content: bytes = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    says: str = ""


def _error(reply: httpx.Response) -> dict[str, Any]:
    """The error of a body in Anthropic's envelope, with the id that the header has as well."""
    body = reply.json()
    assert set(body) == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert body["request_id"] == reply.headers["request-id"]
    assert REQUEST_ID.match(body["request_id"])
    error: dict[str, Any] = body["error"]
    return error


REFUSED = {
    "an unknown path": Refused(404, path="/v1/complete", says="Not found"),
    "a known path below": Refused(404, path="/v1/messages/msg_1", says="Not found"),
    "an unknown model": Refused(404, "GET", "/v1/models/no-such-model", says="model:"),
    "a wrong method": Refused(405, "GET", says="Method Not Allowed"),
    "another wrong method": Refused(405, "DELETE", "/v1/models"),
    "no body": Refused(400, content=b""),
    "no JSON": Refused(400, content=b'{"model":'),
    "no object": Refused(400, content=b"[]"),
    "no UTF-8": Refused(400, content=b'"\xff"'),
    "no messages": Refused(400, content=b'{"model": "claude", "max_tokens": 1}', says="messages: Field required"),
    "no gzip": Refused(400, content=b"plain", headers={"content-encoding": "gzip"}, says="not valid gzip"),
    "an unknown encoding": Refused(400, content=b"x", headers={"content-encoding": "br"}, says="not supported"),
    "too much": Refused(413, content=bytes(100_001), says="maximum size"),
    "too much, once inflated": Refused(
        413, content=gzip.compress(bytes(100_001)), headers={"content-encoding": "gzip"}, says="after decoding"
    ),
    "nested too deeply": Refused(400, content=b"[" * 90_000),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(name: str) -> None:
    """Each with the right status, Anthropic's body, an id to quote, and nothing sent upstream; the server goes on."""
    asked, transport = REFUSED[name], EmulatorTransport(delay=0)
    async with client_of_server(transport) as client:
        reply = await client.request(asked.method, asked.path, content=asked.content, headers=asked.headers)
        again = await client.get("/healthz")

    assert reply.status_code == asked.status
    assert asked.says in _error(reply)["message"]
    assert not transport.requests
    assert again.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_bodies_may_be_compressed(encoding: str) -> None:
    """A request is understood in each encoding that we say we take."""
    encoders: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    compress = encoders.get(encoding, bytes)
    async with client_of_server() as client:
        body = compress(asking("[[text]]"))
        reply = await client.post("/v1/messages", content=body, headers={"content-encoding": encoding})

    assert reply.status_code == 200
    assert reply.json()["content"][-1] == {"type": "text", "text": GREETING}


async def test_a_body_may_come_in_chunks() -> None:
    """Without a length, in pieces: a small one is answered, one over the limit refused before it is all there."""

    async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async with client_of_server() as client:
        good = await client.post("/v1/messages", content=pieces(asking("[[text]]"), 7))
        large = await client.post("/v1/messages", content=pieces(bytes(100_001), 10_000))

    assert good.status_code == 200
    assert large.status_code == 413
    assert _error(large)["type"] == "request_too_large"


async def test_a_large_body_is_refused_before_it_is_sent() -> None:
    """What a client announces is enough: nobody waits for gigabytes."""
    async with serving(SETTINGS, EmulatorTransport()) as url:
        stream = await _connect(url)
        await stream.send_all(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n")
        with trio.fail_after(TIMEOUT):
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 413 ")
        await stream.aclose()


@pytest.mark.parametrize("path", ["/", "/healthz"])
async def test_signs_of_life(path: str) -> None:
    """`HEAD` has the head of `GET`, and nothing else."""
    async with client_of_server() as client:
        got, head, again = await client.get(path), await client.head(path), await client.get(path)

    assert got.status_code == head.status_code == 200
    assert got.json()["service"] == "dragoman"
    assert head.content == b""
    # What counts tokens is part of the answer, and changes once, when the vocabulary has been loaded.
    assert head.headers["content-length"] in {str(len(each.content)) for each in (got, again)}
    assert got.headers["content-length"] == str(len(got.content))


async def test_a_connection_serves_many_requests() -> None:
    """Streams, whole answers and errors follow each other on one connection."""
    async with serving(SETTINGS, EmulatorTransport(delay=0)) as url:
        limits = httpx.Limits(max_connections=1)
        ports = set()
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT) as client:
            for _ in range(3):
                for body in (asking("[[text]]", stream=True), asking("[[text]]"), b"{", asking("[[error 500]]")):
                    reply = await client.post("/v1/messages", content=body)
                    ports.add(reply.extensions["network_stream"].get_extra_info("client_addr"))

    assert len(ports) == 1


@pytest.mark.parametrize("cue", ["[[slow 1]]", "[[silence 600]]", "[[think]+[slow 1]]"])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves(cue: str, *, stream: bool) -> None:
    """The upstream is let go at once, wherever its answer is, and the server serves others."""
    transport = EmulatorTransport(delay=0)
    async with client_of_server(transport) as client:
        leaver = await _connect(str(client.base_url))
        await leaver.send_all(_post(asking(cue, stream=stream)))
        await until(lambda: transport.open_streams == 1)
        await leaver.aclose()
        await until(lambda: transport.open_streams == 0)
        reply = await client.post("/v1/messages", content=asking("[[text]]"))

    assert reply.status_code == 200


async def test_a_client_that_leaves_in_its_request() -> None:
    """Half a head, half a body: nothing is asked upstream, and the server serves others."""
    transport = EmulatorTransport(delay=0)
    async with client_of_server(transport) as client:
        request = _post(asking("[[text]]"))
        for length in (10, len(request) - 10):
            leaver = await _connect(str(client.base_url))
            await leaver.send_all(request[:length])
            await leaver.aclose()
        assert (await client.get("/healthz")).status_code == 200

    assert not transport.requests


FRAMED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body := asking("[[text]]")), body)

ODD: dict[str, tuple[bytes, set[bytes]]] = {
    "a length beside chunks": (
        b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n"
        + FRAMED,
        {b"200", b"400"},  # RFC 9112, section 6.3: chunks count, or nothing does
    ),
    "no HTTP": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", {b"400"}),
    "a folded first line": (b"GET / HTTP/1.1\r\n x: y\r\nhost: localhost\r\n\r\n", {b"400"}),
    "a URL": (b"GET http://localhost/v1/models?limit=1 HTTP/1.0\r\nhost: localhost\r\n\r\n", {b"200"}),
    "a URL of another host": (b"GET http://elsewhere/v1/models HTTP/1.0\r\nhost: localhost\r\n\r\n", {b"403"}),
}
"""Requests after which a connection must be closed, and the statuses that are right."""


@pytest.mark.parametrize("name", ODD)
async def test_odd_requests(name: str) -> None:
    """Each is answered, in Anthropic's envelope where it is refused, and nothing else is read from the connection."""
    data, statuses = ODD[name]
    async with client_of_server() as client, await _connect(str(client.base_url)) as connection:
        await connection.send_all(data)
        with trio.fail_after(TIMEOUT):
            said = b"".join([bytes(piece) async for piece in connection])

    status = said.partition(b" ")[2][:3]
    assert status in statuses
    assert said.count(b"HTTP/1.1 ") == 1
    if status != b"200":
        assert json.decode(said.partition(b"\r\n\r\n")[2])["type"] == "error"


async def test_bugs_take_nobody_along() -> None:
    """A crash before the answer, one in the middle of it: each ends its own request, told as our fault."""
    good = events(
        {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": "hi"},
        {"type": "response.completed", "response": {"status": "completed"}},
    )
    half = good.partition(b"\n\n")[0] + b"\n\n"
    upstream = ScriptedUpstream(RuntimeError("bug"), Script([half, RuntimeError("bug")]), Script([good]))
    async with client_of_server(upstream) as client:
        first, second, third = [await client.post("/v1/messages", content=asking("hi", stream=True)) for _ in range(3)]

    assert first.status_code == 500
    assert _error(first)["type"] == "api_error"
    assert second.status_code == 200
    assert (read(second.content).error or {})["type"] == "api_error"
    assert [block["text"] for block in read(third.content).content] == ["hi"]


def _post(body: bytes) -> bytes:
    return b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _connect(url: str) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", httpx.URL(url).port or 80)
