"""What lives as long as the process: settings, the upstream client, the vocabulary, the logger, and the server."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import attrs
import httpx
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.aside import Aside
from pipeline.endpoints.context import Context
from pipeline.endpoints.running import Phase
from pipeline.lifecycle.grace import grace_here
from pipeline.lifecycle.notify import Notifier
from pipeline.lifecycle.signals import AGAIN, obey
from pipeline.server.shutdown import Shutdown
from pipeline.settings import EMULATOR, ConfigurationError, Secret, Settings
from pipeline.telemetry import names
from pipeline.telemetry.logs import make_logger
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.address import base_url
from pipeline.upstream.carried import Carried
from pipeline.upstream.client import UpstreamClient, fingerprint
from pipeline.upstream.credentials import COMMAND, KEY_FILE, FetchedKey
from pipeline.upstream.discovery import Discovery
from pipeline.upstream.http1.transport import HttptoolsTransport, choose_transport
from pipeline.upstream.look import Findings
from stages.mapper import Target
from stages.tables import profiles
from stages.tables.model_registry import ModelRegistry
from stages.tables.regions import region_of

LOOK_BEFORE_READY = 0.5
"""Seconds that the announcement of a start waits for a look at the upstream; one that is away answers at once."""

if TYPE_CHECKING:
    from hypercorn.config import Config

    from pipeline.server.connection import Terms

GC_THRESHOLDS = (20_000, 20, 50)
"""When to look for garbage that holds on to itself: requests make little of it, and each look costs the same."""


@asynccontextmanager
async def open_service(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, log: FilteringBoundLogger | None = None
) -> AsyncIterator[Context]:
    """Open what the process needs, and close it at the end.

    Args:
        settings: what was set.
        transport: stands in for the network, for tests and demonstrations, and is not looked at; None chooses by the
            settings.
        log: stands in for the logger that the settings describe.
    """
    on_stage, transport = transport is not None, transport or transport_of(settings)
    target = target_of(settings)
    client = client_of(settings, target, transport)
    async with trio.open_nursery() as nursery:
        tokenizer = Tokenizer()
        nursery.start_soon(tokenizer.load)
        if isinstance(transport, HttptoolsTransport):
            nursery.start_soon(transport.close_idle)
        log = log or make_logger(settings.log_format, settings.log_level)
        discovery = None if on_stage else discovery_of(settings, client, target, log)
        if discovery is not None:
            nursery.start_soon(discovery.look)
        aside = Aside()
        try:
            yield Context(settings, client, target, tokenizer, log, aside=aside, discovery=discovery)
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await aside.close()
                await tokenizer.close()
                await transport.aclose()


def target_of(settings: Settings) -> Target:
    """What the mapper must know about the upstream that the settings name."""
    upstream = settings.upstream
    profile = profiles.PROFILES.get(upstream.profile) or profiles.guess(upstream.url)
    profile = attrs.evolve(profile, **upstream.profile_overrides)  # type: ignore[arg-type] # checked by the settings
    if not upstream.summaries:
        profile = attrs.evolve(profile, summaries=False)
    fetched = upstream.api_key_file or upstream.key_command
    key = upstream.api_key or (Secret(fetched) if fetched else None)
    keyed = bool(settings.client_keys) and key is not None
    return Target(
        profile,
        fingerprint(upstream.url, key),
        ModelRegistry.of(settings.models),
        keyed,
        region=region_of(upstream.url),
        breaks_promises=settings.broken_promises == "report",
        shared_agents=upstream.shared_agents,
        judges=bool(settings.safeguards.model),
    )


def client_of(settings: Settings, target: Target, transport: httpx.AsyncBaseTransport) -> UpstreamClient:
    """What speaks to the upstream that the settings name."""
    upstream = settings.upstream
    origin = KEY_FILE if upstream.api_key_file else COMMAND
    place = upstream.api_key_file or upstream.key_command
    fetched = FetchedKey(place, upstream.key_lifetime, origin) if place else None
    carried = Carried.of(upstream.headers, upstream.query, target.profile.key_header)
    key = fetched or upstream.api_key
    return UpstreamClient(base_url(upstream.url), key, transport, settings.timing, upstream.retries, carried)


def discovery_of(
    settings: Settings, client: UpstreamClient, target: Target, log: FilteringBoundLogger | None = None
) -> Discovery | None:
    """What finds out about the upstream; None for one whose address says it all.

    A profile that was set stays; then only the models and what they hold are looked for.
    """
    url, chosen = settings.upstream.url, settings.upstream.profile
    host = profiles.known_host(url)
    if host is not None and not (host.routes and not chosen):
        return None
    overrides: dict[str, Any] = dict(settings.upstream.profile_overrides)

    def heard(target: Target, found: Findings) -> None:
        if log is not None:
            by = "the setting" if chosen else "a look at it" if found.profile else "default"
            sizes = {"models": len(found.served), "window": target.models.smallest_window()}
            log.info(names.LOOKED, profile=target.profile.name, chosen_by=by, **sizes)

    adapt = None if chosen or host else lambda profile: attrs.evolve(profile, **overrides)
    return Discovery(client, target, adapt, heard)


def target_now(settings: Settings, first_byte_timeout: float = 1.0) -> Target:
    """All that can be known about the upstream after one short look, for commands that run no server."""

    async def find() -> Target:
        transport, target = transport_of(settings), target_of(settings)
        try:
            discovery = discovery_of(settings, client_of(settings, target, transport), target)
            if discovery is None:
                return target
            with trio.move_on_after(first_byte_timeout):
                await discovery.look()
            return discovery.target
        finally:
            await transport.aclose()

    return trio.run(find)


def transport_of(settings: Settings) -> httpx.AsyncBaseTransport:
    """The network, or the emulator in its place.

    Raises:
        ConfigurationError: when the way there needs a package that is not installed, as a SOCKS proxy does.
    """
    url = settings.upstream.url
    if url == EMULATOR:
        from pipeline.emulator import EmulatorTransport

        return EmulatorTransport()
    try:
        return choose_transport(url, http2=settings.upstream.http2, environment=os.environ)
    except (ImportError, ValueError) as lacking:
        raise ConfigurationError([str(lacking)]) from None


async def listen(
    context: Context,
    *,
    sockets: list[socket.socket] | None = None,
    shutdown: Shutdown | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until `shutdown` begins; running requests then have their grace to end.

    Args:
        context: what requests are served with.
        sockets: listening sockets that somebody else has bound; else the settings' host and port are.
        shutdown: asks the server to stop; None runs until cancelled.
        ready: called with the server's URL once connections are accepted.
    """
    from pipeline.endpoints.application import application
    from pipeline.server.guard import Guard
    from pipeline.server.serving import Server

    settings, shutdown = context.settings, Shutdown() if shutdown is None else shutdown
    guard = Guard(context.log)
    server = Server(
        cast("Any", application(context)),
        _config(settings, [f"fd://{own.detach()}" for own in sockets or ()]),
        _terms(settings),
        guard,
        own_http1=settings.http1 == "dragoman",
        at_stop=partial(_stopping, context, shutdown),
        at_end_of_grace=context.running.end_all,
    )

    def started(urls: list[str]) -> None:
        context.log.info(names.STARTED, upstream=context.upstream_name)
        if ready is not None:
            ready(urls[0])

    await server.run(shutdown, started)
    running = context.running
    context.log.info(names.STOPPED, cut=running.cut, connection_faults=guard.faults, turned_away=running.turned_away)


def _stopping(context: Context, shutdown: Shutdown) -> None:
    """Begin nothing new, and say what still runs, and how long it may."""
    running, grace = context.running, grace_here(context.settings.timing)
    running.phase = Phase.DRAINING
    found: dict[str, object] = {"by": shutdown.by, "requests": running.requests, "streams": running.streams}
    hint = {"hint": AGAIN} if shutdown.by == "SIGINT" and running.requests else {}
    context.log.info(names.STOPPING, **found, grace_seconds=grace, **hint)
    Notifier.of(os.environ).stopping(f"{running.streams} streams may end, for {grace:g} s")


def _config(settings: Settings, binds: list[str]) -> Config:
    """Configure hypercorn."""
    from hypercorn.config import Config

    config, timing = Config(), settings.timing
    config.bind = binds or [f"{_bracketed(settings.host)}:{settings.port}"]
    config.backlog = 2048  # its own 100 turn clients away when a thousand come at once
    config.accesslog = config.errorlog = None
    config.graceful_timeout = grace_here(timing)
    config.h11_max_incomplete_size = config.h2_max_header_list_size = settings.limits.header_bytes
    config.keep_alive_timeout = timing.idle
    config.ssl_handshake_timeout = timing.head
    config.include_server_header = False
    config.certfile, config.keyfile = settings.certfile or None, settings.keyfile or None
    return config


def _terms(settings: Settings) -> Terms:
    """Grant on connections of ours what the settings say."""
    from pipeline.server.connection import Terms

    timing = settings.timing
    return Terms(settings.limits.header_bytes, timing.head, timing.idle, timing.write)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def serve(
    settings: Settings,
    *,
    sockets: list[socket.socket] | None = None,
    ready: Callable[[str, ModelRegistry], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; returns once all requests have ended, or their grace is over.

    Args:
        settings: what was set.
        sockets: listening sockets that somebody else has bound.
        ready: called with the server's URL, and what is known about models, once connections are accepted.
    """
    trio.run(partial(_serve, settings, sockets, ready), strict_exception_groups=True)


async def _serve(
    settings: Settings,
    sockets: list[socket.socket] | None,
    ready: Callable[[str, ModelRegistry], None] | None,
) -> None:
    shutdown = Shutdown(closed=settings.draining == "close")
    async with open_service(settings) as context, trio.open_nursery() as nursery:
        nursery.start_soon(obey, shutdown, None)
        gc.collect()
        gc.freeze()  # what start-up made lives for ever: collections need not look at it again
        gc.set_threshold(*GC_THRESHOLDS)
        if ready is not None and context.discovery is not None:
            with trio.move_on_after(LOOK_BEFORE_READY):
                await context.discovery.look()

        def announced(url: str) -> None:
            Notifier.of(os.environ).ready(f"serving on {url}")
            if ready is not None:
                ready(url, (context.discovery or context).target.models)

        await listen(context, sockets=sockets, shutdown=shutdown, ready=announced)
        nursery.cancel_scope.cancel()
