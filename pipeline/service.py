"""What lives as long as the process: settings, the upstream client, the vocabulary, the logger, and the server."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import attrs
import httpx
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.endpoints.context import Context
from pipeline.settings import EMULATOR, Settings
from pipeline.telemetry import names
from pipeline.telemetry.logs import make_logger
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient, fingerprint
from pipeline.upstream.http1.transport import choose_transport
from stages.mapper import Target
from stages.tables import profiles

GC_THRESHOLDS = (20_000, 20, 50)
"""When to look for garbage that holds on to itself: requests make little of it, and each look costs the same."""


@asynccontextmanager
async def open_service(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, log: FilteringBoundLogger | None = None
) -> AsyncIterator[Context]:
    """Open what the process needs, and close it at the end.

    Args:
        settings: what was set.
        transport: stands in for the network, for tests and demonstrations; None chooses by the settings.
        log: stands in for the logger that the settings describe.
    """
    upstream = settings.upstream
    transport = transport or _transport(settings)
    client = UpstreamClient(
        upstream.url.rstrip("/") if upstream.url != EMULATOR else "http://emulator/v1",
        upstream.api_key,
        transport,
        settings.timing,
        upstream.retries,
    )
    target = target_of(settings)
    async with trio.open_nursery() as nursery:
        tokenizer = Tokenizer()
        nursery.start_soon(tokenizer.load)
        log = log or make_logger(settings.log_format, settings.log_level)
        try:
            yield Context(settings, client, target, tokenizer, log)
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await transport.aclose()


def target_of(settings: Settings) -> Target:
    """What the mapper must know about the upstream that the settings name."""
    upstream = settings.upstream
    profile = profiles.PROFILES.get(upstream.profile) or profiles.guess(upstream.url)
    profile = attrs.evolve(profile, **upstream.profile_overrides)  # type: ignore[arg-type] # checked by the settings
    if not upstream.summaries:
        profile = attrs.evolve(profile, summaries=False)
    keyed = bool(settings.client_keys) and upstream.api_key is not None
    return Target(profile, fingerprint(upstream.url, upstream.api_key), settings.models, keyed)


def _transport(settings: Settings) -> httpx.AsyncBaseTransport:
    url = settings.upstream.url
    if url == EMULATOR:
        from pipeline.emulator import EmulatorTransport

        return EmulatorTransport()
    return choose_transport(url, http2=settings.upstream.http2, environment=os.environ)


async def listen(
    context: Context,
    *,
    sockets: list[socket.socket] | None = None,
    shutdown: trio.Event | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until `shutdown` is set; running requests then have `shutdown_grace` seconds to end.

    Args:
        context: what requests are served with.
        sockets: listening sockets that somebody else has bound; else the settings' host and port are.
        shutdown: asks the server to stop; None runs until cancelled.
        ready: called with the server's URL once connections are accepted.
    """
    from hypercorn.config import Config
    from hypercorn.trio import serve as serve_asgi

    from pipeline.endpoints.application import application

    settings, stop = context.settings, trio.Event() if shutdown is None else shutdown
    config = Config()
    config.bind = [f"fd://{own.detach()}" for own in sockets or ()] or [f"{_bracketed(settings.host)}:{settings.port}"]
    config.backlog = 2048  # hypercorn listens anew, and its own 100 turn clients away when a thousand come at once
    config.accesslog = config.errorlog = None
    config.graceful_timeout = settings.timing.shutdown_grace
    config.h11_max_incomplete_size = settings.limits.header_bytes
    config.keep_alive_timeout = 120
    config.include_server_header = False
    async with trio.open_nursery() as nursery:
        bound = await nursery.start(
            partial(serve_asgi, cast("Any", application(context)), config, shutdown_trigger=stop.wait, mode="asgi")
        )
        context.log.info(names.STARTED, upstream=context.upstream_name)
        if ready is not None:
            ready(bound[0])
    context.log.info(names.STOPPED)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def serve(
    settings: Settings, *, sockets: list[socket.socket] | None = None, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; returns once all requests have ended, or their grace is over."""
    trio.run(partial(_serve, settings, sockets, ready), strict_exception_groups=True)


async def _serve(settings: Settings, sockets: list[socket.socket] | None, ready: Callable[[str], None] | None) -> None:
    shutdown = trio.Event()
    async with open_service(settings) as context, trio.open_nursery() as nursery:
        nursery.start_soon(_await_signal, shutdown)
        gc.collect()
        gc.freeze()  # what start-up made lives for ever: collections need not look at it again
        gc.set_threshold(*GC_THRESHOLDS)
        await listen(context, sockets=sockets, shutdown=shutdown, ready=ready)
        nursery.cancel_scope.cancel()


async def _await_signal(shutdown: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            shutdown.set()
