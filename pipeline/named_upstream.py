"""The upstream that the settings name: what is known of it, who speaks to it and looks at it, and by which way."""

from __future__ import annotations

import os
from typing import Any

import attrs
import httpx
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.settings import EMULATOR, ConfigurationError, Secret, Settings
from pipeline.telemetry import names
from pipeline.upstream.address import base_url
from pipeline.upstream.carried import Carried
from pipeline.upstream.client import UpstreamClient, fingerprint
from pipeline.upstream.credentials import COMMAND, KEY_FILE, FetchedKey
from pipeline.upstream.discovery import Discovery
from pipeline.upstream.http1.transport import choose_transport
from pipeline.upstream.look import Findings
from stages.mapper import Target
from stages.tables import profiles
from stages.tables.model_registry import ModelRegistry
from stages.tables.regions import region_of


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
        fallback=settings.fallback,
        judges=bool(settings.safeguards.model),
        fetches=settings.fetch.enabled,
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


def target_now(settings: Settings, seconds: float = 1.0) -> Target:
    """All that can be known about the upstream after one short look, for commands that run no server."""

    async def find() -> Target:
        transport, target = transport_of(settings), target_of(settings)
        try:
            discovery = discovery_of(settings, client_of(settings, target, transport), target)
            if discovery is None:
                return target
            with trio.move_on_after(seconds):
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
