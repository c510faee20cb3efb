"""The life of a server on a real listening socket, with an application of a few lines; time is a clock that jumps."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypercorn.config import Config
from structlog.testing import CapturingLogger

from pipeline.server.connection import Terms
from pipeline.server.guard import Guard
from pipeline.server.serving import LAST_MOMENTS, Server
from pipeline.server.shutdown import Shutdown
from tests.support.connected import GET, Receive, Send, reply

GRACE = 30.0


@attrs.define
class App:
    """Answers when it is told to; `ends` says whether it also ends when the grace is over."""

    go: trio.Event = attrs.field(factory=trio.Event)
    phases: list[str] = attrs.field(factory=list)
    ends: bool = True

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Live, or answer."""
        if scope["type"] == "lifespan":
            for _ in range(2):
                phase = (await receive())["type"]
                self.phases.append(phase)
                await send({"type": f"{phase}.complete"})
            return
        if scope["path"] != "/now":
            await self.go.wait()
        await reply(send, b"done")

    def end(self) -> None:
        """What the server asks for at the end of the grace."""
        self.phases.append("end of grace")
        if self.ends:
            self.go.set()


@attrs.define
class Started:
    """A server that runs."""

    app: App
    port: int
    shutdown: Shutdown
    ended: trio.Event

    async def connect(self) -> trio.SocketStream:
        """Open a connection."""
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def begun(self) -> trio.SocketStream:
        """Open a connection with a request that runs."""
        stream = await self.connect()
        await stream.send_all(GET)
        await trio.testing.wait_all_tasks_blocked(0.02)
        return stream


async def rest(stream: trio.SocketStream) -> bytes:
    """All that comes until the server closes, in whatever way; then the client closes as well."""
    said = b""
    try:
        async with stream:
            async for data in stream:
                said += data
    except trio.BrokenResourceError:
        said += b"reset"
    return said


@asynccontextmanager
async def started(app: App, *, own_http1: bool = True, closed: bool = False) -> AsyncIterator[Started]:
    """Serve until the block is left; the server must have ended by then, or does so now."""
    listener = socket.create_server(("127.0.0.1", 0))
    port, config, urls = listener.getsockname()[1], Config(), list[str]()
    config.bind, config.graceful_timeout = [f"fd://{listener.detach()}"], GRACE
    shutdown, ended, ready = Shutdown(closed=closed), trio.Event(), trio.Event()
    server = Server(
        app,
        config,
        Terms(),
        Guard(CapturingLogger()),
        own_http1=own_http1,
        at_end_of_grace=app.end,
    )

    def heard(found: list[str]) -> None:
        urls.extend(found)
        ready.set()

    async def run() -> None:
        await server.run(shutdown, heard)
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await ready.wait()
        assert urls == [f"http://127.0.0.1:{port}"]
        yield Started(app, port, shutdown, ended)
        shutdown.hurry()


async def test_what_runs_may_end(autojump_clock: trio.testing.MockClock) -> None:
    """Idle connections close at once, and the end waits for the others, who are told that theirs is over as well."""
    async with started(App()) as server:
        idle, running = await server.connect(), await server.begun()
        server.shutdown.begin("test")
        assert await rest(idle) == b""
        assert not server.ended.is_set()
        server.app.go.set()
        said = await rest(running)
        await server.ended.wait()

    assert b"connection: close" in said
    assert said.endswith(b"done")
    assert server.app.phases == ["lifespan.startup", "end of grace", "lifespan.shutdown"]
    assert autojump_clock.current_time() < GRACE


@pytest.mark.parametrize("hurried", [True, False])
async def test_the_grace_has_an_end(autojump_clock: trio.testing.MockClock, *, hurried: bool) -> None:
    """Whoever runs still is told to end then, or at once when somebody is in a hurry; who does so is whole."""
    async with started(App()) as server:
        running, before = await server.begun(), autojump_clock.current_time()
        (server.shutdown.hurry if hurried else server.shutdown.begin)("test")
        said = await rest(running)
        await server.ended.wait()

    assert said.endswith(b"done")
    assert (autojump_clock.current_time() - before >= GRACE) is not hurried


async def test_who_does_not_end_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    """A moment after it was told to."""
    async with started(App(ends=False)) as server:
        running = await server.begun()
        server.shutdown.hurry("test")
        assert await rest(running) in (b"", b"reset")
        await server.ended.wait()

    assert LAST_MOMENTS <= autojump_clock.current_time() < GRACE


async def test_who_comes_late_is_answered_and_holds_nobody_up(autojump_clock: trio.testing.MockClock) -> None:
    """While others end there is somebody to be asked; a late request that does not end is no reason to wait."""
    async with started(App()) as server:
        running = await server.begun()
        server.shutdown.begin("test")
        late, never = await server.connect(), await server.begun()
        await late.send_all(GET.replace(b"GET /", b"GET /now"))
        said = await rest(late)
        assert said.endswith(b"done")
        assert b"connection: close" in said
        await server.ended.wait()
        assert (await rest(running)).endswith(b"done")
        await rest(never)
    assert autojump_clock.current_time() < GRACE + 2 * LAST_MOMENTS


async def test_with_a_closed_door_nobody_is_found() -> None:
    """A proxy in front is to ask another server."""
    async with started(App(), closed=True) as server:
        running = await server.begun()
        server.shutdown.begin("test")
        await trio.testing.wait_all_tasks_blocked(0.02)
        with pytest.raises(OSError, match="all attempts to connect"):
            await server.connect()
        server.app.go.set()
        assert (await rest(running)).endswith(b"done")


async def test_hypercorn_may_speak_instead() -> None:
    """The same life, whoever holds the connections."""
    async with started(App(), own_http1=False) as server:
        running = await server.begun()
        server.shutdown.begin("test")
        server.app.go.set()
        assert b"done" in await rest(running)
        await server.ended.wait()
