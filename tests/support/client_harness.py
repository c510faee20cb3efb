"""A desk with a proxy of its own: the real client, our server in this process, and both wires of it to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby, pairwise
from typing import Any

import attrs
import httpx
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Settings, UpstreamSettings
from stages.tables.models import model_info
from stages.wire import json
from tests.conftest import SHARED
from tests.support.claude import Desk, desk, install
from tests.support.judges import judge_body, judge_stream, judge_upstream_request
from tests.support.npm import Unavailable
from tests.support.recorder import Exchange, Recorder
from tests.support.serving import serving
from tests.support.wiretap import Visit, Wiretap

EMULATED = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error")
"""The settings of a server whose upstream is ours."""


@attrs.frozen
class ClientHarness:
    """A client at its desk, and what its questions became.

    Attributes:
        desk: where the client works.
        upstream: remembers what went upstream.
        wire: remembers what the client said and heard.
    """

    desk: Desk
    upstream: Recorder
    wire: Wiretap

    def about(self, words: str) -> list[Exchange]:
        """The requests of the conversation in which a person said `words`, oldest first.

        Side calls (titles, paths in a command's output) quote the person as well, but offer no tools.
        """
        return [each for each in self.upstream.messages if each.request.get("tools") and words in _said(each)]

    def audit(self, *, left: int = 0) -> None:
        """Look all that was said over: what went upstream only grew, and nobody was told what is not well-formed.

        Args:
            left: how many answers the client has left before their end; all others are whole.
        """
        assert_append_only(self)
        self.judge(left=left)

    def judge(self, *, left: int = 0) -> None:
        """Do so for conversations that need not grow; the judges are heard where they lie beside the checkout."""
        visits = self.wire.visits
        assert sum(visit.whole for visit in visits) == len(visits) - left > 0
        if SHARED.is_dir():
            for exchange in self.upstream.messages:
                assert judge_upstream_request(exchange.request) == []
            for visit in visits:
                findings = _findings(visit) if visit.whole else []
                assert findings == [], visit


def _said(exchange: Exchange) -> str:
    users = [item for item in exchange.input if item.get("role") == "user"]
    return "\n".join(part.get("text", "") for item in users for part in _parts(item))


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item["content"]
    return [{"text": content}] if isinstance(content, str) else content


@asynccontextmanager
async def harness(
    version: str = "latest", settings: Settings = EMULATED, inner: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[ClientHarness]:
    """Open an office for one version of the client.

    Args:
        version: of the client.
        settings: the server's.
        inner: the transport to the upstream, which is recorded; None is an emulator in no need of time.

    A test is skipped where npm has no such version.
    """
    try:
        install(version)
    except Unavailable as reason:
        pytest.skip(str(reason))
    recorder, wire = Recorder(inner or EmulatorTransport(delay=0)), Wiretap()
    async with serving(settings, recorder) as url, wire.on(url) as front:
        with desk(version, front) as at:
            yield ClientHarness(at, recorder, wire)


def _findings(visit: Visit) -> list[str]:
    """What the judges have to say about an answer."""
    if visit.streamed:
        return judge_stream(visit.answer, visit.body)[0]
    return judge_body(json.decode(visit.answer), visit.status)


def assert_append_only(harness: ClientHarness) -> None:
    """Every request of a conversation starts with all of the one before it, settings and tools included (law 9).

    Only where the model takes no tools in the middle of a conversation may those that were searched for be declared
    behind the others.
    """
    for conversation in conversations(harness.upstream.messages):
        for earlier, later in pairwise(conversation):
            settings = [{**each.request, "input": None, "tools": None} for each in (earlier, later)]
            assert json.encode(settings[1]) == json.encode(settings[0])
            for part in ("tools", "input"):
                before, after = (each.request.get(part) or [] for each in (earlier, later))
                assert json.encode(after[: len(before)]) == json.encode(before)
                if part == "tools" and model_info(later.request["model"]).additional_tools:
                    assert len(after) == len(before)


def conversations(exchanges: list[Exchange]) -> list[list[Exchange]]:
    """Sort requests by conversation: those of a session that begin alike, up to a person's first words, are of one."""
    ordered = sorted(exchanges, key=_opening)  # a stable sort: the order in time stays
    return [list(group) for _, group in groupby(ordered, _opening)]


def _opening(exchange: Exchange) -> bytes:
    items = exchange.input
    first = next((index for index, item in enumerate(items) if item.get("role") == "user"), len(items))
    return json.encode([exchange.request["model"], exchange.request.get("prompt_cache_key"), items[: first + 1]])


def texts_of(item: dict[str, Any]) -> list[str]:
    """The texts of a message item, which is spelt as one text or in parts."""
    content = item["content"]
    return [content] if isinstance(content, str) else [part["text"] for part in content]
