"""A desk with a proxy of its own: the real client, our server in this process, and an upstream that we can look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Any

import attrs
import httpx

from pipeline.config import Settings
from stages.wire import json
from tests.support.claude import Desk, desk
from tests.support.recorder import Exchange, Recorder
from tests.support.serving import serving


@attrs.frozen
class Office:
    """A client at its desk, and what its questions became.

    Attributes:
        desk: where the client works.
        upstream: remembers what went upstream.
    """

    desk: Desk
    upstream: Recorder

    def about(self, words: str) -> list[Exchange]:
        """The requests of the conversation in which a person said `words`, oldest first.

        Side calls (titles, paths in a command's output) quote the person as well, but offer no tools.
        """
        return [each for each in self.upstream.messages if each.request.get("tools") and words in _said(each)]


def _said(exchange: Exchange) -> str:
    users = [item for item in exchange.input if item.get("role") == "user"]
    return "\n".join(part.get("text", "") for item in users for part in _parts(item))


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item["content"]
    return [{"text": content}] if isinstance(content, str) else content


@asynccontextmanager
async def office(version: str, settings: Settings, inner: httpx.AsyncBaseTransport) -> AsyncIterator[Office]:
    """Open an office for one version of the client.

    Args:
        version: of the client.
        settings: the server's.
        inner: the transport to the upstream, which is recorded.
    """
    recorder = Recorder(inner)
    async with serving(settings, recorder) as url:
        with desk(version, url) as at:
            yield Office(at, recorder)


def conversations(exchanges: list[Exchange]) -> list[list[Exchange]]:
    """Sort requests by conversation: those of a session that begin alike, up to a person's first words, are of one."""
    ordered = sorted(exchanges, key=_opening)  # a stable sort: the order in time stays
    return [list(group) for _, group in groupby(ordered, _opening)]


def _opening(exchange: Exchange) -> bytes:
    items = exchange.input
    first = next((index for index, item in enumerate(items) if item.get("role") == "user"), len(items))
    return json.encode([exchange.request["model"], exchange.request.get("prompt_cache_key"), items[: first + 1]])
