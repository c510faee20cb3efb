"""A request run in memory: scripted upstream, real application, a client without a socket."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import structlog.testing

from pipeline.aside import Aside
from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.settings import Limits, Safeguards, Secret, Settings, Timing, UpstreamSettings
from pipeline.tokenizer import Tokenizer
from pipeline.upstream.client import UpstreamClient, fingerprint
from stages.mapper import Target
from tests.support.client import MemoryClient, Reply
from tests.support.upstream import Script, ScriptedUpstream, Step

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 4000,
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
}
"""A request that asks for nothing special, streamed."""

TIGHT = (0, 1, 16)
"""Channel capacities that the laws must hold with: the traps show at 0 and 1, the default is 16."""


def context_of(
    transport: httpx.AsyncBaseTransport,
    *,
    limits: Limits | None = None,
    timing: Timing | None = None,
    key: str | None = None,
    retries: int = 0,
    log: Any = None,
    log_level: str = "info",
    judge: str = "",
    fallback: str = "",
) -> Context:
    """Make what requests are served with, without the tasks of a whole service beside them."""
    upstream = UpstreamSettings(url="http://upstream/v1", api_key=Secret(key) if key else None, retries=retries)
    limits, timing, safeguards = limits or Limits(), timing or Timing(), Safeguards(model=judge)
    settings = Settings(upstream=upstream, limits=limits, timing=timing, log_level=log_level, safeguards=safeguards)
    client = UpstreamClient(upstream.url, upstream.api_key, transport, settings.timing, retries)
    target = Target(account=fingerprint(upstream.url, upstream.api_key), judges=bool(judge), fallback=fallback)
    log = log or structlog.testing.CapturingLogger()
    return Context(settings, client, target, Tokenizer(), log, aside=Aside(threaded=2**40))  # without a process


def client_of(transport: httpx.AsyncBaseTransport, **settings: Any) -> MemoryClient:
    """Make a client of an application whose upstream is `transport`; `settings` are those of `context_of`."""
    return MemoryClient(application(context_of(transport, **settings)))


async def answer(
    *steps: Step,
    capacity: int = 16,
    stream: bool = True,
    request: dict[str, Any] | None = None,
    upstream: ScriptedUpstream | None = None,
    reply: Reply | None = None,
    **settings: Any,
) -> Reply:
    """Run one request whose upstream plays `steps`, to its end; the upstream's body must be closed then.

    Args:
        steps: what the upstream's answer is made of.
        capacity: batches that wait between two stages.
        stream: whether the client asks for a stream.
        request: what it asks.
        upstream: plays instead of `steps`.
        reply: where to put what comes, for a look at it while it comes.
        settings: those of `context_of`.
    """
    upstream = upstream or ScriptedUpstream(Script(steps))
    limits = attrs.evolve(settings.pop("limits", Limits()), channel_batches=capacity)
    client = client_of(upstream, limits=limits, **settings)
    reply = await client.messages((request or REQUEST) | {"stream": stream}, reply=reply)
    assert upstream.open == 0
    return reply
