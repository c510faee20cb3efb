"""A client of a scripted upstream, and how its answers are read."""

from __future__ import annotations

from pipeline.settings import Secret, Timing
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.response import UpstreamResponse
from stages.canonical.failure import Failure
from tests.support.upstream import Script, ScriptedUpstream


def client(*scripts: Script | Exception, key: str | None = "sk-secret", retries: int = 2) -> UpstreamClient:
    """Make a client of an upstream that plays these scripts."""
    transport = ScriptedUpstream(*scripts)
    return UpstreamClient("https://up.example/v1", Secret(key) if key else None, transport, Timing(), retries)


def upstream(of: UpstreamClient) -> ScriptedUpstream:
    """The scripted upstream behind a client."""
    assert isinstance(of.transport, ScriptedUpstream)
    return of.transport


async def body_of(answer: UpstreamResponse | Failure) -> list[bytes | Failure]:
    """Read an answer to its end, and close it."""
    assert isinstance(answer, UpstreamResponse)
    async with answer:
        return [chunk async for chunk in answer]
