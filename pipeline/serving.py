"""One process that serves until it is told to stop: signals, readiness, and settings that change meanwhile."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import trio

from pipeline.front import Front, check_certificate
from pipeline.generations import Generations
from pipeline.lifecycle.notify import Notifier
from pipeline.lifecycle.parent import stream_of
from pipeline.lifecycle.reload import ReadSettings, Reload
from pipeline.lifecycle.signals import obey
from pipeline.server.shutdown import Shutdown
from pipeline.service import open_shared
from pipeline.settings import Settings
from pipeline.telemetry.gathering import Reporting
from stages.tables.model_registry import ModelRegistry

GC_THRESHOLDS = (5_000, 2, 2_000)
"""When to look for garbage that holds on to itself: requests make none (law 5), and each look costs the same.

The second look is at three times the first number of objects at most: with more of them it is a pause for everybody
after an answer of thousands of items.
"""

SWITCH_INTERVAL = 0.001
"""Seconds that a thread works on before it gives way to the loop, which asks whenever it comes back from the system.

An event of a stream needs the system three times, so it would wait three times the usual five milliseconds.
"""

Ready = Callable[[str, ModelRegistry], None]
"""Hears the server's URL, and what is known about models, once connections are accepted."""


@attrs.frozen
class Surroundings:
    """Who is around a process that serves.

    Attributes:
        load: reads the settings anew when SIGHUP asks for that; None ignores it.
        ready: hears when connections are accepted.
        parent: hears a parent process until cancelled, and does what it asks for.
        reports: a socket that leads to the supervisor, who is told over it what is counted here.
    """

    load: ReadSettings | None = None
    ready: Ready | None = None
    parent: Callable[[Shutdown], Awaitable[None]] | None = None
    reports: socket.socket | None = None


def serve(settings: Settings, sockets: list[socket.socket], around: Surroundings) -> None:
    """Serve until SIGTERM or SIGINT; returns once all requests have ended, or their grace is over.

    Args:
        settings: what was set.
        sockets: listening sockets that somebody else has bound.
        around: who asks, and who is told.
    """
    trio.run(partial(_serve, settings, sockets, around), strict_exception_groups=True)


def tune_interpreter() -> None:
    """Let the interpreter itself make no pause that streams would feel; for when all that stays has been made."""
    gc.collect()
    gc.freeze()  # what start-up made lives for ever: collections need not look at it again
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL)


async def _serve(settings: Settings, sockets: list[socket.socket], around: Surroundings) -> None:
    shutdown, notifier = Shutdown(), Notifier.of(os.environ)
    reports = None if around.reports is None else Reporting(stream_of(around.reports))
    async with open_shared(reports) as shared, trio.open_nursery() as nursery:
        generations = Generations(shared, nursery)
        front = Front(generations, lambda: generations.context, shutdown)

        async def take(new: Settings) -> None:
            await trio.to_thread.run_sync(check_certificate, new)
            await generations.replace(new)
            front.follow(new)

        def ready(url: str) -> None:
            notifier.ready(f"serving on {url}")
            if around.ready is not None:
                around.ready(url, generations.models)

        reload: Reload | None = None
        if around.load is not None:
            reload = Reload(settings, around.load, take, lambda: generations.context.log, notifier)
            nursery.start_soon(reload.run)
        nursery.start_soon(obey, shutdown, None if reload is None else reload.ask)
        if around.parent is not None:
            nursery.start_soon(around.parent, shutdown)
        await generations.replace(settings)
        if reports is not None:
            # Those of the settings that are in by then.
            nursery.start_soon(reports.run, lambda: generations.context.numbers())  # noqa: PLW0108
        tune_interpreter()
        await front.run(sockets, ready)
        nursery.cancel_scope.cancel()
