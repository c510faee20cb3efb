"""`dragoman demo`: a streamed, tool-using exchange, or a batch, over real HTTP on the emulator, without a key."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import trio

from pipeline import service
from pipeline.commands.demo_batch import play_batch
from pipeline.commands.demo_conversation import SHOPPING_LIST, Answer, first_request, next_request
from pipeline.commands.demo_view import View, show_request, show_upstream, show_usage
from pipeline.commands.listening import bind, url_of
from pipeline.commands.screen import Screen, screen
from pipeline.emulator import EmulatorTransport
from pipeline.server.shutdown import Shutdown
from pipeline.settings import EMULATOR, Settings, UpstreamSettings
from stages.wire import json, sse

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

_DELAY = 0.02  # seconds between deltas: slow enough to be seen, fast enough to be over soon
_TIMEOUT = 30.0  # seconds
_HEADERS = {"x-api-key": "demo", "anthropic-version": "2023-06-01"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "what", nargs="?", choices=("exchange", "batch"), default="exchange", help="what to show (%(default)s)"
    )
    parser.add_argument("--delay", type=float, default=_DELAY, metavar="SECONDS", help="between deltas (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Play what was asked for; return 0, or 1 if the answer was an error."""
    return trio.run(_play, screen(), arguments.what, arguments.delay)


async def _play(out: Screen, what: str, delay: float) -> int:
    """Have both turns of the exchange, or a batch, and wait; interrupted, the proxy is stopped with it."""
    upstream = EmulatorTransport(delay)
    async with _proxy(upstream) as base_url:
        out.line(out.dim(f"proxy on {base_url}, the emulator behind it; nothing leaves this machine\n"))
        async with httpx.AsyncClient(base_url=base_url, headers=_HEADERS, timeout=_TIMEOUT, trust_env=False) as client:
            if what == "batch":
                return await play_batch(out, client)
            request = first_request()
            answer = await take_turn(out, client, request, upstream)
            if answer.error is not None:
                return 1
            out.line(f"\n{out.bold('tool')}     Read: {out.green(repr(SHOPPING_LIST))}\n")
            answer = await take_turn(out, client, next_request(request, answer), upstream)
    return int(answer.error is not None)


@contextlib.asynccontextmanager
async def _proxy(upstream: EmulatorTransport) -> AsyncIterator[str]:
    """Start a proxy on a free port, give its base URL, and stop it afterwards, or when this is cancelled."""
    shutdown = Shutdown()
    settings = Settings(port=0, log_level="error", upstream=UpstreamSettings(url=EMULATOR))
    with bind("127.0.0.1", 0) as listener:
        base_url = url_of(listener)
        async with service.open_service(settings, transport=upstream) as opened, trio.open_nursery() as nursery:
            nursery.start_soon(partial(service.listen, opened, sockets=[listener], shutdown=shutdown))
            try:
                yield base_url
            finally:
                shutdown.begin()


async def take_turn(
    out: Screen, client: httpx.AsyncClient, request: dict[str, Any], upstream: EmulatorTransport
) -> Answer:
    """Send one request, show its answer while it streams, and afterwards what was asked upstream and what it cost.

    Waits for the whole answer; cancelled, it closes the connection, so that the proxy stops as well.
    """
    show_request(out, request)
    view, answer = View(out, trio.current_time()), Answer()
    async with client.stream("POST", "/v1/messages", json=request) as response:
        out.line(f"{out.bold('proxy')}    {response.status_code}, request-id {response.headers.get('request-id')}")
        if not response.is_success:
            answer.error = {"message": (await response.aread()).decode("utf-8", "replace")}
            out.line(out.red(answer.error["message"]))
            return answer
        async for event in events(response):
            view.show(event, trio.current_time())
            answer.take(event)
    show_upstream(out, upstream.requests[-1])
    show_usage(out, answer.usage)
    return answer


async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Decode the events of a streamed answer, waiting for each; cancelled, the answer is its owner's to close."""
    decoder = sse.Decoder()
    async for chunk in response.aiter_raw():
        for payload in decoder.feed(chunk):
            yield json.decode(payload)
