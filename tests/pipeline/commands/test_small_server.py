"""The server of one ASGI application."""

from __future__ import annotations

import httpx
import trio

from pipeline.commands.listening import bind, url_of
from pipeline.commands.small_server import serve_application
from pipeline.emulator import emulator_application
from tests.support.waiting import TIMEOUT


async def test_the_small_server_serves_and_stops() -> None:
    """It answers on a bound socket, ends when told to, and leaves the socket to its owner."""
    shutdown = trio.Event()
    with bind("127.0.0.1", 0) as listener:
        with trio.fail_after(TIMEOUT):
            async with trio.open_nursery() as nursery, httpx.AsyncClient(trust_env=False) as client:
                nursery.start_soon(serve_application, emulator_application(0), listener, shutdown)
                answer = await client.get(url_of(listener) + "/v1/models")
                shutdown.set()

        assert answer.json()["object"] == "list"
        assert listener.fileno() >= 0
