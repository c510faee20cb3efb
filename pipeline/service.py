"""What lives as long as the process, and what lives as long as the settings it was made of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.aside import Aside
from pipeline.endpoints.context import Context
from pipeline.endpoints.running import Phase, ProcessLife, Running
from pipeline.named_upstream import client_of, discovery_of, target_of, transport_of
from pipeline.server.shutdown import Shutdown
from pipeline.settings import Settings
from pipeline.telemetry import names
from pipeline.telemetry.exporting import exporter_of
from pipeline.telemetry.gathering import Reporting
from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.recent import Recent
from pipeline.telemetry.request_metrics import tally_of
from pipeline.telemetry.tally import Tally
from pipeline.telemetry.usage_by_session import UsageBySession
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.http1.transport import HttptoolsTransport
from stages.mapper import Target
from stages.tables import profiles

LOOK_BEFORE_READY = 0.5
"""Seconds that the announcement of a start waits for a look at the upstream; one that is away answers at once."""

if TYPE_CHECKING:
    import socket

    from pipeline.storage.local import LocalStore


@attrs.frozen
class Shared:
    """What belongs to the process, whatever is set.

    Attributes:
        tokenizer: how tokens are counted here.
        aside: runs what would hold up other requests.
        tally: what is counted of requests.
        recent: how much of it in the last hour and day.
        reports: tells a supervisor what is counted; None where there is none.
        usage: what the sessions of clients have used.
        life: whether it is about to end.
    """

    tokenizer: Tokenizer = attrs.field(factory=Tokenizer)
    aside: Aside = attrs.field(factory=Aside)
    tally: Tally = attrs.field(factory=tally_of)
    recent: Recent = attrs.field(default=attrs.Factory(lambda own: Recent(own.tally.snapshot), takes_self=True))
    reports: Reporting | None = None
    usage: UsageBySession = attrs.field(
        default=attrs.Factory(lambda own: own.reports.usage if own.reports else UsageBySession(), takes_self=True)
    )
    life: ProcessLife = attrs.field(factory=ProcessLife)


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
    async with open_shared() as shared, open_context(settings, shared, transport=transport, log=log) as context:
        yield context


@asynccontextmanager
async def open_shared(reports: Reporting | None = None) -> AsyncIterator[Shared]:
    """Open what belongs to the process, and close it at the end; no process of ours is left then.

    Args:
        reports: tells a supervisor what is counted.
    """
    shared = Shared(reports=reports)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shared.tokenizer.load)
            try:
                yield shared
            finally:
                nursery.cancel_scope.cancel()
    finally:  # when nobody speaks to these processes any more
        with trio.CancelScope(shield=True):
            await shared.aside.close()
            await shared.tokenizer.close()


@asynccontextmanager
async def open_context(
    settings: Settings,
    shared: Shared,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    log: FilteringBoundLogger | None = None,
) -> AsyncIterator[Context]:
    """Open what is made of these settings, and close it at the end: the connections to the upstream, above all.

    Raises:
        ConfigurationError: They name something that cannot be used.
    """
    on_stage, transport = transport is not None, transport or transport_of(settings)
    target = target_of(settings)
    client = client_of(settings, target, transport)
    async with trio.open_nursery() as nursery:
        if isinstance(transport, HttptoolsTransport):
            nursery.start_soon(transport.close_idle)
        log = log or make_logger(settings.log_format, settings.log_level)
        discovery = None if on_stage else discovery_of(settings, client, target, log)
        if discovery is not None:
            nursery.start_soon(discovery.look)
        local = _local_store(settings, target)
        context = Context(
            settings,
            client,
            target,
            shared.tokenizer,
            log,
            aside=shared.aside,
            discovery=discovery,
            tally=shared.tally,
            recent=shared.recent,
            usage=shared.usage,
            supervisor=shared.reports.ask if shared.reports else None,
            running=Running(settings, shared.life),
            local=local,
        )
        if not on_stage:
            context = _exporting(context, nursery)
            if shared.reports is None:
                nursery.start_soon(context.recent.run)
        try:
            async with trio.open_nursery() as runners:
                if local is not None:
                    runners.start_soon(_run_batches, context, local)
                yield context
                runners.cancel_scope.cancel()
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                if local is not None:
                    await local.close()
                await transport.aclose()


def _exporting(context: Context, nursery: trio.Nursery) -> Context:
    """Send what is to be known of requests to whoever was named; the same context where nobody was."""
    about = context.version, context.upstream_name
    exporter = exporter_of(context.settings, os.environ, context.tally, context.log, about, context.numbers)
    if exporter is None:
        return context
    nursery.start_soon(exporter.run)
    return attrs.evolve(context, tracing=exporter.tracing)


def _local_store(settings: Settings, target: Target) -> LocalStore | None:
    """What keeps files and batches here; None where the upstream is known to keep both, or must."""
    where, profile = settings.storage.where, target.profile
    host = profiles.known_host(settings.upstream.url)
    both = profile.keeps_files and profile.batches and (host is not None or bool(settings.upstream.profile))
    if where == "upstream" or (where == "auto" and both):
        return None
    from pipeline.storage.local import LocalStore

    folder = storage_folder(settings, os.environ)
    return None if folder is None else LocalStore(folder, settings.storage.max_bytes)


async def _run_batches(context: Context, store: LocalStore) -> None:
    """Run the batches that are kept here until the process is about to end; it ends at once when it is cancelled."""
    from pipeline.endpoints.batches.run import BatchRun
    from pipeline.storage.runner import Runner

    def over(batch: Mapping[str, Any]) -> None:
        counts = batch["request_counts"]
        cost = {} if batch["cost"] is None else {"cost_usd": round(batch["cost"], 6)}
        told = {"succeeded": counts["completed"], "errored": counts["failed"], "unrun": counts["unrun"]}
        context.log.info(names.BATCH, call="end", batch=batch["id"], outcome=batch["status"], **told, **cost)

    def ending() -> bool:
        return context.running.phase is Phase.DRAINING

    context.introduce()  # a batch that is left from before runs before anybody is served
    await Runner(store, BatchRun(context), context.settings.storage.concurrency, over, ending=ending).run()


def storage_folder(settings: Settings, environment: Mapping[str, str]) -> Path | None:
    """Where files and batches of an upstream are kept: each has a folder of its own, since its batches run on it.

    None where no folder is set, and nobody knows a home.
    """
    chosen, data = settings.storage.folder, environment.get("XDG_DATA_HOME")
    try:
        folder = Path(chosen) if chosen else (Path(data) if data else Path.home() / ".local" / "share") / "dragoman"
    except RuntimeError:
        return None
    return folder / hashlib.sha256(settings.upstream.url.encode()).hexdigest()[:12]


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
    from pipeline.front import Front

    await Front(application(context), lambda: context, shutdown or Shutdown()).run(sockets or [], ready)
