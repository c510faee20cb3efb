"""dragoman in front of a real engine, and the real client in front of dragoman."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest

from pipeline.settings import Settings, UpstreamSettings
from tests.support.claude import Desk, desk
from tests.support.npm import Unavailable
from tests.support.serving import serving

OLDER = "claude-sonnet-4-5"
"""Newer models are told their surroundings behind the prompt, just where the engine's template looks for the cue."""


@asynccontextmanager
async def dragoman(engine: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[str]:
    """Serve before an engine of llama.cpp."""
    upstream = UpstreamSettings(url=f"{engine}/v1", profile="llama.cpp")
    settings = Settings(upstream=upstream, models={"claude": "tiny"}, log_level="error")
    async with serving(settings, transport) as url:
        yield url


@contextmanager
def desk_or_skip(version: str, url: str) -> Iterator[Desk]:
    """Set a desk up; skip the test where the client cannot be had."""
    try:
        with desk(version, url) as seat:
            yield seat
    except Unavailable as reason:
        pytest.skip(str(reason))
