"""How the real server ends: running requests first, then itself, and never later than its grace."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import attrs
import httpx
import pytest
import trio

from pipeline.commands.listening import bind, url_of
from pipeline.emulator import EmulatorTransport
from pipeline.server.shutdown import Shutdown
from pipeline.service import listen, open_service
from pipeline.settings import Settings, Timing, UpstreamSettings
from stages.wire import json
from tests.support.running import REQUEST
from tests.support.waiting import TIMEOUT

SETTINGS = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error")


@pytest.fixture(params=["dragoman", "hypercorn"], autouse=True)
def http1(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test twice: whoever speaks HTTP/1.1, the same must be said."""
    speaker: Literal["dragoman", "hypercorn"] = request.param
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", attrs.evolve(SETTINGS, http1=speaker))
    return speaker


def asking(words: str) -> bytes:
    """Make a request for a stream with this prompt."""
    body = json.encode({**REQUEST, "messages": [{"role": "user", "content": words}]})
    return b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _read_all(stream: trio.SocketStream) -> bytes:
    return b"".join([data async for data in stream])


_Running = tuple[trio.SocketStream, Shutdown, trio.Event]


@asynccontextmanager
async def _stoppable(
    grace: float, transport: httpx.AsyncBaseTransport
) -> AsyncIterator[tuple[trio.SocketStream, Shutdown, trio.Event]]:
    """Serve with this much grace: a connection, what stops the server, and what tells that it has stopped."""
    settings = attrs.evolve(SETTINGS, timing=Timing(shutdown_grace=grace, commit_after=0.05))
    shutdown, stopped = Shutdown(), trio.Event()
    async with open_service(settings, transport=transport) as context, trio.open_nursery() as nursery:
        with bind("127.0.0.1", 0) as listener:
            port = httpx.URL(url_of(listener)).port or 80

            async def serve() -> None:
                await listen(context, sockets=[listener], shutdown=shutdown)
                stopped.set()

            nursery.start_soon(serve)
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                yield stream, shutdown, stopped


async def test_requests_that_run_end_before_the_server_does() -> None:
    """Told to stop, it takes no new connection, and ends the streams that are open as they would have ended."""
    transport = EmulatorTransport(delay=0)
    async with _stoppable(TIMEOUT, transport) as (stream, shutdown, stopped):
        await stream.send_all(asking("[[slow 0.02]]"))
        with trio.fail_after(TIMEOUT):
            begun = await stream.receive_some()
            shutdown.begin()
            whole = begun + await _read_all(stream)
            await stopped.wait()

    assert b"event: message_stop" in whole
    assert transport.open_streams == 0


async def test_requests_that_never_end_are_ended() -> None:
    """When the grace is over, whatever still runs is cut, and the upstream let go."""
    transport = EmulatorTransport(delay=0)
    async with _stoppable(0.1, transport) as (stream, shutdown, stopped):
        await stream.send_all(asking("[[slow 600]]"))
        with trio.fail_after(TIMEOUT):
            begun = await stream.receive_some()
            shutdown.begin()
            await stopped.wait()
            rest = await _read_all(stream)

    assert b"message_stop" not in begun + rest
    assert rest.count(b"event: error") == 1
    assert b"overloaded_error" in rest
    assert transport.open_streams == 0


async def test_a_server_without_requests_stops_at_once() -> None:
    """An idle connection that is kept alive holds nobody up."""
    async with _stoppable(60, EmulatorTransport()) as (stream, shutdown, stopped):
        await stream.send_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with trio.fail_after(TIMEOUT):
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
            shutdown.begin()
            await stopped.wait()
